import LanguageModeling
import Tokenization

/// Reads texts that come in pieces, one after another, and shows their tokens to those who follow. Memory does not grow
/// with the texts: what is kept is some pieces of text, and the tokens that wait to be read together.
final class RunningReading {
  private let reading: TextReading
  private let documents: (symbols: DocumentSymbols, cut: DocumentCut)?
  private let predictor: any TokenPredictor
  /// Whether documents are kept until there are enough of them to be read side by side.
  private let isSideBySide: Bool
  private let followers: [any ReadingFollower]
  private let unpredicted: Int32?

  /// Tokens so far; `<s>` and `</s>` are among them.
  private(set) var tokens = 0
  private(set) var unknown: [UnknownSymbol] = []
  /// Documents so far, and how many were left out since they hold nothing but line ends.
  private(set) var counts = (documents: 0, empty: 0)

  /// The most that was kept at a time: bytes of texts, and tokens.
  private(set) var most = (bytes: 0, tokens: 0)

  /// Texts that have begun and of which not all was shown.
  private var open: [OpenText] = []
  private var begun = 0
  private var bytesBefore = 0
  private var encoder: TracingEncodingStream
  private var cutter: DocumentCutter?
  /// Where the document at hand begins, in bytes of its text and in the queue; nil between documents.
  private var document: (start: Int, place: Int)?

  private var queue = TokenQueue()
  /// Tokens of the queue that were shown: none, or the last one that the predictor has read.
  private var shown = 0
  private var isAtStart = true
  private var position = -1
  /// Whether the document at hand is too long to wait for its end.
  private var isLongDocument = false

  private final class OpenText {
    let index: Int
    let text = PassingText()
    /// No token that is not in the queue yet begins before this byte.
    var settled = 0
    init(_ index: Int) { self.index = index }
  }

  /// - Parameter predictor: What is to say how likely tokens are, where that is not the model.
  /// - Throws: ``ConfigurationError`` for documents where the model knows none.
  init(_ reading: TextReading, by predictor: (any TokenPredictor)? = nil, followers: [any ReadingFollower]) throws {
    self.reading = reading
    self.followers = followers
    unpredicted = reading.scorer.unpredicted
    documents = try reading.model.configuration.documents(cut: reading.documents)
    self.predictor = predictor ?? NetworkPredictor(reading)
    isSideBySide = documents != nil && reading.detail == nil && predictor == nil
    encoder = Self.encoder(reading)
  }

  private static func encoder(_ reading: TextReading) -> TracingEncodingStream {
    TracingEncodingStream(reading.tokenizer, unknown: reading.unknownPolicy, batch: reading.sizes.batch)
  }

  var hasDocuments: Bool { documents != nil }

  // MARK: Text

  /// A text begins.
  func begin() throws {
    open.append(OpenText(begun))
    begun += 1
    if open.count == 1 { for follower in followers { try follower.begin(begun - 1) } }
    if let documents {
      cutter = DocumentCutter(documents.cut)
    } else {
      encoder = Self.encoder(reading)
      beginStream()
    }
  }

  /// Takes the next bytes of the text, whole scalars of UTF-8.
  ///
  /// - Throws: ``UnknownSymbolsError``, ``VocabularyError``, and what followers throw.
  func append(_ bytes: ArraySlice<UInt8>) throws {
    guard let current = open.last else { preconditionFailure("a piece of a text that has not begun") }
    current.text.append(bytes)
    most.bytes = max(most.bytes, keptBytes)
    guard cutter == nil else {
      try take(cutter?.append(bytes) ?? [])
      return
    }
    let part = try encoder.append(bytes)
    guard !encoder.isRefused else {
      // The rest is read only so that all unknown symbols can be named.
      current.text.forget(before: current.text.end)
      return
    }
    add(part.ids, part.offsets, from: 0)
    current.settled = encoder.settled
    try readStream(toEnd: false)
  }

  /// The text ends.
  ///
  /// - Throws: as ``append(_:)``.
  func endText() throws {
    guard let current = open.last else { preconditionFailure("the end of a text that has not begun") }
    if cutter != nil {
      try take(cutter?.finish() ?? [])
      counts.empty += cutter?.empty ?? 0
      current.settled = current.text.end
      if queue.count == shown { try close(upTo: begun) }
      return
    }
    try finishEncoding(from: 0)
    current.settled = current.text.end
    try readStream(toEnd: true)
    try close(upTo: begun)
  }

  /// Reads what has waited.
  func finish() throws {
    if isSideBySide { try readSideBySide(queue.count) } else { try readStream(toEnd: true) }
    try close(upTo: begun)
  }

  private func add(_ ids: [Int32], _ offsets: [Range<Int>], from start: Int) {
    tokens += ids.count
    queue.add(ids, offsets, from: start, text: begun - 1)
    most.tokens = max(most.tokens, queue.count)
  }

  private func finishEncoding(from start: Int) throws {
    let encoded = try encoder.finish()
    unknown.add(encoded.unknown)
    add(encoded.ids, encoded.offsets ?? [], from: start)
  }

  // MARK: Documents

  private func take(_ events: [DocumentCutter.Event]) throws {
    for event in events {
      switch event {
      case .begin(let place): beginDocument(place)
      case .text(let bytes): try addToDocument(bytes)
      case .end(let place): try endDocument(place)
      }
    }
    if document != nil && encoder.isRefused { return }
    if document == nil { open.last?.settled = cutter?.settled ?? 0 }
    if !isSideBySide || isLongDocument { try readStream(toEnd: false) }
  }

  private func beginDocument(_ place: Int) {
    guard let symbols = documents?.symbols else { return }
    document = (place, queue.count)
    encoder = Self.encoder(reading)
    add([symbols.start], [0..<0], from: place)
  }

  private func addToDocument(_ bytes: [UInt8]) throws {
    guard let start = document?.start else { return }
    let part = try encoder.append(bytes[...])
    guard !encoder.isRefused else {
      open.last.map { $0.text.forget(before: $0.text.end) }
      return
    }
    add(part.ids, part.offsets, from: start)
    open.last?.settled = start + encoder.settled
    if isSideBySide && !isLongDocument { try makeRoom() }
  }

  private func endDocument(_ place: Int) throws {
    guard let symbols = documents?.symbols, let start = document?.start else { return }
    try finishEncoding(from: start)
    add([symbols.end], [0..<0], from: place)
    counts.documents += 1
    document = nil
    open.last?.settled = place
    if isLongDocument {
      try readStream(toEnd: true)
      isLongDocument = false
    } else if isSideBySide {
      try makeRoom()
    }
  }

  /// Whether as much waits as may.
  private var isFull: Bool { queue.count >= reading.sizes.documentTokens || isLongText }

  /// Whether more text is kept than should be.
  private var isLongText: Bool { keptBytes >= 32 * reading.sizes.documentTokens }

  private var keptBytes: Int { open.reduce(0) { $0 + $1.text.end - $1.text.start } }

  /// Reads the documents that have ended, where much waits; and what there is of one that is as long by itself.
  private func makeRoom() throws {
    guard isFull else { return }
    try readSideBySide(document?.place ?? queue.count)
    guard isFull, document != nil else { return }
    isLongDocument = true
    beginStream()
    try readStream(toEnd: false)
  }

  /// Reads the first tokens of the queue, which are whole documents.
  private func readSideBySide(_ count: Int) throws {
    guard let symbols = documents?.symbols, count > 0 else { return }
    let done = bytesBefore + (open.first?.text.start ?? 0)
    let ready = tokens - queue.count
    let progress = reading.progress
    let surprisals = reading.scorer.surprisals(Array(queue.ids[..<count]), symbols) { part, all in
      progress?(done, ready + count * part / max(1, all))
    }
    for index in 0..<count { try show(index, surprisals[index], nil) }
    queue.removeFirst(count)
    document?.place = 0
    try settle()
  }

  // MARK: Streams

  private func beginStream() {
    predictor.begin()
    (shown, isAtStart) = (0, true)
  }

  /// Reads the queue as one stream, window by window.
  private func readStream(toEnd isEnd: Bool) throws {
    let window = reading.sizes.window
    var first = 0
    // A long text without known symbols does not wait for more of them.
    let readsAll = isEnd || isLongText
    while queue.count - first > window || (readsAll && queue.count - first > 1) {
      let range = first..<min(first + window + 1, queue.count)
      if shown == 0 { try show(first, nil, nil) }
      for (offset, prediction) in predictor.predict(queue.ids[range]).enumerated() {
        try show(first + 1 + offset, prediction.surprisal, prediction.details)
      }
      (first, shown) = (range.upperBound - 1, 1)
      reading.progress?(bytesBefore + queue.bytes[first].lowerBound, tokens - queue.count + first)
    }
    if readsAll && queue.count - first > shown {
      try show(first, nil, nil)
      shown = 1
    }
    if isEnd { (first, shown) = (queue.count, 0) }
    queue.removeFirst(first)
    try settle()
  }

  // MARK: Showing

  private func show(_ index: Int, _ surprisal: Double?, _ details: ScoredToken.Details?) throws {
    try close(upTo: queue.texts[index])
    guard let text = open.first?.text else { return }
    let (id, symbols) = (queue.ids[index], documents?.symbols)
    let isPredicted = !isAtStart && id != unpredicted
    position = id == symbols?.start || (isAtStart && symbols == nil) ? 0 : position + 1
    isAtStart = false
    let token = ScoredToken(
      id: id, bytes: queue.bytes[index], position: position, isDocumentEnd: symbols?.end == id,
      surprisal: isPredicted ? surprisal : nil, details: isPredicted ? details : nil)
    for follower in followers { try follower.add(token, in: text) }
  }

  /// Lets followers, and then the text, forget what no token to come is of.
  private func settle() throws {
    guard let first = open.first else { return }
    let next = shown
    var place = first.settled
    if next < queue.count {
      place = queue.texts[next] == first.index ? min(queue.bytes[next].lowerBound, place) : first.text.end
    }
    try advance(first.text, to: first.text.start(of: place))
  }

  private func advance(_ text: PassingText, to place: Int) throws {
    var needed = place
    for follower in followers { needed = min(needed, try follower.advance(to: place, in: text)) }
    text.forget(before: needed)
  }

  /// Ends the texts before one, all of whose tokens are shown.
  private func close(upTo index: Int) throws {
    while let first = open.first, first.index < index {
      try advance(first.text, to: first.text.end)
      for follower in followers { try follower.end(first.text) }
      bytesBefore += first.text.end
      open.removeFirst()
      if let next = open.first { for follower in followers { try follower.begin(next.index) } }
    }
  }
}
