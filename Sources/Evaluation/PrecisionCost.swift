import LanguageModeling

/// What reading in a lower precision changes, measured on the beginning of a text.
public struct PrecisionCost: Sendable, Equatable {
  /// The lower precision.
  public let precision: Precision
  /// The mean surprisal in it minus that in float32, in nats per token.
  public let natsPerToken: Double
  /// Tokens that both scored.
  public let tokens: Int

  /// As much of a text as is read twice.
  public static let compared = 20_000

  /// Scores the first ``compared`` tokens with both models; nil where there is nothing to score.
  public init?(
    of precision: Precision, model: any LanguageModel, against float32: any LanguageModel, on tokens: [Int32],
    threads: Int
  ) {
    let beginning = Array(tokens.prefix(Self.compared + 1))
    let score = Scorer(model, threads: threads).score(beginning)
    guard score.tokens > 0 else { return nil }
    self.precision = precision
    natsPerToken = score.mean - Scorer(float32, threads: threads).score(beginning).mean
    self.tokens = score.tokens
  }
}
