import LanguageModeling
import ModelFiles
import Reports
import Tokenization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a model makes of a text.
public struct PerplexityReport: Sendable {
  /// Tokens of the text that the vocabulary has.
  public let tokens: Int
  /// Symbols that the vocabulary lacks, left out of every figure below (or read as `<unk>`, with `replace`).
  public let unknown: [UnknownSymbol]
  /// Unicode scalars, bytes and words (runs between white space) of the original text, scored part only: without the
  /// first token of each text, and without what was left out. Of documents all is scored; what separates them is none.
  public let characters, bytes, words: Int
  /// The sum of surprisals behind the figures.
  public let score: Score
  /// The same for each text.
  public let texts: [TextScore]
  /// Where in the texts and on which kinds of symbols the loss lies.
  public let breakdown: LossBreakdown
  /// The documents, where the texts were cut into such.
  public let documents: Documents?
  /// What the precision changed, where that was measured.
  public var precisionCost: PrecisionCost?
  /// The figures with dynamic evaluation and a cache, where they were asked for.
  public var adaptive: AdaptiveScores?

  /// Surprisal per token.
  public var natsPerToken: Double { score.mean }
  /// e to the nats per token.
  public var perplexity: Double { exp(score.mean) }
  /// Surprisal in bits over the scored characters of the original text.
  public var bitsPerCharacter: Double { bits / Double(characters) }
  /// Surprisal in bits over the scored bytes of the original text: the figure to compare tokenizers by.
  public var bitsPerByte: Double { bits / Double(bytes) }
  /// e to the nats per word.
  public var wordPerplexity: Double { exp(score.nats / Double(words)) }
  /// How sure the nats per token are, though neighbouring tokens depend on each other; nil for a single token. Takes time.
  public var uncertainty: BlockBootstrap? {
    breakdown.series.values.count < 2 ? nil : BlockBootstrap(meanOf: breakdown.series.values)
  }
  /// The standard error of the nats per token, by ``uncertainty``.
  public var standardError: Double { uncertainty?.standardError ?? .nan }
  /// Occurrences of symbols that the vocabulary lacks.
  public var unknownTokens: Int { unknown.reduce(0) { $0 + $1.count } }

  private var bits: Double { score.bits }

  /// Scores texts one by one and adds them up: each as one stream from the zero state, or cut into documents.
  ///
  /// - Parameters:
  ///   - unknownPolicy: What becomes of symbols that the vocabulary lacks.
  ///   - documents: How texts are cut; nil as the model's training text was.
  ///   - threads: Threads that may share the work.
  ///
  /// - Throws: ``UnknownSymbolsError`` as `unknownPolicy` says; ``TooLittleText`` where nothing can be scored,
  ///   ``ConfigurationError`` for documents where the model knows none, ``PredictionsNotFinite``.
  public init(
    of texts: [String], by model: any LanguageModel, _ tokenizer: any Tokenizer, unknownPolicy: UnknownPolicy,
    documents: DocumentCut? = nil, threads: Int = 1
  ) throws {
    var reading = TextReading(model, tokenizer)
    (reading.unknownPolicy, reading.documents, reading.threads) = (unknownPolicy, documents, threads)
    try self.init(of: texts, by: reading)
  }

  /// The same, with each token handed over in the order of the texts, to be shown or written elsewhere.
  ///
  /// - Parameters:
  ///   - followers: See the texts and their tokens as they come.
  ///   - use: Takes the index of a text and one of its tokens.
  /// - Throws: As above, and what `use` and `followers` throw.
  public init(
    of texts: [String], by reading: TextReading, followers: [any ReadingFollower] = [],
    _ use: ((_ text: Int, ScoredToken) throws -> Void)? = nil
  ) throws {
    let report = try RunningReport(by: reading, followers: followers + (use.map { [TokenListener($0)] } ?? []))
    for text in texts {
      try report.begin()
      try report.append(Array(text.utf8)[...])
      try report.endText()
    }
    self = try report.finish()
  }

  fileprivate init(_ reading: RunningReading, _ tally: ScoreTally) throws {
    guard tally.score.tokens > 0 else {
      throw TooLittleText(tokens: reading.tokens, hasNoDocuments: reading.hasDocuments)
    }
    guard tally.score.nats.isFinite else { throw PredictionsNotFinite() }
    (tokens, score, unknown) = (reading.tokens, tally.score, reading.unknown)
    (characters, bytes, words) = (tally.extent.characters, tally.extent.bytes, tally.extent.words)
    (texts, breakdown) = (tally.texts, tally.breakdown)
    documents =
      reading.hasDocuments
      ? Documents(count: reading.counts.documents, empty: reading.counts.empty, ends: tally.ends) : nil
  }
}

/// A report of texts that come in pieces; memory does not grow with them.
public final class RunningReport {
  private let tally: ScoreTally
  private let reading: RunningReading

  /// - Parameter followers: See the texts and their tokens as they come.
  /// - Throws: ``ConfigurationError`` for documents where the model knows none.
  public init(by reading: TextReading, followers: [any ReadingFollower] = []) throws {
    tally = ScoreTally(reading)
    self.reading = try RunningReading(reading, followers: [tally] + followers)
  }

  /// The most that was kept at a time: bytes of texts, and tokens.
  package var most: (bytes: Int, tokens: Int) { reading.most }

  /// The next text begins.
  public func begin() throws { try reading.begin() }

  /// Takes the next bytes of the text, whole scalars of UTF-8.
  ///
  /// - Throws: ``VocabularyError`` for a text that a tokenizer looks at as a whole and is too long, and what followers
  ///   throw.
  public func append(_ bytes: ArraySlice<UInt8>) throws { try reading.append(bytes) }

  /// Ends the text.
  ///
  /// - Throws: ``UnknownSymbolsError`` as the policy says, and as ``append(_:)``.
  public func endText() throws { try reading.endText() }

  /// The report of all texts.
  ///
  /// - Throws: ``TooLittleText`` where nothing can be scored, ``PredictionsNotFinite``.
  public func finish() throws -> PerplexityReport {
    try reading.finish()
    return try PerplexityReport(reading, tally)
  }
}

/// A text of which nothing can be scored.
public struct TooLittleText: Error, CustomStringConvertible {
  public let tokens: Int
  var hasNoDocuments = false

  public var description: String {
    guard !hasNoDocuments else { return "has no document; there is nothing to score" }
    return
      "has \(tokens) symbol\(tokens == 1 ? "" : "s") that the model knows; scoring wants at least two, since the first only starts the text"
  }
}
