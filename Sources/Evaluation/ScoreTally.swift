import LanguageModeling
import ModelFiles
import Tokenization

/// Adds up what a report says of several texts.
struct ScoreTally {
  private let scorer: Scorer
  private let tokenizer: any Tokenizer
  private let policy: UnknownPolicy

  private(set) var tokens = 0
  private(set) var score = Score()
  private(set) var extent = ScoredExtent()
  private(set) var unknown: [UnknownSymbol] = []
  private(set) var documents: PerplexityReport.Documents?

  init(_ scorer: Scorer, _ tokenizer: any Tokenizer, _ policy: UnknownPolicy) {
    self.scorer = scorer
    self.tokenizer = tokenizer
    self.policy = policy
  }

  /// Adds a text as one stream, whose first token is not scored.
  mutating func add(_ text: String) throws {
    let encoded = try encode(text)
    tokens += encoded.ids.count
    let textScore = scorer.score(encoded.ids)
    score = score + textScore
    if textScore.tokens > 0 { count(text, encoded, from: 1) }
  }

  /// Adds the documents of texts: every symbol is scored, and every end.
  mutating func add(_ texts: [String], _ symbols: DocumentSymbols, _ cut: DocumentCut) throws {
    var all = CutText()
    for text in texts { all.append(cut.documents(of: text)) }
    var stream: [Int32] = []
    for document in all.documents {
      let encoded = try encode(document)
      count(document, encoded, from: 0)
      stream.append(symbols.start)
      stream += encoded.ids
      stream.append(symbols.end)
    }
    let scored = scorer.score(documents: stream, symbols)
    tokens += stream.count
    score = score + scored.all
    documents = .init(count: all.documents.count, empty: all.empty, ends: scored.ends)
  }

  private mutating func encode(_ text: String) throws -> EncodedText {
    let encoded = try tokenizer.encode(text, unknown: policy, keepsOffsets: true)
    unknown.add(encoded.unknown)
    return encoded
  }

  /// Counts what tokens came from; a symbol that nobody predicts is not scored.
  private mutating func count(_ text: String, _ encoded: EncodedText, from first: Int) {
    let offsets = zip(encoded.ids, encoded.offsets ?? []).dropFirst(first).filter { $0.0 != scorer.unpredicted }
    let part = ScoredExtent(of: text, scored: offsets.map(\.1))
    extent.characters += part.characters
    extent.bytes += part.bytes
    extent.words += part.words
  }
}

extension PerplexityReport {
  /// The documents of scored texts.
  public struct Documents: Sendable, Equatable {
    /// Documents, and how many were left out since they hold nothing but line ends.
    public let count, empty: Int
    /// What the ends alone cost; part of the report's score.
    public let ends: Score

    var members: [JSON.Member] {
      [
        .init("documents", .integer(count)), .init("empty_documents", .integer(empty)),
        .init("nats_per_document_end", JSON(ends.mean)),
      ]
    }
  }
}

extension ModelConfiguration {
  /// How texts are cut, and the symbols for it; nil where they are one stream.
  ///
  /// - Parameter cut: What was asked for; nil as the model's training text was.
  /// - Throws: ``ConfigurationError`` for documents where the model knows none.
  public func documents(cut: DocumentCut?) throws -> (symbols: DocumentSymbols, cut: DocumentCut)? {
    guard let cut = cut ?? documents?.cut, cut != .stream else { return nil }
    guard let documents else {
      throw ConfigurationError(
        "the model was trained on one stream and has no <s>, which begins a document; leave --documents out, or train "
          + "with it")
    }
    return (documents, cut)
  }
}
