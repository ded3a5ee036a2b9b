/// What predictions say, a row each: made by ``ReadingKernels/describe(_:targets:into:)``.
public struct PredictionRows: Sendable {
  /// −ln p of the target and the entropy of the prediction, both in nats, `[N, 1]`.
  public let losses, entropies: Rows<Double>
  /// The target's rank from 1, `[N, 1]`; of symbols with the same logit the smaller comes first.
  public let ranks: Rows<Int32>
  /// The likeliest symbols `[N, K]`, the likeliest first, and −ln p of each.
  public let best: Rows<Int32>
  public let bestLosses: Rows<Double>
  /// The sums of all probabilities, added up in Double, `[N, 1]`; nil where nobody asks.
  public let totals: Rows<Double>?

  /// Memory for `rows` predictions.
  ///
  /// - Parameter alternatives: K, at most the vocabulary's size.
  public init(_ rows: Int, alternatives: Int, verifying: Bool) {
    losses = Rows(rows, 1)
    entropies = Rows(rows, 1)
    ranks = Rows(rows, 1)
    best = Rows(rows, alternatives)
    bestLosses = Rows(rows, alternatives)
    totals = verifying ? Rows(rows, 1) : nil
  }

  private init(_ other: PredictionRows, _ range: Range<Int>) {
    losses = other.losses[range]
    entropies = other.entropies[range]
    ranks = other.ranks[range]
    best = other.best[range]
    bestLosses = other.bestLosses[range]
    totals = other.totals?[range]
  }

  /// Some of the rows, as a view.
  public subscript(range: Range<Int>) -> PredictionRows { PredictionRows(self, range) }
}
