/// Decides before each update whether it may be made, from the step's loss and gradient norm alone.
///
/// A step is bad when its loss or its gradient norm is not finite, when the loss is above ``ceiling`` times ln V, the
/// loss of a uniform guess, or when one of the two lies wildly above the recent steps: its logarithm by more than
/// ``threshold`` robust standard deviations (``RecentLogarithms``), of which the least that is believed is 0.25 (so by
/// a factor of 12 at least), and beyond twice the largest of them. The update of a bad step is left out, and the step
/// does not enter the recent ones.
///
/// Two things are never called outlying, however quiet it was before: a loss below ``chance`` times ln V, and a
/// gradient of a norm below ``leastNorm``. Text that becomes harder and the rare step that teaches most are no
/// accidents. Nor is bad luck in a step of few tokens: a model that knows its own doubts has a summed surprisal of N
/// tokens above N·ln V + s with probability e⁻ˢ at most, so ``luck`` / N is added to both bounds of the loss.
///
/// After ``patience`` bad steps in a row the weights themselves are under suspicion: the run is to go back to weights
/// that were good (as Chowdhery et al. 2022, §5.1, did by hand), once; when it happens again, to give up. If all of
/// them were bad only for a long gradient, their losses being ordinary, that is taken for a new level instead: the recent
/// steps are forgotten, and the run goes on.
public struct StabilityGuard: Sendable {
  /// What is to be done with a step.
  public enum Verdict: Sendable, Equatable {
    case update
    /// Leave the update out.
    case skip(Reason)
    /// The same, and go back to the last good weights.
    case rollBack(Reason)
    /// The same, and end the run.
    case giveUp(Reason)
  }

  /// What is wrong with a step.
  public enum Reason: String, Sendable, CaseIterable {
    case lossNotFinite = "the loss is not finite"
    case gradientNotFinite = "the gradient is not finite"
    case lossOutlying = "the loss is far above the usual"
    case gradientOutlying = "the gradient is far above the usual"

    /// Whether the weights made predictions that are no good, and with them perhaps a state.
    public var isOfLoss: Bool { self == .lossNotFinite || self == .lossOutlying }
  }

  /// Robust standard deviations above the median of the recent logarithms.
  public static let threshold = 10.0
  /// Times ln V: a loss above is bad in any step, the first ones included.
  public static let ceiling = 5.0
  /// Times ln V: a loss below is never outlying.
  public static let chance = 2.0
  /// s above, in nats: e⁻²⁵ is 1e-11.
  public static let luck = 25.0
  /// A gradient norm below is never outlying. (At the logits, a mean loss has a gradient of at most √2.)
  public static let leastNorm = 10.0
  /// Bad steps in a row before the weights are given up.
  public static let patience = 10
  /// Good steps in a row after which bad ones are a new burst.
  public static let quiet = 10

  /// What is remembered of the steps so far; with the vocabulary's size it is all that a verdict depends on.
  public struct Memory: Sendable, Equatable {
    public var losses = RecentLogarithms()
    public var norms = RecentLogarithms()
    /// Mean loss of the last good step; nil before the first.
    public var lastLoss: Double?
    public var burstLength = 0
    public var isInTrouble = false
    public var badInARow = 0
    public var goodInARow = 0
    public var onlyLongGradients = true
    public var hasRolledBack = false

    public init() {}
  }

  public var memory = Memory()

  /// Bad steps of the burst at hand; 1 is the first.
  public var burstLength: Int { memory.burstLength }
  /// Whether the last step was bad.
  public var isInTrouble: Bool { memory.isInTrouble }
  /// Whether the last step was so ordinary that the weights that made it are worth going back to: a loss below
  /// ``chance`` times ln V, and less than three deviations above the median where there is one.
  public var isCalm: Bool {
    guard !isInTrouble, let loss = memory.lastLoss else { return false }
    return loss < Self.chance * uniformLoss && memory.losses.score(loss) ?? 0 < 3
  }

  private let uniformLoss: Double

  /// - Parameter vocabularySize: V, at least 2: a uniform guess has a loss of ln V nats per token.
  public init(vocabularySize: Int) {
    precondition(vocabularySize >= 2, "nothing is guessed of a vocabulary of \(vocabularySize)")
    uniformLoss = RecentLogarithms.logarithm(Double(vocabularySize))
  }

  /// Takes the next step.
  ///
  /// - Parameters:
  ///   - loss: Its mean loss in nats per token.
  ///   - tokens: N, the tokens that this is the mean of.
  ///   - norm: The norm of its gradient before clipping.
  public mutating func judge(loss: Double, tokens: Int, norm: Double) -> Verdict {
    guard let reason = fault(loss: loss, tokens: tokens, norm: norm) else {
      memory.lastLoss = loss
      memory.losses.add(loss)
      memory.norms.add(norm)
      (memory.isInTrouble, memory.badInARow, memory.onlyLongGradients) = (false, 0, true)
      memory.goodInARow += 1
      if memory.goodInARow >= Self.quiet { memory.burstLength = 0 }
      return .update
    }
    (memory.isInTrouble, memory.goodInARow) = (true, 0)
    memory.burstLength += 1
    memory.badInARow += 1
    memory.onlyLongGradients = memory.onlyLongGradients && reason == .gradientOutlying
    guard memory.badInARow >= Self.patience else { return .skip(reason) }
    return exhausted(reason)
  }

  private func fault(loss: Double, tokens: Int, norm: Double) -> Reason? {
    guard loss.isFinite else { return .lossNotFinite }
    let guesses = (loss - Self.luck / Double(tokens)) / uniformLoss
    if guesses > Self.ceiling { return .lossOutlying }
    if guesses > Self.chance, memory.losses.areFarBelow(loss, deviations: Self.threshold) { return .lossOutlying }
    guard norm.isFinite else { return .gradientNotFinite }
    if norm > Self.leastNorm, memory.norms.areFarBelow(norm, deviations: Self.threshold) { return .gradientOutlying }
    return nil
  }

  /// Patience is at its end.
  private mutating func exhausted(_ reason: Reason) -> Verdict {
    let isNewLevel = memory.onlyLongGradients
    (memory.losses, memory.norms) = (RecentLogarithms(), RecentLogarithms())
    (memory.badInARow, memory.onlyLongGradients) = (0, true)
    if isNewLevel { return .skip(reason) }
    guard !memory.hasRolledBack else { return .giveUp(reason) }
    (memory.hasRolledBack, memory.burstLength) = (true, 0)
    return .rollBack(reason)
  }
}

extension StabilityGuard.Verdict {
  /// What is wrong, where something is.
  public var reason: StabilityGuard.Reason? {
    switch self {
    case .update: nil
    case .skip(let reason), .rollBack(let reason), .giveUp(let reason): reason
    }
  }
}
