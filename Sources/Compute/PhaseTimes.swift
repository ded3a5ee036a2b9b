/// What kernels spend their time on.
public enum Phase: Int, Sendable, CaseIterable {
  case products, weightGradients, steps, softmax, symbols, packing, copies, meetings

  /// In words, as a report names it.
  public var name: String {
    switch self {
    case .products: "products with weights"
    case .weightGradients: "gradients of weights"
    case .steps: "cell steps"
    case .softmax: "softmax and cross-entropy"
    case .symbols: "symbols in and out of tables"
    case .packing: "packing of weights"
    case .copies: "copies"
    case .meetings: "waiting for other threads"
    }
  }
}

/// Seconds by phase.
public struct PhaseTimes: Sendable {
  private var seconds = [Double](repeating: 0, count: Phase.allCases.count)

  /// Nothing spent yet.
  public init() {}

  /// Seconds of a phase.
  public subscript(phase: Phase) -> Double { seconds[phase.rawValue] }

  /// Seconds of all phases.
  public var total: Double { seconds.reduce(0, +) }

  mutating func measure<Result>(_ phase: Phase, _ work: () -> Result) -> Result {
    let start = ContinuousClock.now
    defer { seconds[phase.rawValue] += (ContinuousClock.now - start) / .seconds(1) }
    return work()
  }

  /// Adds what other threads spent.
  public static func += (times: inout PhaseTimes, other: PhaseTimes) {
    for place in times.seconds.indices { times.seconds[place] += other.seconds[place] }
  }

  /// What was spent since `earlier`.
  public static func - (times: PhaseTimes, earlier: PhaseTimes) -> PhaseTimes {
    var difference = times
    for place in times.seconds.indices { difference.seconds[place] -= earlier.seconds[place] }
    return difference
  }
}
