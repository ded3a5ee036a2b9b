/// A vocabulary of subwords: byte-pair encoding (Sennrich et al. 2016) or a unigram model (Kudo 2018).
///
/// A text is searched for special symbols, what is between them normalized and cut into words, and each word encoded.
public struct SubwordTokenizer: Tokenizer {
  public let normalization: TextNormalization
  /// How words are cut.
  public let preTokenization: PreTokenization
  package let model: Model
  /// Symbols that are found in a text as they are, with their ids.
  let specialSymbols: [SpecialSymbol]
  /// The sentencepiece model that this was read from, which `tokenizer.json` has no exact words for.
  let sentencePiece: [UInt8]?
  /// What each token adds to a text.
  private let tokenBytes: [[UInt8]]

  package enum Model: Sendable {
    case bytePair(BytePairModel)
    case unigram(UnigramModel)

    var vocabulary: SubwordVocabulary {
      switch self {
      case .bytePair(let model): model.vocabulary
      case .unigram(let model): model.vocabulary
      }
    }
  }

  init(
    _ model: Model, normalization: TextNormalization, preTokenization: PreTokenization,
    specialSymbols: [SpecialSymbol] = [], sentencePiece: [UInt8]? = nil
  ) {
    self.sentencePiece = sentencePiece
    self.model = model
    self.normalization = normalization
    self.preTokenization = preTokenization
    self.specialSymbols = specialSymbols
    var hasMarks = normalization.marksSpaces
    if case .metaspace = preTokenization { hasMarks = true }
    tokenBytes = model.vocabulary.pieces.map { piece in
      guard hasMarks, case .text(let bytes) = piece else { return piece.bytes }
      return Array(
        bytes.split(separator: PreTokenization.mark, omittingEmptySubsequences: false).joined(separator: [0x20]))
    }
  }

  public var vocabularySize: Int { model.vocabulary.count }

  public var unknownID: Int32? { model.vocabulary.unknownID }

  public var dropsLeadingSpace: Bool {
    if normalization.prependsSpace { return true }
    guard case .metaspace(let prepend, _) = preTokenization else { return false }
    return prepend != .never
  }

  public func bytes(of id: Int32) -> [UInt8] {
    precondition(id >= 0 && id < vocabularySize, "token \(id) asked of a vocabulary of \(vocabularySize)")
    return tokenBytes[Int(id)]
  }

  public func specialID(of text: String) -> Int32? { specialSymbols.id(of: text) }

  public func id(of text: String) -> Int32? {
    if let special = specialID(of: text) { return special }
    let bytes = Array(text.utf8)
    if let id = model.vocabulary.id(of: .text(bytes)) { return id }
    guard let byte = bytes.first, bytes.count == 1 else { return nil }
    return model.vocabulary.id(of: .byte(byte))
  }

  /// Whether a text has several encodings.
  var isUnigram: Bool {
    switch model {
    case .bytePair: false
    case .unigram: true
    }
  }

  // MARK: Encoding

  public func encode(_ text: String, unknown policy: UnknownPolicy, keepsOffsets: Bool) throws -> EncodedText {
    try encode(text, unknown: policy, keepsOffsets: keepsOffsets) { encodeWords($0).tokens }
  }

  /// One of a text's many encodings, for training with subword regularization (Kudo 2018): each word's cut is drawn with
  /// a probability proportional to p(cut)^`exponent`. Byte-pair encoding has one encoding only and gives that.
  public func sample(
    _ text: String, unknown policy: UnknownPolicy, exponent: Double, using random: inout some RandomNumberGenerator
  ) throws -> EncodedText {
    precondition(exponent >= 0 && exponent.isFinite, "the exponent of a sampled encoding must be 0 or more")
    return try encode(text, unknown: policy, keepsOffsets: false) { bytes in
      guard case .unigram(let model) = model else { return encodeWords(bytes).tokens }
      var tokens = SubwordTokens()
      var scratch = UnigramModel.Scratch()
      forEachWord(bytes) { word in
        model.sample(bytes, word, exponent: exponent, using: &random, &scratch, into: &tokens)
      }
      return tokens
    }
  }

  private func encode(
    _ text: String, unknown policy: UnknownPolicy, keepsOffsets: Bool,
    _ encodeSegment: (_ bytes: [UInt8]) -> SubwordTokens
  ) throws -> EncodedText {
    var assembly = Assembly(UnknownCounter(policy, unknownID), keepsOffsets: keepsOffsets)
    for segment in SpecialSymbol.segments(of: text, specialSymbols) {
      if let symbol = segment.symbol {
        assembly.add(symbol: symbol.id, segment.range)
      } else {
        let normalized = TracedText(segment.text, normalization, keepsOffsets: keepsOffsets)
        let marked = MarkedText(normalized.text, preTokenization, isFirst: segment.range.lowerBound == 0)
        let tokens = encodeSegment(marked.bytes)
        assembly.add(tokens, marked, normalized, start: segment.range.lowerBound)
      }
    }
    return try assembly.finish()
  }

  /// Calls `body` for the words that end at least `lookahead` bytes before the end.
  ///
  /// - Returns: Where the last of them ends.
  @discardableResult
  private func forEachWord(_ bytes: [UInt8], lookahead: Int = 0, _ body: (Range<Int>) -> Void) -> Int {
    let scanner = WordScanner(preTokenization)
    var start = 0
    while start < bytes.count {
      let end = scanner.end(bytes, from: start)
      guard end + lookahead <= bytes.count else { break }
      body(start..<end)
      start = end
    }
    return start
  }

  /// Encodes the words that end at least `lookahead` bytes before the end. Every distinct word is encoded once.
  ///
  /// - Returns: The tokens, and where the last word ends.
  func encodeWords(_ bytes: [UInt8], lookahead: Int = 0) -> (tokens: SubwordTokens, end: Int) {
    var tokens = SubwordTokens()
    tokens.ids.reserveCapacity(bytes.count / 3)
    tokens.lengths.reserveCapacity(bytes.count / 3)
    var table = WordTable()
    var encodings: [Range<Int>] = []
    var pairScratch = BytePairModel.Scratch()
    var unigramScratch = UnigramModel.Scratch()
    let end = forEachWord(bytes, lookahead: lookahead) { word in
      let number = table.number(of: word, bytes)
      if number < encodings.count {
        for place in encodings[number] {
          tokens.ids.append(tokens.ids[place])
          tokens.lengths.append(tokens.lengths[place])
        }
        return
      }
      let start = tokens.ids.count
      switch model {
      case .bytePair(let model): model.encode(bytes, word, &pairScratch, into: &tokens)
      case .unigram(let model): model.encode(bytes, word, &unigramScratch, into: &tokens)
      }
      encodings.append(start..<tokens.ids.count)
    }
    return (tokens, end)
  }
}
