import Compute

/// What is asked of predictions besides the surprisal, rank and entropy.
public struct PredictionDetail: Sendable, Equatable {
  /// How many of the likeliest symbols are named; at most the vocabulary's size are.
  public var alternatives: Int
  /// Whether the probabilities are added up.
  public var isVerifying: Bool

  public init(alternatives: Int = 0, isVerifying: Bool = false) {
    precondition(alternatives >= 0, "\(alternatives) alternatives")
    self.alternatives = alternatives
    self.isVerifying = isVerifying
  }
}

/// What a model predicted at each place of a window, `[T·B]`.
public struct Predictions: Sendable {
  /// −ln p of what came, in nats.
  public let surprisals: [Double]
  /// Entropies of the predictions, in nats.
  public let entropies: [Double]
  /// The place of what came among all symbols by probability, from 1.
  public let ranks: [Int32]
  /// The K likeliest symbols of each place, `[T·B, K]`, the likeliest first.
  public let alternatives: [Int32]
  /// −ln p of each of them, in nats.
  public let alternativeSurprisals: [Double]
  /// The sums of all probabilities, added up in Double; empty where nobody asked.
  public let totals: [Double]
}

extension Predictions {
  init(_ rows: PredictionRows) {
    self.init(
      surprisals: rows.losses.elements, entropies: rows.entropies.elements, ranks: rows.ranks.elements,
      alternatives: rows.best.elements, alternativeSurprisals: rows.bestLosses.elements,
      totals: rows.totals?.elements ?? [])
  }
}
