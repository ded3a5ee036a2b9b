import LanguageModeling
import Tokenization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The surprisal of every character of some texts, by one predictor.
public struct CharacterLosses: Sendable {
  /// Whose they are.
  public let name: String
  /// In nats, one for each Unicode scalar of all texts in their order; NaN where it was not scored.
  public private(set) var losses: [Double] = []
  /// In the predictor's own tokens.
  public private(set) var score = Score()

  /// Reads texts with a model.
  ///
  /// - Throws: as ``PerplexityReport/init(of:by:_:)``.
  public init(_ name: String, of texts: [String], by reading: TextReading) throws {
    self.init(name)
    let sink = LossSink()
    var collector = UnitCollector(.character, of: texts, reading.tokenizer) { sink.losses.append($0.surprisal ?? .nan) }
    score = try PerplexityReport(of: texts, by: reading) { try collector.add($0, $1) }.score
    try collector.finish()
    losses = sink.losses
  }

  /// Reads texts with n-grams, in the symbols of a model and scoring what the model scores.
  ///
  /// - Throws: as ``PerplexityReport/init(of:by:_:)``.
  public init(_ name: String, of texts: [String], by model: NGramModel, in reading: TextReading) throws {
    self.init(name)
    try read(texts, reading) { model.probability(of: $1, after: $0) }
  }

  /// What knowing the vocabulary alone would cost.
  ///
  /// - Throws: as ``PerplexityReport/init(of:by:_:)``.
  public static func uniform(of texts: [String], in reading: TextReading) throws -> CharacterLosses {
    var losses = CharacterLosses("uniform")
    try losses.read(texts, reading) { _, _ in 1 / Double(reading.tokenizer.vocabularySize) }
    return losses
  }

  private init(_ name: String) { self.name = name }

  private mutating func read(
    _ texts: [String], _ reading: TextReading, _ probability: (_ before: ArraySlice<Int32>, Int32) -> Double
  ) throws {
    let sink = LossSink()
    var collector = UnitCollector(.character, of: texts, reading.tokenizer) { sink.losses.append($0.surprisal ?? .nan) }
    var score = Score()
    try reading.read(texts, by: probability) { text, token in
      if let loss = token.surprisal { score.add(loss) }
      try collector.add(text, token)
    }
    self.score = score
    try collector.finish()
    losses = sink.losses
  }
}

/// What a closure adds to.
private final class LossSink {
  var losses: [Double] = []
}
