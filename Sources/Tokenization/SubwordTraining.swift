/// What the trainers of subword vocabularies are told.
public struct SubwordTrainingOptions: Sendable {
  /// Tokens to make in all; fewer where the text has no more.
  public var vocabularySize: Int
  public var normalization: TextNormalization = .nfc
  public var preTokenization: PreTokenization = .gpt2
  /// A pair (or a substring) that occurs less often becomes no token.
  public var minimumFrequency = 1
  /// How much of the text the characters of the vocabulary must make up, 0 … 1; the rarest of the others are left out.
  public var characterCoverage = 0.9995
  /// Whether characters without a token become their bytes; otherwise they become `<unk>`.
  public var byteFallback = true
  /// Symbols that are found in a text as they are, which get the first ids.
  public var specialSymbols: [String] = []

  /// The defaults for a size.
  public init(vocabularySize: Int) { self.vocabularySize = vocabularySize }
}

/// A vocabulary that cannot be trained.
public struct VocabularyError: Error, CustomStringConvertible {
  public let description: String
}

/// The words of a training text, each once, with how often it occurs. The text may come in pieces: memory grows with its
/// distinct words only.
struct CountedWords {
  /// The distinct words one after another, in the order of their first places.
  private(set) var bytes: [UInt8] = []
  private(set) var counts: [Int] = []
  private var table = WordTable()
  private let scanner: WordScanner
  private let options: SubwordTrainingOptions
  private var finder: SpecialSymbolFinder
  private var normalizer: NormalizationStream
  private var marker: SpaceMarker
  /// Text that is not counted yet.
  private var waiting: WaitingWords

  init(_ options: SubwordTrainingOptions, batch: Int = 1 << 20) {
    waiting = WaitingWords(batch: batch)
    scanner = WordScanner(options.preTokenization)
    self.options = options
    finder = SpecialSymbolFinder(.init(options.specialSymbols, from: 0))
    normalizer = NormalizationStream(options.normalization)
    marker = SpaceMarker(options.preTokenization, isFirst: true)
  }

  /// Special symbols of the text are no words, and no word reaches across one.
  ///
  /// - Throws: ``VocabularyError`` for a text without words.
  init(_ text: String, _ options: SubwordTrainingOptions) throws {
    self.init(options)
    try append(Array(text.utf8)[...])
    try finish()
  }

  var words: [Range<Int>] { table.words }

  /// Takes the next bytes of UTF-8.
  ///
  /// - Throws: ``InvalidUTF8``, ``VocabularyError`` for a word that is too long.
  mutating func append(_ text: ArraySlice<UInt8>) throws {
    try add(finder.append(text))
  }

  /// Ends the text.
  ///
  /// - Throws: ``VocabularyError`` for a text without words.
  mutating func finish() throws {
    try add(finder.finish())
    try endSegment()
    guard !bytes.isEmpty else {
      throw VocabularyError(description: "the training text is empty; there is nothing to learn")
    }
  }

  private mutating func add(_ parts: [SpecialSymbolFinder.Part]) throws {
    for part in parts {
      if case .text(let text) = part { try add(text) } else { try endSegment() }
    }
  }

  private mutating func add(_ text: ArraySlice<UInt8>) throws {
    var normalized: [UInt8] = []
    try normalizer.append(text, to: &normalized)
    marker.append(normalized, to: &waiting.bytes)
    if waiting.isEnough { try count(lookahead: WaitingWords.lookahead) }
  }

  private mutating func endSegment() throws {
    var normalized: [UInt8] = []
    try normalizer.finish(&normalized)
    marker.append(normalized, to: &waiting.bytes)
    marker = SpaceMarker(options.preTokenization, isFirst: true)
    try count(lookahead: 0)
  }

  private mutating func count(lookahead: Int) throws {
    var start = 0
    while start < waiting.bytes.count {
      let end = scanner.end(waiting.bytes, from: start)
      guard end + lookahead <= waiting.bytes.count else { break }
      // A word is put behind those that are there, to be compared with them, and stays if it is new.
      let place = bytes.count
      bytes += waiting.bytes[start..<end]
      let number = table.number(of: place..<bytes.count, bytes)
      if number < counts.count { bytes.removeLast(end - start) } else { counts.append(0) }
      counts[number] += 1
      start = end
    }
    try waiting.removeFirst(start)
  }

  /// The scalars that make up `coverage` of the text, the frequent first kept, in the order of scalars; and always those
  /// of `required`.
  func alphabet(coverage: Double, required: String = "") -> [Unicode.Scalar] {
    var frequencies: [Unicode.Scalar: Int] = [:]
    for (word, count) in zip(words, counts) {
      forEachScalar(word) { scalar, _ in frequencies[scalar, default: 0] += count }
    }
    let total = frequencies.values.reduce(0, +)
    let sorted = frequencies.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    var kept = Set(required.unicodeScalars)
    var covered = 0
    for (scalar, count) in sorted {
      guard Double(covered) < Double(total) * coverage else { break }
      covered += count
      kept.insert(scalar)
    }
    return kept.sorted()
  }

  func forEachScalar(_ word: Range<Int>, _ body: (Unicode.Scalar, _ width: Int) -> Void) {
    var place = word.lowerBound
    while place < word.upperBound {
      let (scalar, width) = WordScanner.scalar(bytes, place)
      body(scalar, width)
      place += width
    }
  }
}

/// The first ids of a fresh vocabulary: special symbols, `<unk>`, bytes.
struct VocabularyHead {
  private(set) var pieces: [SubwordVocabulary.Piece] = []
  private(set) var specialSymbols: [SpecialSymbol] = []
  private(set) var unknownID: Int32?

  /// - Throws: ``VocabularyError`` for special symbols that are empty or not distinct.
  init(special: [String], hasUnknown: Bool, hasBytes: Bool) throws {
    for symbol in special {
      let bytes = Array(symbol.utf8)
      guard !bytes.isEmpty, !pieces.contains(.special(bytes)), symbol != Self.unknown else {
        throw VocabularyError(description: "the special symbol \"\(symbol)\" is empty, <unk> or given twice")
      }
      specialSymbols.append(SpecialSymbol(bytes: bytes, id: Int32(pieces.count)))
      pieces.append(.special(bytes))
    }
    if hasUnknown {
      unknownID = Int32(pieces.count)
      pieces.append(.special(Array(Self.unknown.utf8)))
    }
    if hasBytes { pieces += (0...255).map { .byte($0) } }
  }

  static let unknown = "<unk>"

  /// - Throws: ``VocabularyError`` where a vocabulary is asked for that is smaller than its alphabet.
  static func require(_ size: Int, holds alphabet: Int) throws {
    guard size >= alphabet else {
      throw VocabularyError(
        description: "a vocabulary of \(size) cannot hold its alphabet of \(alphabet) symbols: "
          + "use a larger --vocabulary-size, or a smaller --character-coverage")
    }
    guard size <= 1 << 24 else {
      throw VocabularyError(description: "a vocabulary of \(size) is more than the \(1 << 24) that are allowed")
    }
  }
}
