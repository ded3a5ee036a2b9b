import UnicodeText

/// Turns a text that comes in pieces into token ids, each with the bytes of the text that it came from: those of
/// ``Tokenizer/encode(_:unknown:keepsOffsets:)`` of the whole text, wherever it is cut.
///
/// Memory does not grow with the text, but with its longest word. Tokenizers that look at a text as a whole (of grapheme
/// clusters; sentencepiece's rules of normalization) get it when it has ended, up to ``EncodingStream/longestWord`` bytes.
public struct TracingEncodingStream {
  private let tokenizer: any Tokenizer
  private let policy: UnknownPolicy
  private let batch: Int
  /// The text, while it is short or to be looked at as a whole.
  private var beginning = WholeText()
  // One of these is there once a text is long.
  private var characters: TracingSegmentEncoder?
  private var subwords: TracingSubwordEncoder?

  /// A stream at the beginning of a text.
  public init(_ tokenizer: any Tokenizer, unknown policy: UnknownPolicy) {
    self.init(tokenizer, unknown: policy, batch: 1 << 18)
  }

  /// - Parameter batch: Bytes of text that are encoded at once; a text of no more is encoded as it is.
  package init(_ tokenizer: any Tokenizer, unknown policy: UnknownPolicy, batch: Int) {
    (self.tokenizer, self.policy, self.batch) = (tokenizer, policy, batch)
  }

  /// No token that is still to come begins before this byte.
  public var settled: Int { characters?.trace.settled ?? subwords?.settled ?? 0 }

  /// Whether a symbol has come that the policy does not allow: then ``finish()`` will throw, and name them all.
  public var isRefused: Bool { characters?.unknown.isRefused ?? subwords?.unknown.isRefused ?? false }

  /// Takes the next bytes of UTF-8, and gives the tokens that are known by now.
  ///
  /// - Throws: ``InvalidUTF8``, ``VocabularyError`` for a word that is too long.
  public mutating func append(_ text: ArraySlice<UInt8>) throws -> (ids: [Int32], offsets: [Range<Int>]) {
    guard characters == nil && subwords == nil else { return try encode(text) }
    try beginning.append(text, orThrow: .tooLongText)
    guard beginning.bytes.count > batch, start() else { return ([], []) }
    let text = beginning.bytes
    beginning = WholeText()
    return try encode(text[...])
  }

  /// Ends the text, and gives the tokens that are left; with all symbols that the vocabulary lacks.
  ///
  /// - Throws: ``UnknownSymbolsError`` as the policy says, and as ``append(_:)``.
  public mutating func finish() throws -> EncodedText {
    var encoded = EncodedText(ids: [], unknown: [], offsets: [])
    if characters != nil {
      encoded.unknown = try characters?.finish(&encoded.ids) ?? []
      encoded.offsets = characters?.trace.take()
    } else if subwords != nil {
      encoded.unknown = try subwords?.finish(&encoded.ids) ?? []
      encoded.offsets = subwords?.trace.take()
    } else {
      encoded = try tokenizer.encode(decodeUTF8(beginning.bytes), unknown: policy, keepsOffsets: true)
    }
    return encoded
  }

  /// Begins to encode in pieces; false where the tokenizer wants the whole text.
  private mutating func start() -> Bool {
    guard let normalizer = tokenizer.normalization.normalizer else { return false }
    switch tokenizer {
    case let tokenizer as SubwordTokenizer:
      subwords = TracingSubwordEncoder(tokenizer, policy, normalizer, batch: batch)
    case let tokenizer as CharacterTokenizer: characters = TracingSegmentEncoder(tokenizer, policy, normalizer)
    case let tokenizer as ByteTokenizer: characters = TracingSegmentEncoder(tokenizer, normalizer)
    default: return false
    }
    return true
  }

  private mutating func encode(_ text: ArraySlice<UInt8>) throws -> (ids: [Int32], offsets: [Range<Int>]) {
    var ids: [Int32] = []
    try characters?.append(text, to: &ids)
    try subwords?.append(text, to: &ids)
    return (ids, characters?.trace.take() ?? subwords?.trace.take() ?? [])
  }
}

extension TextNormalization {
  /// What does the same to a text in pieces; nil where some step looks at the whole.
  fileprivate var normalizer: Normalizer? {
    switch (steps.count, steps.first) {
    case (0, _): Normalizer()
    case (1, .unicode(let normalizer)): normalizer
    default: nil
    }
  }
}

/// A text in pieces on its way through normalization, and the bytes that its tokens came from.
struct TextTrace {
  private let normalizer: Normalizer
  private var stream: TracingNormalizerStream
  /// Normalized text that is not encoded yet. Its sources count from the segment's beginning.
  private(set) var normalized = NormalizedText()
  /// The original from `originalStart` on.
  private var original: [UInt8] = []
  private var originalStart = 0
  /// Where the segment begins, and the next bytes.
  private var segmentStart = 0
  private var end = 0
  /// The beginning of what the last scalar came from, or the end of a special symbol.
  private var reached = 0
  /// Of the tokens since the last ``take()``.
  private var offsets: [Range<Int>] = []

  init(_ normalizer: Normalizer) {
    self.normalizer = normalizer
    stream = TracingNormalizerStream(normalizer)
  }

  /// No token that is still to come begins before this byte.
  var settled: Int { normalized.sources.first.map { min(reached, $0.lowerBound + segmentStart) } ?? reached }

  mutating func append(_ text: ArraySlice<UInt8>) throws {
    original += text
    end += text.count
    try stream.append(text, to: &normalized)
  }

  mutating func endSegment() throws { try stream.finish(&normalized) }

  mutating func add(symbolOf length: Int) {
    offsets.append(end..<end + length)
    end += length
    reached = end
  }

  /// Begins the segment after a special symbol, or the first.
  mutating func beginSegment() {
    stream = TracingNormalizerStream(normalizer)
    (segmentStart, originalStart, original) = (end, end, [])
  }

  mutating func add(_ offset: Range<Int>) { offsets.append(offset) }

  mutating func replaceLast(by offset: Range<Int>) {
    if let last = offsets.indices.last { offsets[last] = offset }
  }

  /// The offsets of the tokens that were added, in order.
  mutating func take() -> [Range<Int>] {
    defer { offsets.removeAll(keepingCapacity: true) }
    return TracedText.ordered(offsets)
  }

  /// The bytes of the original that one scalar of the normalized text came from.
  func source(ofScalar index: Int) -> Range<Int> {
    let source = normalized.sources[index]
    return source.lowerBound + segmentStart..<source.upperBound + segmentStart
  }

  /// The bytes of the original that a range of the normalized text's bytes came from, as ``TracedText/original(_:)``.
  func source(of range: Range<Int>) -> Range<Int> {
    let source = normalized.source(of: range)
    let lower = unchanged(range.lowerBound).map { max($0, source.lowerBound) } ?? source.lowerBound
    let upper = unchanged(range.upperBound).map { min($0, source.upperBound) } ?? source.upperBound
    let part = !range.isEmpty && lower < upper ? lower..<upper : source
    return part.lowerBound + segmentStart..<part.upperBound + segmentStart
  }

  private func unchanged(_ place: Int) -> Int? {
    let bytes = normalized.utf8
    guard place < bytes.count, bytes[place] & 0xC0 == 0x80 else { return nil }
    let first = WordScanner.start(bytes, place)
    let scalar = first..<first + WordScanner.width(bytes[first])
    let source = normalized.source(of: scalar)
    let shift = segmentStart - originalStart
    let isSame = original[source.lowerBound + shift..<source.upperBound + shift].elementsEqual(bytes[scalar])
    return isSame ? source.lowerBound + place - first : nil
  }

  /// Forgets normalized text that is encoded.
  mutating func removeFirst(_ count: Int) {
    guard count > 0 else { return }
    // What is held back may be the rest of the last scalar, as 2 is of ½.
    reached = max(reached, source(of: count - 1..<count).lowerBound)
    normalized.removeFirst(count)
    let unneeded = settled - originalStart
    guard unneeded > original.count / 2 else { return }
    original.removeFirst(unneeded)
    originalStart += unneeded
  }
}

/// Encodes a stream as characters or bytes, with the places that they came from.
struct TracingSegmentEncoder: SymbolSeparatingEncoder {
  /// Nil for bytes.
  private let tokenizer: CharacterTokenizer?
  private let lengths: [Int32: Int]
  var finder: SpecialSymbolFinder
  var trace: TextTrace
  private(set) var unknown: UnknownCounter
  /// Scalars of the normalized text so far.
  private var position = 0

  init(_ tokenizer: CharacterTokenizer, _ policy: UnknownPolicy, _ normalizer: Normalizer) {
    self.tokenizer = tokenizer
    lengths = tokenizer.specialSymbols.lengths
    finder = SpecialSymbolFinder(tokenizer.specialSymbols)
    trace = TextTrace(normalizer)
    unknown = UnknownCounter(policy, tokenizer.unknownID)
  }

  init(_ tokenizer: ByteTokenizer, _ normalizer: Normalizer) {
    self.tokenizer = nil
    lengths = tokenizer.specialSymbols.lengths
    finder = SpecialSymbolFinder(tokenizer.specialSymbols)
    trace = TextTrace(normalizer)
    unknown = UnknownCounter(.fail, nil)
  }

  mutating func add(symbol id: Int32, to ids: inout [Int32]) {
    ids.append(id)
    trace.add(symbolOf: lengths[id] ?? 0)
    trace.beginSegment()
    position += 1
  }

  mutating func finishCounting() throws -> [UnknownSymbol] { try unknown.finish() }

  mutating func add(_ text: ArraySlice<UInt8>, to ids: inout [Int32]) throws {
    try trace.append(text)
    encode(&ids)
  }

  mutating func endSegment(_ ids: inout [Int32]) throws {
    try trace.endSegment()
    encode(&ids)
  }

  private mutating func encode(_ ids: inout [Int32]) {
    let bytes = trace.normalized.utf8
    for (index, place) in trace.normalized.starts.enumerated() {
      let (scalar, width) = WordScanner.scalar(bytes, place)
      if let tokenizer {
        let id = tokenizer.id(of: scalar)
        if id < 0 { unknown.add(scalar, at: position) }
        if let id = id >= 0 ? id : unknown.replacement {
          ids.append(id)
          trace.add(trace.source(ofScalar: index))
        }
      } else if width == 1 {
        ids.append(Int32(bytes[place]))
        trace.add(trace.source(ofScalar: index))
      } else {
        for part in place..<place + width {
          ids.append(Int32(bytes[part]))
          trace.add(trace.source(of: part..<part + 1))
        }
      }
      position += 1
    }
    trace.removeFirst(bytes.count)
  }
}

/// Encodes a stream as subwords, with the places that they came from.
struct TracingSubwordEncoder: SymbolSeparatingEncoder {
  private let tokenizer: SubwordTokenizer
  private let lengths: [Int32: Int]
  var finder: SpecialSymbolFinder
  var trace: TextTrace
  private(set) var unknown: UnknownCounter
  private let hasMarks: Bool
  private var marker: SpaceMarker
  private var hasSegment = false
  private var isAtStart = true
  /// The trace's normalized text with marks; with these, the place in that text that every byte stands for.
  private var waiting: WaitingWords
  private var places: [Int] = []
  /// Scalars of the marked text before `waiting`.
  private var position = 0

  init(_ tokenizer: SubwordTokenizer, _ policy: UnknownPolicy, _ normalizer: Normalizer, batch: Int) {
    self.tokenizer = tokenizer
    waiting = WaitingWords(batch: batch)
    lengths = tokenizer.specialSymbols.lengths
    finder = SpecialSymbolFinder(tokenizer.specialSymbols)
    trace = TextTrace(normalizer)
    unknown = UnknownCounter(policy, tokenizer.unknownID)
    if case .metaspace = tokenizer.preTokenization { hasMarks = true } else { hasMarks = false }
    marker = SpaceMarker(tokenizer.preTokenization, isFirst: true)
  }

  var settled: Int { trace.settled }

  mutating func add(symbol id: Int32, to ids: inout [Int32]) {
    ids.append(id)
    trace.add(symbolOf: lengths[id] ?? 0)
    trace.beginSegment()
    position += 1
    isAtStart = false
  }

  mutating func finishCounting() throws -> [UnknownSymbol] { try unknown.finish() }

  mutating func add(_ text: ArraySlice<UInt8>, to ids: inout [Int32]) throws {
    guard !text.isEmpty else { return }
    if !hasSegment {
      hasSegment = true
      marker = SpaceMarker(tokenizer.preTokenization, isFirst: isAtStart)
    }
    let known = trace.normalized.utf8.count
    try trace.append(text)
    mark(from: known)
    if waiting.isEnough { try encode(&ids, ends: false) }
  }

  mutating func endSegment(_ ids: inout [Int32]) throws {
    guard hasSegment else { return }
    hasSegment = false
    isAtStart = false
    let known = trace.normalized.utf8.count
    try trace.endSegment()
    mark(from: known)
    marker.finish(&waiting.bytes)
    if hasMarks { places += repeatElement(trace.normalized.utf8.count, count: waiting.bytes.count - places.count) }
    try encode(&ids, ends: true)
  }

  /// Marks the words of normalized text that is new.
  private mutating func mark(from known: Int) {
    let text = Array(trace.normalized.utf8[known...])
    marker.append(text, to: &waiting.bytes)
    guard hasMarks else { return }
    var new: [Int] = []
    for (place, byte) in text.enumerated() {
      new += repeatElement(known + place, count: byte == UInt8(ascii: " ") ? PreTokenization.mark.count : 1)
    }
    // What there is more is a mark before the text.
    places += repeatElement(known, count: waiting.bytes.count - places.count - new.count) + new
  }

  /// Encodes the words that are known to end.
  private mutating func encode(_ ids: inout [Int32], ends: Bool) throws {
    let (tokens, end) = tokenizer.encodeWords(waiting.bytes, lookahead: ends ? 0 : WaitingWords.lookahead)
    settle(tokens, to: &ids)
    let consumed = normalizedPlace(end)
    trace.removeFirst(consumed)
    if hasMarks { places = places[end...].map { $0 - consumed } }
    try waiting.removeFirst(end)
  }

  private func normalizedPlace(_ place: Int) -> Int {
    guard hasMarks else { return place }
    return place < places.count ? places[place] : trace.normalized.utf8.count
  }

  private mutating func settle(_ tokens: SubwordTokens, to ids: inout [Int32]) {
    var (place, begin) = (0, 0)
    for (id, length) in zip(tokens.ids, tokens.lengths) {
      let end = place + Int(length)
      if id < 0 { count(place) }
      if id != SubwordTokens.moreUnknown { begin = place }
      if let known = id >= 0 ? id : unknown.replacement {
        let source = trace.source(of: normalizedPlace(begin)..<normalizedPlace(end))
        if id == SubwordTokens.moreUnknown {
          trace.replaceLast(by: source)
        } else {
          ids.append(known)
          trace.add(source)
        }
      }
      position += waiting.bytes[place..<end].scalarCount
      place = end
    }
  }

  /// Counts the unknown scalar at a byte of `waiting`, or the one that the byte belongs to.
  private mutating func count(_ place: Int) {
    let first = WordScanner.start(waiting.bytes, place)
    unknown.add(WordScanner.scalar(waiting.bytes, first).scalar, at: first == place ? position : position - 1)
  }
}

extension [SpecialSymbol] {
  /// Bytes by id.
  fileprivate var lengths: [Int32: Int] { Dictionary(map { ($0.id, $0.bytes.count) }) { first, _ in first } }
}
