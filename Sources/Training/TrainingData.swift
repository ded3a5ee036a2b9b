import Corpora
import ModelFiles
import Tokenization

/// A corpus or a source's text made ready: the vocabulary of the training part, and both parts as token ids.
public struct TrainingData: Sendable {
  public let tokenizer: any Tokenizer
  public let training: LaneReader
  /// The training part's windows, epoch after epoch.
  public let windows: WindowSchedule
  /// Tokens to validate on; none where validation was turned off.
  public let validation: TokenStream
  /// Tokens to validate on for each character that they stand for; 1 in a vocabulary of characters.
  public let validationTokensPerCharacter: Double
  /// Symbols of the validation part that the vocabulary lacks; left out, or read as `<unk>` where there is one.
  public let unknownInValidation: [UnknownSymbol]
  /// Sequences of bytes that were not UTF-8 and became U+FFFD.
  public let replacements: Int
  public let corpusBytes: Int
  /// SHA-256 of the corpus files, or of the source's text; of gzip files that of their content, of replaced bytes U+FFFD.
  public let corpusHash: String
  /// How many files the corpus is; 0 of a source.
  public let corpusFiles: Int
  /// What a person should know of the corpus: folders, what is left out, what is read twice.
  public let notes: [String]
  /// What starts a text without a prompt: a line feed, or the training part's most frequent symbol.
  public let startToken: Int32
  /// The text to test on at the end, where there is one.
  public let test: String?
  /// What is known of the source, where there is one.
  public let source: SourceFigures?
  /// The symbols around documents and how many there are, where the corpus is cut into such.
  public let documents: DocumentSymbols?
  public let documentCounts: DocumentCounts?

  /// Targets in an epoch, and tokens to validate on, without those that begin documents: nobody predicts them.
  public var predictedTargets: Int {
    training.targetsPerEpoch - starts(in: training.tokens.part(1..<training.targetsPerEpoch + 1))
  }
  public var validationTokens: Int { validation.count - starts(in: validation) }

  /// Reads, splits, learns the vocabulary from the training part alone, and encodes.
  ///
  /// - Throws: ``FileError`` for files, ``CorpusTooShort``, ``TrainingError``.
  public init(_ configuration: TrainingConfiguration) throws {
    try self.init(configuration, EncodedCorpus.reading(configuration))
  }

  /// Makes the lanes and windows of a corpus.
  init(_ configuration: TrainingConfiguration, _ corpus: EncodedCorpus) throws {
    tokenizer = corpus.tokenizer
    documents = corpus.documents
    guard tokenizer.vocabularySize > (documents == nil ? 1 : 2) else {
      throw TrainingError(
        "the training part has \(tokenizer.vocabularySize == 0 ? "no symbol" : "one symbol only"); there is nothing to learn"
      )
    }
    let ids = corpus.training.tokens
    training = try LaneReader(
      ids, lanes: configuration.lanes, steps: configuration.k1 ?? max(1, (ids.count - 1) / configuration.lanes))
    windows = WindowSchedule(
      training, variesLengths: configuration.variesK1, hasRandomOffset: configuration.hasRandomOffset,
      seed: configuration.seed)
    validation = corpus.validation.tokens
    guard corpus.validation.isEmpty || validation.count > 1 else {
      throw TrainingError(
        "the validation part has \(validation.count) symbols that the training part knows; it wants at least two: "
          + "use more text, a larger --validation-fraction, or 0 for none")
    }
    unknownInValidation = corpus.validation.unknown
    let isOnePerCharacter = tokenizer is CharacterTokenizer && documents == nil
    validationTokensPerCharacter = isOnePerCharacter ? 1 : corpus.validation.tokensPerCharacter
    (corpusBytes, corpusHash, corpusFiles) = (corpus.bytes, corpus.hash, corpus.files)
    (notes, replacements, source) = (corpus.notes, corpus.replacements, corpus.source)
    documentCounts = corpus.documentCounts
    test = try configuration.test.map { try CorpusText(reading: [$0], invalid: configuration.invalidUTF8).text }
    startToken =
      documents?.start ?? tokenizer.id(of: "\n")
      ?? Self.mostFrequent(ids, vocabularySize: tokenizer.vocabularySize)
  }

  private func starts(in tokens: TokenStream) -> Int {
    documents.map { symbols in tokens.count { $0 == symbols.start } } ?? 0
  }

  private static func mostFrequent(_ ids: TokenStream, vocabularySize: Int) -> Int32 {
    let counts = ids.counts(vocabularySize: vocabularySize)
    return Int32(counts.indices.reduce(0) { counts[$1] > counts[$0] ? $1 : $0 })
  }
}
