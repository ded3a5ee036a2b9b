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
  /// Sequences of bytes that were not UTF-8 and became U+FFFD.
  public let replacements: Int
  public let corpusBytes: Int
  /// SHA-256 of the corpus files, or of the source's text.
  public let corpusHash: String
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
    training.targetsPerEpoch - starts(in: training.tokens[1...training.targetsPerEpoch])
  }
  public var validationTokens: Int { validation.count - starts(in: validation[...]) }

  /// Reads, splits, learns the vocabulary from the training part alone, and encodes.
  ///
  /// - Throws: ``FileError`` for files, ``CorpusTooShort``, ``TrainingError``.
  public init(_ configuration: TrainingConfiguration) throws {
    let texts = try Self.texts(configuration)
    let (corpus, trainingText, validationText, parts) = (
      texts.corpus, texts.training, texts.validation, texts.documents
    )
    replacements = texts.replacements
    let tokenizer = try Self.tokenizer(configuration, trainingText)
    guard tokenizer.vocabularySize > (parts == nil ? 1 : 2) else {
      throw TrainingError(
        "the training part has \(tokenizer.vocabularySize == 0 ? "no symbol" : "one symbol only"); there is nothing to learn"
      )
    }
    documents = try parts.map { _ in try Self.symbols(tokenizer, configuration.documents) }
    let policy: UnknownPolicy = tokenizer.unknownID == nil ? .skip : .replace
    let ids = try Self.encode(trainingText, parts?.training, tokenizer, documents, policy).ids
    training = try LaneReader(
      ids, lanes: configuration.lanes, steps: configuration.k1 ?? max(1, (ids.count - 1) / configuration.lanes))
    windows = WindowSchedule(
      training, variesLengths: configuration.variesK1, hasRandomOffset: configuration.hasRandomOffset,
      seed: configuration.seed)
    let encoded = try Self.encode(validationText, parts?.validation, tokenizer, documents, policy)
    guard validationText.isEmpty || encoded.ids.count > 1 else {
      throw TrainingError(
        "the validation part has \(encoded.ids.count) symbols that the training part knows; it wants at least two: "
          + "use more text, a larger --validation-fraction, or 0 for none")
    }
    validation = encoded.ids
    unknownInValidation = encoded.unknown
    test = try configuration.test.map { try CorpusText(reading: [$0]).text }
    self.tokenizer = tokenizer
    corpusBytes = corpus.bytes
    corpusHash = corpus.hash
    source = configuration.source.map { SourceFigures($0.source, validationText: validationText) }
    startToken =
      documents?.start ?? tokenizer.id(of: "\n")
      ?? Self.mostFrequent(ids, vocabularySize: tokenizer.vocabularySize)
    if let parts, let documents {
      documentCounts = DocumentCounts(parts, documents, training: ids, validation: encoded.ids)
      let starts = encoded.ids.count { $0 == documents.start }
      let characters = parts.validation.reduce(0) { $0 + $1.unicodeScalars.count } - encoded.unknownCount
      validationTokensPerCharacter = characters > 0 ? Double(encoded.ids.count - starts) / Double(characters) : 1
    } else {
      documentCounts = nil
      validationTokensPerCharacter = Self.tokensPerCharacter(encoded, validationText, tokenizer)
    }
  }

  private func starts(in tokens: ArraySlice<Int32>) -> Int {
    documents.map { symbols in tokens.count { $0 == symbols.start } } ?? 0
  }

  /// - Throws: ``TrainingError`` where a tokenizer that was read has no such symbols.
  private static func symbols(_ tokenizer: any Tokenizer, _ cut: DocumentCut) throws -> DocumentSymbols {
    guard let symbols = DocumentSymbols(of: tokenizer, cut: cut) else {
      throw TrainingError(
        "the tokenizer has no special symbols <s> and </s>, which --documents wants: make it with "
          + "--special-symbol '<s>' --special-symbol '</s>', or let train make one")
    }
    return symbols
  }

  /// The tokens of one stream, or of documents.
  private static func encode(
    _ text: String, _ parts: [String]?, _ tokenizer: any Tokenizer, _ documents: DocumentSymbols?,
    _ policy: UnknownPolicy
  ) throws -> EncodedText {
    guard let parts, let documents else { return try tokenizer.encode(text, unknown: policy) }
    return try documents.encode(parts, by: tokenizer, unknown: policy)
  }

  /// A corpus and its parts.
  private struct Texts {
    let corpus: CorpusText
    let training, validation: String
    /// The parts in documents where the corpus is cut into such; the texts then have the symbols in them.
    var documents: DocumentParts?
    /// Sequences of bytes that became U+FFFD.
    var replacements = 0
  }

  private static func texts(_ configuration: TrainingConfiguration) throws -> Texts {
    if let source = configuration.source { return try texts(source, configuration) }
    let policy = configuration.invalidUTF8
    let corpus = try CorpusText(reading: configuration.corpus, invalid: policy)
    if configuration.documents != .stream {
      let parts = try DocumentParts(corpus, configuration.documents, configuration.validation, policy)
      return Texts(
        corpus: corpus, training: DocumentParts.marked(parts.training),
        validation: DocumentParts.marked(parts.validation), documents: parts,
        replacements: corpus.replacements + parts.replacements)
    }
    switch configuration.validation {
    case .fraction(let fraction):
      let parts = CorpusText.split(corpus.text, lastFraction: fraction)
      return Texts(corpus: corpus, training: parts.first, validation: parts.last, replacements: corpus.replacements)
    case .file(let path):
      let file = try CorpusText(reading: [path], invalid: policy)
      return Texts(
        corpus: corpus, training: corpus.text, validation: file.text,
        replacements: corpus.replacements + file.replacements)
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
  ) throws -> Texts {
    let corpus = CorpusText(source.source.text(length: source.length, seed: configuration.seed))
    switch configuration.validation {
    case .fraction(let fraction):
      let length = Int((Double(source.length) * fraction).rounded(.up))
      let validation = source.source.text(length: length, seed: ~configuration.seed)
      return Texts(corpus: corpus, training: corpus.text, validation: validation)
    case .file(let path):
      let file = try CorpusText(reading: [path], invalid: configuration.invalidUTF8)
      return Texts(
        corpus: corpus, training: corpus.text, validation: file.text, replacements: file.replacements)
    }
  }

  private static func tokenizer(
    _ configuration: TrainingConfiguration, _ trainingText: String
  ) throws -> any Tokenizer {
    if let source = configuration.source {
      return CharacterTokenizer(
        scalars: source.source.vocabulary, hasUnknown: false, normalization: configuration.vocabulary.normalization)
    }
    var vocabulary = configuration.vocabulary
    if configuration.documents != .stream {
      let symbols = [DocumentSymbols.startText, DocumentSymbols.endText]
      vocabulary.specialSymbols = symbols + vocabulary.specialSymbols.filter { !symbols.contains($0) }
    }
    return try configuration.tokenizer.tokenizer(for: trainingText, vocabulary)
  }

  private static func mostFrequent(_ ids: [Int32], vocabularySize: Int) -> Int32 {
    var counts = [Int](repeating: 0, count: vocabularySize)
    for id in ids { counts[Int(id)] += 1 }
    return Int32(counts.indices.reduce(0) { counts[$1] > counts[$0] ? $1 : $0 })
  }
}
