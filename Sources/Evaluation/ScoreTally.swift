import LanguageModeling
import ModelFiles
import Tokenization

/// Adds up what a report says of several texts.
struct ScoreTally {
  private let reading: TextReading

  private(set) var tokens = 0
  private(set) var score = Score()
  private(set) var extent = ScoredExtent()
  private(set) var unknown: [UnknownSymbol] = []
  private(set) var documents: PerplexityReport.Documents?
  private(set) var texts: [PerplexityReport.TextScore]
  private(set) var breakdown = LossBreakdown()

  init(_ reading: TextReading, texts: Int) {
    self.reading = reading
    self.texts = .init(repeating: .init(), count: texts)
  }

  /// Adds a text as one stream, whose first token is not scored.
  mutating func add(_ text: String, at index: Int, _ use: (Int, ScoredToken) throws -> Void) throws {
    let encoded = try encode(text)
    tokens += encoded.ids.count
    var stream = TextStream()
    stream.add(encoded, from: 0)
    stream.texts = [0..<encoded.ids.count]
    if encoded.ids.count > 1 { count(text, encoded, from: 1, textIndex: index) }
    let bytes = TextBytes(text)
    try reading.read(stream) { _, token in
      add(token, index, bytes)
      try use(index, token)
    }
  }

  /// Adds the documents of texts: every symbol is scored, and every end.
  mutating func add(
    _ texts: [String], _ symbols: DocumentSymbols, _ cut: DocumentCut, _ use: (Int, ScoredToken) throws -> Void
  ) throws {
    var stream = TextStream()
    stream.symbols = symbols
    var (count, empty, ends) = (0, 0, Score())
    for (index, text) in texts.enumerated() {
      let parts = cut.documents(of: text)
      (count, empty) = (count + parts.documents.count, empty + parts.empty)
      let first = stream.ids.count
      for (document, start) in zip(parts.documents, parts.starts) {
        let encoded = try encode(document)
        self.count(document, encoded, from: 0, textIndex: index)
        stream.add(symbols.start, start)
        stream.add(encoded, from: start)
        stream.add(symbols.end, start + document.utf8.count)
      }
      stream.texts.append(first..<stream.ids.count)
    }
    tokens += stream.ids.count
    var (current, bytes) = (-1, TextBytes(""))
    try reading.read(stream) { index, token in
      if index != current { (current, bytes) = (index, TextBytes(texts[index])) }
      add(token, index, bytes)
      if token.isDocumentEnd, let loss = token.surprisal { ends.add(loss) }
      try use(index, token)
    }
    documents = .init(count: count, empty: empty, ends: ends)
  }

  private mutating func add(_ token: ScoredToken, _ index: Int, _ text: TextBytes) {
    guard let loss = token.surprisal else { return }
    score.add(loss)
    texts[index].score.add(loss)
    let kind = token.isDocumentEnd ? .documentEnd : SymbolKind(of: token.bytes, in: text)
    breakdown.add(loss, at: token.position, kind, isUnknown: token.id == reading.tokenizer.unknownID)
    if let total = token.details?.total { breakdown.verify(total) }
  }

  private mutating func encode(_ text: String) throws -> EncodedText {
    let encoded = try reading.tokenizer.encode(text, unknown: reading.unknownPolicy, keepsOffsets: true)
    unknown.add(encoded.unknown)
    return encoded
  }

  /// Counts what tokens came from; a symbol that nobody predicts is not scored.
  private mutating func count(_ text: String, _ encoded: EncodedText, from first: Int, textIndex: Int) {
    let unpredicted = reading.scorer.unpredicted
    let offsets = zip(encoded.ids, encoded.offsets ?? []).dropFirst(first).filter { $0.0 != unpredicted }
    let part = ScoredExtent(of: text, scored: offsets.map(\.1))
    extent.characters += part.characters
    extent.bytes += part.bytes
    extent.words += part.words
    texts[textIndex].characters += part.characters
    texts[textIndex].bytes += part.bytes
    texts[textIndex].words += part.words
  }
}

extension PerplexityReport {
  /// What a model makes of one of several texts.
  public struct TextScore: Sendable, Equatable {
    /// The sum of surprisals.
    public fileprivate(set) var score = Score()
    /// Of the original text, scored part only.
    public fileprivate(set) var characters = 0, bytes = 0, words = 0
  }

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
