/// A unigram tokenizer that draws its encodings: subword regularization (Kudo 2018, §3.2). Whoever trains on several of a
/// text's encodings learns not to lean on one way to cut words. Everything but encoding is the tokenizer's own.
public struct SampledTokenizer<Random: RandomNumberGenerator & Sendable>: Tokenizer {
  private let tokenizer: SubwordTokenizer
  private let exponent: Double
  private let random: Random

  /// - Parameters:
  ///   - exponent: α ≥ 0: a word's cut is drawn with a probability proportional to p(cut)^α.
  ///   - random: Where every encoding's draws begin: an encoding is a function of the text and of this.
  /// - Throws: ``VocabularyError`` for a vocabulary of another kind, which has one encoding only.
  public init(_ tokenizer: any Tokenizer, exponent: Double, random: Random) throws {
    precondition(exponent >= 0 && exponent.isFinite, "the exponent of a sampled encoding must be 0 or more")
    guard let subwords = tokenizer as? SubwordTokenizer, subwords.isUnigram else {
      throw VocabularyError(description: "only a unigram vocabulary has several encodings of a text to draw from")
    }
    self.tokenizer = subwords
    self.exponent = exponent
    self.random = random
  }

  public func encode(_ text: String, unknown: UnknownPolicy, keepsOffsets: Bool) throws -> EncodedText {
    precondition(!keepsOffsets, "a drawn encoding keeps no offsets")
    var random = random
    return try tokenizer.sample(text, unknown: unknown, exponent: exponent, using: &random)
  }

  public var vocabularySize: Int { tokenizer.vocabularySize }
  public var normalization: TextNormalization { tokenizer.normalization }
  public var unknownID: Int32? { tokenizer.unknownID }
  public var dropsLeadingSpace: Bool { tokenizer.dropsLeadingSpace }
  public var exportObstacle: String? { tokenizer.exportObstacle }
  public func bytes(of id: Int32) -> [UInt8] { tokenizer.bytes(of: id) }
  public func id(of text: String) -> Int32? { tokenizer.id(of: text) }
  public func specialID(of text: String) -> Int32? { tokenizer.specialID(of: text) }
  public func tokenizerJSON() -> String { tokenizer.tokenizerJSON() }
}
