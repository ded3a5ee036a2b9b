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
  public let validation: [Int32]
  /// Tokens to validate on for each character that they stand for; 1 in a vocabulary of characters.
  public let validationTokensPerCharacter: Double
  /// Symbols of the validation part that the vocabulary lacks; left out, or read as `<unk>` where there is one.
  public let unknownInValidation: [UnknownSymbol]
  public let corpusBytes: Int
  /// SHA-256 of the corpus files, or of the source's text.
  public let corpusHash: String
  /// What starts a text without a prompt: a line feed, or the training part's most frequent symbol.
  public let startToken: Int32
  /// What is known of the source, where there is one.
  public let source: SourceFigures?

  /// Reads, splits, learns the vocabulary from the training part alone, and encodes.
  ///
  /// - Throws: ``FileError`` for files, ``CorpusTooShort``, ``TrainingError``.
  public init(_ configuration: TrainingConfiguration) throws {
    let (corpus, trainingText, validationText) = try Self.texts(configuration)
    let tokenizer = try Self.tokenizer(configuration, trainingText)
    guard tokenizer.vocabularySize > 1 else {
      throw TrainingError(
        "the training part has \(tokenizer.vocabularySize == 0 ? "no symbol" : "one symbol only"); there is nothing to learn"
      )
    }
    let policy: UnknownPolicy = tokenizer.unknownID == nil ? .skip : .replace
    let ids = try tokenizer.encode(trainingText, unknown: policy).ids
    training = try LaneReader(
      ids, lanes: configuration.lanes, steps: configuration.k1 ?? max(1, (ids.count - 1) / configuration.lanes))
    windows = WindowSchedule(
      training, variesLengths: configuration.variesK1, hasRandomOffset: configuration.hasRandomOffset,
      seed: configuration.seed)
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
    source = configuration.source.map { SourceFigures($0.source, validationText: validationText) }
    startToken = tokenizer.id(of: "\n") ?? Self.mostFrequent(ids, vocabularySize: tokenizer.vocabularySize)
  }

  private static func texts(
    _ configuration: TrainingConfiguration
  ) throws -> (corpus: CorpusText, training: String, validation: String) {
    if let source = configuration.source { return try texts(source, configuration) }
    let corpus = try CorpusText(reading: configuration.corpus)
    switch configuration.validation {
    case .fraction(let fraction):
      let parts = CorpusText.split(corpus.text, lastFraction: fraction)
      return (corpus, parts.first, parts.last)
    case .file(let path): return (corpus, corpus.text, try CorpusText(reading: [path]).text)
    }
  }

  private static func tokensPerCharacter(
    _ encoded: EncodedText, _ text: String, _ tokenizer: any Tokenizer
  ) -> Double {
    let characters = text.unicodeScalars.count - encoded.unknownCount
    return tokenizer is CharacterTokenizer || characters <= 0 ? 1 : Double(encoded.ids.count) / Double(characters)
  }

  /// Two draws. The seed's complement is never the seed itself: they have nothing in common but their source.
  private static func texts(
    _ source: TrainingConfiguration.Source, _ configuration: TrainingConfiguration
  ) throws -> (corpus: CorpusText, training: String, validation: String) {
    let corpus = CorpusText(source.source.text(length: source.length, seed: configuration.seed))
    switch configuration.validation {
    case .fraction(let fraction):
      let length = Int((Double(source.length) * fraction).rounded(.up))
      return (corpus, corpus.text, source.source.text(length: length, seed: ~configuration.seed))
    case .file(let path): return (corpus, corpus.text, try CorpusText(reading: [path]).text)
    }
  }

  private static func tokenizer(
    _ configuration: TrainingConfiguration, _ trainingText: String
  ) throws -> any Tokenizer {
    if let source = configuration.source {
      return CharacterTokenizer(
        scalars: source.source.vocabulary, hasUnknown: false, normalization: configuration.vocabulary.normalization)
    }
    return try configuration.tokenizer.tokenizer(for: trainingText, configuration.vocabulary)
  }

  private static func mostFrequent(_ ids: [Int32], vocabularySize: Int) -> Int32 {
    var counts = [Int](repeating: 0, count: vocabularySize)
    for id in ids { counts[Int(id)] += 1 }
    return Int32(counts.indices.reduce(0) { counts[$1] > counts[$0] ? $1 : $0 })
  }
}
