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
  /// Told how many tokens of all known so far are read, window by window.
  public var progress: (@Sendable (_ done: Int, _ all: Int) -> Void)?

  /// Texts read by a model in its own vocabulary.
  public init(_ model: any LanguageModel, _ tokenizer: any Tokenizer) {
    self.model = model
    self.tokenizer = tokenizer
  }

  var scorer: Scorer { Scorer(model, threads: threads) }
}

/// Texts as the tokens that a model reads in one go.
struct TextStream {
  /// With `<s>` and `</s>` around documents.
  var ids: [Int32] = []
  /// The bytes of its text that each token came from.
  var bytes: [Range<Int>] = []
  /// The tokens of each text.
  var texts: [Range<Int>] = []
  /// Around documents; nil where the text is one stream.
  var symbols: DocumentSymbols?

  mutating func add(_ id: Int32, _ place: Int) {
    ids.append(id)
    bytes.append(place..<place)
  }

  mutating func add(_ encoded: EncodedText, from start: Int) {
    ids += encoded.ids
    bytes += (encoded.offsets ?? []).map { $0.lowerBound + start..<$0.upperBound + start }
  }
}

extension TextReading {
  /// Reads a stream and hands over its tokens in order, with the text that each is of.
  func read(_ stream: TextStream, _ use: (_ text: Int, ScoredToken) throws -> Void) throws {
    guard !stream.ids.isEmpty else { return }
    var walk = TokenWalk(stream, unpredicted: scorer.unpredicted)
    if let detail {
      try walk.next(0, nil, nil, use)
      try scorer.forEachPrediction(TokenStream(stream.ids), detail, progress) { try walk.next($0, $1, $2, use) }
    } else if let symbols = stream.symbols {
      let surprisals = scorer.surprisals(stream.ids, symbols, progress)
      for place in stream.ids.indices { try walk.next(place, surprisals[place], nil, use) }
    } else {
      try walk.next(0, nil, nil, use)
      try scorer.forEachSurprisal(TokenStream(stream.ids), progress) { try walk.next($0, $1, nil, use) }
    }
  }
}

/// Goes through a stream token by token and knows where in its texts it is.
private struct TokenWalk {
  private let stream: TextStream
  private let unpredicted: Int32?
  private var text = 0
  private var position = -1

  init(_ stream: TextStream, unpredicted: Int32?) {
    self.stream = stream
    self.unpredicted = unpredicted
  }

  mutating func next(
    _ place: Int, _ surprisal: Double?, _ details: ScoredToken.Details?, _ use: (Int, ScoredToken) throws -> Void
  ) throws {
    while place >= stream.texts[text].upperBound { text += 1 }
    let id = stream.ids[place]
    let isPredicted = place > 0 && id != unpredicted
    position = stream.symbols?.start == id ? 0 : position + 1
    try use(
      text,
      ScoredToken(
        id: id, bytes: stream.bytes[place], position: position, isDocumentEnd: stream.symbols?.end == id,
        surprisal: isPredicted ? surprisal : nil, details: isPredicted ? details : nil))
  }
}
