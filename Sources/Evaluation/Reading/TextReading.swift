import LanguageModeling
import Tokenization

/// One token of a text and what the model thought of it.
public struct ScoredToken: Sendable {
  /// The symbol.
  public let id: Int32
  /// The bytes of the text that it came from; none at a document's end.
  public let bytes: Range<Int>
  /// Its place in its text or document, from 1; what begins one has place 0.
  public let position: Int
  /// Whether it is the end of a document.
  public let isDocumentEnd: Bool
  /// −ln p in nats; nil where it only starts a text.
  public let surprisal: Double?
  /// What else was asked for.
  public let details: Details?

  /// The prediction of one token.
  public struct Details: Sendable {
    /// Place among all symbols by probability, from 1.
    public let rank: Int
    /// Of the prediction, in nats.
    public let entropy: Double
    /// The likeliest symbols, the likeliest first, with −ln p in nats.
    public let alternatives: [(id: Int32, surprisal: Double)]
    /// The sum of all probabilities, where it was asked for.
    public let total: Double?

    package init(rank: Int, entropy: Double, alternatives: [(id: Int32, surprisal: Double)] = [], total: Double? = nil)
    {
      (self.rank, self.entropy, self.alternatives, self.total) = (rank, entropy, alternatives, total)
    }
  }

  package init(
    id: Int32, bytes: Range<Int>, position: Int, isDocumentEnd: Bool, surprisal: Double?, details: Details?
  ) {
    (self.id, self.bytes, self.position, self.isDocumentEnd) = (id, bytes, position, isDocumentEnd)
    (self.surprisal, self.details) = (surprisal, details)
  }
}

/// How texts are read: by which model, cut into what, and how closely.
public struct TextReading: Sendable {
  public let model: any LanguageModel
  public let tokenizer: any Tokenizer
  /// What becomes of symbols that the vocabulary lacks.
  public var unknownPolicy = UnknownPolicy.skip
  /// How texts are cut; nil as the model's training text was.
  public var documents: DocumentCut?
  /// What is wanted of each prediction; nil for surprisals alone, which are read faster where there are documents.
  public var detail: PredictionDetail?
  /// Threads that may share the work; the result is the same to the bit for any number.
  public var threads = 1
  /// Told how many bytes of text and how many tokens are read so far, every few windows.
  public var progress: (@Sendable (_ bytes: Int, _ tokens: Int) -> Void)?
  /// Tokens read at once; and what is kept of documents, to be read side by side.
  package var sizes = Sizes()

  /// How much is read at once. None of it grows with the text.
  package struct Sizes: Sendable {
    /// Tokens that the model reads at once.
    package var window = 512
    /// Bytes of text that are encoded at once.
    package var batch = 1 << 18
    /// Tokens of documents that are kept until they are read side by side.
    package var documentTokens = 1 << 17
  }

  /// Texts read by a model in its own vocabulary.
  public init(_ model: any LanguageModel, _ tokenizer: any Tokenizer) {
    self.model = model
    self.tokenizer = tokenizer
  }

  var scorer: Scorer { Scorer(model, threads: threads) }

  /// Texts as a model would read them, each or each document a list of tokens; `</s>` ends documents.
  ///
  /// - Throws: ``UnknownSymbolsError``, ``ConfigurationError``.
  public func tokens(of texts: [String]) throws -> [[Int32]] {
    guard let (symbols, cut) = try model.configuration.documents(cut: documents) else {
      return try texts.map { try tokenizer.encode($0, unknown: unknownPolicy).ids }
    }
    return try texts.flatMap { cut.documents(of: $0).documents }.map {
      try tokenizer.encode($0, unknown: unknownPolicy).ids + [symbols.end]
    }
  }
}
