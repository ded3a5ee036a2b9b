import UnicodeText

/// Turns a text that comes in pieces into token ids; the ids are those of ``Tokenizer/encode(_:unknown:)`` of the whole
/// text, wherever it is cut.
///
/// Memory does not grow with the text, but with its longest word: where a tokenizer cuts no words, up to
/// ``longestWord`` bytes.
public struct EncodingStream {
  // One of these is there; they are changed in their places, never copied.
  private var characters: SegmentEncoder?
  private var subwords: SubwordEncoder?
  private var whole: WholeTextEncoder?

  /// Bytes of the longest word that is encoded in one piece.
  public static let longestWord = 1 << 28

  /// A stream at the beginning of a text.
  public init(_ tokenizer: any Tokenizer, unknown policy: UnknownPolicy) {
    self.init(tokenizer, unknown: policy, batch: 1 << 22)
  }

  /// - Parameter batch: Bytes of text whose words are encoded at once.
  package init(_ tokenizer: any Tokenizer, unknown policy: UnknownPolicy, batch: Int) {
    switch tokenizer {
    case let tokenizer as SubwordTokenizer: subwords = SubwordEncoder(tokenizer, policy, batch: batch)
    case let tokenizer as CharacterTokenizer: characters = SegmentEncoder(tokenizer, policy)
    case let tokenizer as ByteTokenizer: characters = SegmentEncoder(tokenizer)
    default: whole = WholeTextEncoder(tokenizer, policy)
    }
  }

  /// Takes the next bytes of UTF-8, and appends the ids that are known by now.
  ///
  /// - Throws: ``InvalidUTF8``, ``VocabularyError`` for a word that is too long.
  public mutating func append(_ text: ArraySlice<UInt8>, to ids: inout [Int32]) throws {
    try characters?.append(text, to: &ids)
    try subwords?.append(text, to: &ids)
    try whole?.append(text)
  }

  /// Ends the text, and appends the ids that are left.
  ///
  /// - Returns: The symbols that the vocabulary lacks, in the order of their first places.
  /// - Throws: ``UnknownSymbolsError`` as the policy says, and as ``append(_:to:)``.
  public mutating func finish(_ ids: inout [Int32]) throws -> [UnknownSymbol] {
    try characters?.finish(&ids) ?? subwords?.finish(&ids) ?? whole?.finish(&ids) ?? []
  }
}

/// Encodes a text when it has ended, for tokenizers that look at it as a whole.
private struct WholeTextEncoder {
  private let tokenizer: any Tokenizer
  private let policy: UnknownPolicy
  private var text = WholeText()

  init(_ tokenizer: any Tokenizer, _ policy: UnknownPolicy) {
    self.tokenizer = tokenizer
    self.policy = policy
  }

  mutating func append(_ bytes: ArraySlice<UInt8>) throws {
    try text.append(bytes, orThrow: .tooLongText)
  }

  mutating func finish(_ ids: inout [Int32]) throws -> [UnknownSymbol] {
    let encoded = try tokenizer.encode(decodeUTF8(text.bytes), unknown: policy)
    ids += encoded.ids
    return encoded.unknown
  }
}

/// Encodes a stream in which special symbols are looked for: what is between two of them is a segment by itself.
protocol SymbolSeparatingEncoder {
  var finder: SpecialSymbolFinder { get set }
  /// Takes text of the segment at hand, and appends the ids that are known by now.
  mutating func add(_ text: ArraySlice<UInt8>, to ids: inout [Int32]) throws
  /// Ends the segment at hand, where there is one.
  mutating func endSegment(_ ids: inout [Int32]) throws
  /// Appends a special symbol, between two segments.
  mutating func add(symbol id: Int32, to ids: inout [Int32])
  /// The symbols that the vocabulary lacks.
  mutating func finishCounting() throws -> [UnknownSymbol]
}

extension SymbolSeparatingEncoder {
  mutating func append(_ text: ArraySlice<UInt8>, to ids: inout [Int32]) throws {
    try settle(finder.append(text), to: &ids)
  }

  mutating func finish(_ ids: inout [Int32]) throws -> [UnknownSymbol] {
    try settle(finder.finish(), to: &ids)
    try endSegment(&ids)
    return try finishCounting()
  }

  private mutating func settle(_ parts: [SpecialSymbolFinder.Part], to ids: inout [Int32]) throws {
    for part in parts {
      switch part {
      case .text(let text): try add(text, to: &ids)
      case .symbol(let symbol):
        try endSegment(&ids)
        add(symbol: symbol.id, to: &ids)
      }
    }
  }
}

/// Encodes a stream as characters or bytes: special symbols are looked for, what is between them is normalized.
struct SegmentEncoder: SymbolSeparatingEncoder {
  /// Nil for bytes.
  private let tokenizer: CharacterTokenizer?
  var finder: SpecialSymbolFinder
  private var normalizer: NormalizationStream
  private var unknown: UnknownCounter
  private var normalized: [UInt8] = []
  /// Scalars of the normalized text so far.
  private var position = 0

  init(_ tokenizer: CharacterTokenizer, _ policy: UnknownPolicy) {
    self.tokenizer = tokenizer
    finder = SpecialSymbolFinder(tokenizer.specialSymbols)
    normalizer = NormalizationStream(tokenizer.normalization)
    unknown = UnknownCounter(policy, tokenizer.unknownID)
  }

  init(_ tokenizer: ByteTokenizer) {
    self.tokenizer = nil
    finder = SpecialSymbolFinder(tokenizer.specialSymbols)
    normalizer = NormalizationStream(tokenizer.normalization)
    unknown = UnknownCounter(.fail, nil)
  }

  mutating func add(symbol id: Int32, to ids: inout [Int32]) {
    ids.append(id)
    position += 1
  }

  mutating func finishCounting() throws -> [UnknownSymbol] { try unknown.finish() }

  mutating func add(_ text: ArraySlice<UInt8>, to ids: inout [Int32]) throws {
    normalized.removeAll(keepingCapacity: true)
    try normalizer.append(text, to: &normalized)
    encode(&ids)
  }

  mutating func endSegment(_ ids: inout [Int32]) throws {
    normalized.removeAll(keepingCapacity: true)
    try normalizer.finish(&normalized)
    encode(&ids)
  }

  private mutating func encode(_ ids: inout [Int32]) {
    guard let tokenizer else {
      ids += normalized.lazy.map { Int32($0) }
      return
    }
    tokenizer.append(normalized, &position, &unknown, to: &ids)
  }
}

/// Encodes a stream as subwords: special symbols are looked for, what is between them is normalized and cut into words.
struct SubwordEncoder: SymbolSeparatingEncoder {
  private let tokenizer: SubwordTokenizer
  private var unknown: UnknownCounter
  var finder: SpecialSymbolFinder
  /// Of the segment at hand.
  private var normalizer: NormalizationStream
  private var marker: SpaceMarker
  private var hasSegment = false
  private var isAtStart = true
  /// Text that is not encoded yet.
  private var waiting: WaitingWords
  /// Scalars of the marked text before `waiting`.
  private var position = 0

  init(_ tokenizer: SubwordTokenizer, _ policy: UnknownPolicy, batch: Int) {
    waiting = WaitingWords(batch: batch)
    self.tokenizer = tokenizer
    unknown = UnknownCounter(policy, tokenizer.unknownID)
    finder = SpecialSymbolFinder(tokenizer.specialSymbols)
    normalizer = NormalizationStream(tokenizer.normalization)
    marker = SpaceMarker(tokenizer.preTokenization, isFirst: true)
  }

  mutating func add(symbol id: Int32, to ids: inout [Int32]) {
    ids.append(id)
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
    var normalized: [UInt8] = []
    try normalizer.append(text, to: &normalized)
    marker.append(normalized, to: &waiting.bytes)
    if waiting.isEnough { try encode(&ids, ends: false) }
  }

  mutating func endSegment(_ ids: inout [Int32]) throws {
    guard hasSegment else { return }
    hasSegment = false
    isAtStart = false
    var normalized: [UInt8] = []
    try normalizer.finish(&normalized)
    marker.append(normalized, to: &waiting.bytes)
    marker.finish(&waiting.bytes)
    try encode(&ids, ends: true)
  }

  /// Encodes the words that are known to end.
  private mutating func encode(_ ids: inout [Int32], ends: Bool) throws {
    let (tokens, end) = tokenizer.encodeWords(waiting.bytes, lookahead: ends ? 0 : WaitingWords.lookahead)
    settle(tokens, to: &ids)
    try waiting.removeFirst(end)
  }

  private mutating func settle(_ tokens: SubwordTokens, to ids: inout [Int32]) {
    var place = 0
    for (id, length) in zip(tokens.ids, tokens.lengths) {
      if id >= 0 {
        ids.append(id)
      } else {
        count(place)
        if id != SubwordTokens.moreUnknown, let replacement = unknown.replacement { ids.append(replacement) }
      }
      place += Int(length)
    }
    position += waiting.bytes[..<place].scalarCount
  }

  /// Counts the unknown scalar at a byte of `waiting`, or the one that the byte belongs to.
  private mutating func count(_ place: Int) {
    let first = WordScanner.start(waiting.bytes, place)
    unknown.add(WordScanner.scalar(waiting.bytes, first).scalar, at: position + waiting.bytes[..<first].scalarCount)
  }
}

extension VocabularyError {
  static let tooLongText = VocabularyError(
    description:
      "the text has more than \(EncodingStream.longestWord) bytes, and clusters are looked for in the whole: "
      + "cut it into files, or use another vocabulary")
  static let tooLongWord = VocabularyError(
    description: "a word has more than \(EncodingStream.longestWord) bytes, which are not read as one: a tokenizer "
      + "without pre-tokenization takes the whole text for a word; use --pre-tokenization whitespace or gpt2")
}
