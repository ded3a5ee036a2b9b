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

/// Keeps the beginning of the first text of which something is scored, for a ``PrecisionCost``.
public final class TextBeginning: ReadingFollower {
  /// ``PrecisionCost/compared`` tokens to be scored at most, and the one before them.
  public private(set) var tokens: [Int32] = []
  private var hasScores = false
  /// Whether what comes is of a later text.
  private var isFull = false

  public init() {}

  public func begin(_ index: Int) { if !hasScores { tokens = [] } }

  public func add(_ token: ScoredToken, in text: PassingText) {
    guard !isFull, tokens.count <= PrecisionCost.compared else { return }
    tokens.append(token.id)
    if token.surprisal != nil { hasScores = true }
  }

  public func advance(to place: Int, in text: PassingText) -> Int { place }

  public func end(_ text: PassingText) { isFull = hasScores }
}
