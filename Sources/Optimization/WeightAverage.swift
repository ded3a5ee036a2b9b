import Compute

/// How weights are averaged.
public enum Averaging: Sendable, Equatable {
  /// Exponential moving average: each update keeps `decay` of it.
  case exponential(decay: Double)
  /// The mean of all weights since validations ceased to improve for `interval` of them (NT-ASGD).
  case triggered(interval: Int)
}

/// Follows the weights of a run and averages them.
///
/// An exponential moving average is corrected for its beginning as Adam's moments are: after n updates it is
/// Σ dⁿ⁻ⁱ·wᵢ / Σ dⁿ⁻ⁱ, so that the fresh weights have no part in it. The triggered mean is that of Merity, Keskar & Socher
/// 2018 (algorithm 1): it begins when a validation loss is above the least of those more than `interval` validations ago,
/// counted as the authors' own program counts them.
///
/// What it remembers is ``state`` and ``counters``, and nothing else.
public struct WeightAverage<Real: KernelReal>: Sendable {
  public let averaging: Averaging
  public private(set) var counters = Counters()
  private var average: ParameterSet<Real>

  /// What is remembered beside the average itself.
  public struct Counters: Sendable, Equatable {
    /// Weights that are in the average.
    public var updates = 0
    /// Validation losses of the plain weights, where a trigger waits for them.
    public var losses: [Double] = []
    /// Whether the trigger has come; always of an exponential average.
    public var isTriggered = false

    public init() {}
  }

  public init(_ averaging: Averaging, layout: ParameterLayout) {
    self.averaging = averaging
    average = ParameterSet(layout)
    if case .exponential(let decay) = averaging {
      precondition((0..<1).contains(decay), "an average keeps at least 0 and less than 1 of itself, not \(decay)")
      counters.isTriggered = true
    }
  }

  /// The averaged weights; nil as long as there are none.
  public var weights: ParameterSet<Real>? { counters.updates > 0 ? average : nil }

  /// The average by its name in a checkpoint. With ``counters`` it is all that is remembered.
  public var state: [NamedParameters<Real>] { [.init("average", average)] }

  /// Goes on from what was remembered.
  public mutating func restore(_ state: [NamedParameters<Real>], _ counters: Counters) {
    average = state.values(named: "average", layout: average.layout)[0]
    self.counters = counters
  }

  /// Takes the weights after an update.
  public mutating func follow(_ parameters: ParameterSet<Real>, on workers: Workers = Workers(threads: 1)) {
    guard counters.isTriggered else { return }
    counters.updates += 1
    let share =
      switch averaging {
      case .exponential(let decay): (1 - decay) / (1 - power(decay, counters.updates))
      case .triggered: 1 / Double(counters.updates)
      }
    let (average, weights) = (average.writableFlat(), parameters.flat)
    workers.forEachPiece(of: 0..<weights.count) {
      Real.move(average.piece($0), toward: weights.piece($0), share: share)
    }
  }

  /// Takes a validation loss of the plain weights.
  ///
  /// - Returns: Whether averaging begins with the next update.
  @discardableResult
  public mutating func note(validationLoss loss: Double) -> Bool {
    guard case .triggered(let interval) = averaging, !counters.isTriggered else { return false }
    if let least = counters.losses.dropLast(interval).min(), loss > least {
      counters.isTriggered = true
      counters.losses = []
      return true
    }
    counters.losses.append(loss)
    return false
  }
}
