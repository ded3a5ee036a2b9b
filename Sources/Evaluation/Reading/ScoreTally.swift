import LanguageModeling
import ModelFiles
import Tokenization

/// Adds up what a report says of several texts.
final class ScoreTally: ReadingFollower {
  private let unknownID: Int32?

  private(set) var score = Score()
  /// The ends of documents alone.
  private(set) var ends = Score()
  private(set) var extent = ScoredExtent()
  private(set) var texts: [PerplexityReport.TextScore] = []
  private(set) var breakdown = LossBreakdown()
  /// The extent of the texts before the one at hand.
  private var before = ScoredExtent()

  init(_ reading: TextReading) { unknownID = reading.tokenizer.unknownID }

  func begin(_ index: Int) {
    texts.append(.init())
    before = extent
    extent.begin()
  }

  func add(_ token: ScoredToken, in text: PassingText) {
    if token.position == 0 && token.bytes.isEmpty { extent.beginDocument(at: token.bytes.lowerBound, in: text) }
    guard let loss = token.surprisal else { return }
    score.add(loss)
    texts[texts.count - 1].score.add(loss)
    extent.add(token.bytes, in: text)
    if token.isDocumentEnd { ends.add(loss) }
    let kind = token.isDocumentEnd ? .documentEnd : SymbolKind(of: token.bytes, in: text)
    breakdown.add(loss, at: token.position, kind, isUnknown: token.id == unknownID)
    if let total = token.details?.total { breakdown.verify(total) }
  }

  func advance(to place: Int, in text: PassingText) -> Int {
    extent.advance(to: place, in: text)
    return place
  }

  func end(_ text: PassingText) {
    let index = texts.count - 1
    texts[index].characters = extent.characters - before.characters
    texts[index].bytes = extent.bytes - before.bytes
    texts[index].words = extent.words - before.words
  }
}

extension PerplexityReport {
  /// What a model makes of one of several texts.
  public struct TextScore: Sendable, Equatable {
    /// The sum of surprisals.
    public internal(set) var score = Score()
    /// Of the original text, scored part only.
    public internal(set) var characters = 0, bytes = 0, words = 0
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
