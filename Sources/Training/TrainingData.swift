import Corpora
import ModelFiles
import Tokenization

/// A corpus made ready: the vocabulary of the training part, and both parts as token ids.
public struct TrainingData: Sendable {
  public let tokenizer: any Tokenizer
  public let training: LaneReader
  /// Tokens to validate on; none where validation was turned off.
  public let validation: [Int32]
  /// Tokens to validate on for each character that they stand for; 1 in a vocabulary of characters.
  public let validationTokensPerCharacter: Double
  /// Symbols of the validation part that the vocabulary lacks; left out, or read as `<unk>` where there is one.
  public let unknownInValidation: [UnknownSymbol]
  public let corpusBytes: Int
  /// SHA-256 of the corpus files.
  public let corpusHash: String
  /// What starts a text without a prompt: a line feed, or the training part's most frequent symbol.
  public let startToken: Int32

  /// Reads, splits, learns the vocabulary from the training part alone, and encodes.
  ///
  /// - Throws: ``FileError`` for files, ``CorpusTooShort``, ``TrainingError``.
  public init(_ configuration: TrainingConfiguration) throws {
    let corpus = try CorpusText(reading: configuration.corpus)
    let (trainingText, validationText) = try Self.parts(corpus, configuration.validation)
    let tokenizer = try configuration.tokenizer.tokenizer(for: trainingText, configuration.vocabulary)
    guard tokenizer.vocabularySize > 1 else {
      throw TrainingError(
        "the training part has \(tokenizer.vocabularySize == 0 ? "no symbol" : "one symbol only"); there is nothing to learn"
      )
    }
    let policy: UnknownPolicy = tokenizer.unknownID == nil ? .skip : .replace
    let ids = try tokenizer.encode(trainingText, unknown: policy).ids
    training = try LaneReader(
      ids, lanes: configuration.lanes, steps: configuration.k1 ?? max(1, (ids.count - 1) / configuration.lanes))
    let encoded = try tokenizer.encode(validationText, unknown: policy)
    guard validationText.isEmpty || encoded.ids.count > 1 else {
      throw TrainingError(
        "the validation part has \(encoded.ids.count) symbols that the training part knows; it wants at least two: "
          + "use more text, a larger --validation-fraction, or 0 for none")
    }
    validation = encoded.ids
    unknownInValidation = encoded.unknown
    validationTokensPerCharacter = Self.tokensPerCharacter(encoded, validationText, tokenizer)
    self.tokenizer = tokenizer
    corpusBytes = corpus.bytes
    corpusHash = corpus.hash
    startToken = tokenizer.id(of: "\n") ?? Self.mostFrequent(ids, vocabularySize: tokenizer.vocabularySize)
  }

  private static func parts(
    _ corpus: CorpusText, _ validation: TrainingConfiguration.Validation
  ) throws -> (String, String) {
    switch validation {
    case .fraction(let fraction): CorpusText.split(corpus.text, lastFraction: fraction)
    case .file(let path): (corpus.text, try CorpusText(reading: [path]).text)
    }
  }

  private static func tokensPerCharacter(
    _ encoded: EncodedText, _ text: String, _ tokenizer: any Tokenizer
  ) -> Double {
    let characters = text.unicodeScalars.count - encoded.unknownCount
    return tokenizer is CharacterTokenizer || characters <= 0 ? 1 : Double(encoded.ids.count) / Double(characters)
  }

  private static func mostFrequent(_ ids: [Int32], vocabularySize: Int) -> Int32 {
    var counts = [Int](repeating: 0, count: vocabularySize)
    for id in ids { counts[Int(id)] += 1 }
    return Int32(counts.indices.reduce(0) { counts[$1] > counts[$0] ? $1 : $0 })
  }
}
