import Corpora
import ModelFiles
import Tokenization

/// A corpus or a source's text made ready: the vocabulary of the training part, and both parts as token ids.
public struct TrainingData: Sendable {
  public let tokenizer: any Tokenizer
  public let training: LaneReader
  /// Tokens to validate on; none where validation was turned off.
  public let validation: TokenStream
  /// Tokens to validate on for each character that they stand for; 1 in a vocabulary of characters.
  public let validationTokensPerCharacter: Double
  /// Symbols of the validation part that the vocabulary lacks; left out, or read as `<unk>` where there is one.
  public let unknownInValidation: [UnknownSymbol]
  public let corpusBytes: Int
  /// SHA-256 of the corpus files, or of the source's text; of gzip files that of their content.
  public let corpusHash: String
  /// How many files the corpus is; 0 of a source.
  public let corpusFiles: Int
  /// What a person should know of the corpus: folders, what is left out, what is read twice.
  public let notes: [String]
  /// What starts a text without a prompt: a line feed, or the training part's most frequent symbol.
  public let startToken: Int32
  /// What is known of the source, where there is one.
  public let source: SourceFigures?

  /// Reads, splits, learns the vocabulary from the training part alone, and encodes.
  ///
  /// - Throws: ``FileError`` for files, ``CorpusTooShort``, ``TrainingError``.
  public init(_ configuration: TrainingConfiguration) throws {
    let corpus = try Self.encoded(configuration)
    tokenizer = corpus.tokenizer
    guard tokenizer.vocabularySize > 1 else {
      throw TrainingError(
        "the training part has \(tokenizer.vocabularySize == 0 ? "no symbol" : "one symbol only"); there is nothing to learn"
      )
    }
    let ids = corpus.training.tokens
    training = try LaneReader(
      ids, lanes: configuration.lanes, steps: configuration.k1 ?? max(1, (ids.count - 1) / configuration.lanes))
    validation = corpus.validation.tokens
    guard corpus.validation.isEmpty || validation.count > 1 else {
      throw TrainingError(
        "the validation part has \(validation.count) symbols that the training part knows; it wants at least two: "
          + "use more text, a larger --validation-fraction, or 0 for none")
    }
    unknownInValidation = corpus.validation.unknown
    validationTokensPerCharacter = tokenizer is CharacterTokenizer ? 1 : corpus.validation.tokensPerCharacter
    (corpusBytes, corpusHash, corpusFiles) = (corpus.bytes, corpus.hash, corpus.files)
    notes = corpus.notes
    source = corpus.source
    startToken = tokenizer.id(of: "\n") ?? Self.mostFrequent(ids, vocabularySize: tokenizer.vocabularySize)
  }

  private static func encoded(_ configuration: TrainingConfiguration) throws -> EncodedCorpus {
    if let source = configuration.source { return try EncodedCorpus(source, configuration) }
    if let path = configuration.corpus.first, configuration.corpus.count == 1, TokenFile.isMeant(by: path) {
      return try EncodedCorpus(tokenFile: path, configuration)
    }
    return try EncodedCorpus(configuration)
  }

  private static func mostFrequent(_ ids: TokenStream, vocabularySize: Int) -> Int32 {
    let counts = ids.counts(vocabularySize: vocabularySize)
    return Int32(counts.indices.reduce(0) { counts[$1] > counts[$0] ? $1 : $0 })
  }
}
