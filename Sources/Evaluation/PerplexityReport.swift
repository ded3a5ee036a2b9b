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
  /// The standard error of the nats per token, tokens taken as independent.
  public var standardError: Double {
    let n = Double(score.tokens)
    guard n > 1 else { return .nan }
    return (max(0, score.squaredNats / n - score.mean * score.mean) / (n - 1)).squareRoot()
  }
  /// Occurrences of symbols that the vocabulary lacks.
  public var unknownTokens: Int { unknown.reduce(0) { $0 + $1.count } }

  private var bits: Double { score.nats / log(2) }

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
    var tally = ScoreTally(Scorer(model, threads: threads), tokenizer, unknownPolicy)
    if let (symbols, cut) = try model.configuration.documents(cut: documents) {
      try tally.add(texts, symbols, cut)
    } else {
      for text in texts { try tally.add(text) }
    }
    guard tally.score.tokens > 0 else {
      throw TooLittleText(tokens: tally.tokens, hasNoDocuments: tally.documents != nil)
    }
    guard tally.score.nats.isFinite else { throw PredictionsNotFinite() }
    (tokens, score, unknown) = (tally.tokens, tally.score, tally.unknown)
    (characters, bytes, words) = (tally.extent.characters, tally.extent.bytes, tally.extent.words)
    self.documents = tally.documents
  }

  // MARK: Forms

  /// One object; the keys are those that other programs rely on.
  public var json: JSON {
    let json: JSON = [
      "tokens": .integer(tokens), "scored_tokens": .integer(score.tokens), "characters": .integer(characters),
      "bytes": .integer(bytes), "words": .integer(words), "unknown_tokens": .integer(unknownTokens),
      "nats_per_token": JSON(natsPerToken), "perplexity": JSON(perplexity),
      "bits_per_character": JSON(bitsPerCharacter), "bits_per_byte": JSON(bitsPerByte),
      "word_perplexity": JSON(wordPerplexity), "standard_error": JSON(standardError),
    ]
    let documented = json.adding(documents?.members ?? []).adding(adaptive?.members(characters: characters) ?? [])
    guard let cost = precisionCost else { return documented }
    return documented.adding(
      .init("precision", .string(cost.precision.rawValue)),
      .init("nats_per_token_above_float32", JSON(cost.natsPerToken)),
      .init("precision_compared_tokens", .integer(cost.tokens)))
  }

  /// A few lines for a person.
  public var text: String {
    var table = TextTable()
    table.add("perplexity per token", decimal(perplexity, places: 3), "of \(grouped(score.tokens)) tokens scored")
    let error = standardError.isFinite ? "± \(decimal(standardError, places: 4)) (standard error)" : ""
    table.add("nats per token", decimal(natsPerToken, places: 4), error)
    table.add("bits per character", decimal(bitsPerCharacter, places: 4), "\(grouped(characters)) characters")
    table.add("bits per byte", decimal(bitsPerByte, places: 4), "\(grouped(bytes)) bytes; comparable across tokenizers")
    table.add("perplexity per word", words > 0 ? decimal(wordPerplexity, places: 1) : "–", "\(grouped(words)) words")
    adaptive?.add(to: &table, characters: characters)
    if let documents {
      let empty = documents.empty > 0 ? "; \(grouped(documents.empty)) empty left out" : ""
      table.add(
        "documents", grouped(documents.count),
        "their ends are scored too: \(decimal(documents.ends.mean, places: 4)) nats each, "
          + "\(decimal(100 * documents.ends.nats / score.nats, places: 1)) % of all\(empty)")
    }
    if let cost = precisionCost {
      let sign = cost.natsPerToken < 0 ? "−" : "+"
      table.add(
        "\(cost.precision.rawValue) against float32", sign + decimal(abs(cost.natsPerToken), places: 5),
        "nats per token, on the first \(grouped(cost.tokens)) tokens")
    }
    if unknownTokens > 0 {
      let named = unknown.prefix(5).map { "\($0.name) ×\($0.count)" }.joined(separator: ", ")
      table.add("unknown symbols", grouped(unknownTokens), named + (unknown.count > 5 ? ", …" : ""))
    }
    return table.text
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
