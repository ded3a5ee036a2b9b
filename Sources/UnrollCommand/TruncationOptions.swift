import ArgumentParser
import Training

/// `--k1` and what belongs to it.
struct TruncationOptions: ParsableArguments {
  /// A number of steps, or all of them.
  enum StepsArgument: ExpressibleByArgument {
    case steps(Int)
    case all

    init?(argument: String) {
      if argument == "all" {
        self = .all
      } else if let steps = Int(argument) {
        self = .steps(steps)
      } else {
        return nil
      }
    }

    var defaultValueDescription: String {
      switch self {
      case .steps(let steps): "\(steps)"
      case .all: "all"
      }
    }
  }

  enum State: String, ExpressibleByArgument, CaseIterable { case carried, reset }

  @Option(help: "Steps between two updates; all is a whole lane, full backpropagation through time.")
  var k1: StepsArgument = .steps(50)

  @Option(help: "Steps that a gradient flows back; the default is k1. More than k1 unrolls the steps before again.")
  var k2: Int?

  @OptionGroup var windows: WindowOptions

  @Option(help: "Keep the activations of so many steps and compute the others again on the way back, to save memory.")
  var recompute: Int?

  @Option(help: "The state at the beginning of a window: carried over from the last one, or reset.")
  var state: State = .carried

  @Option(help: "Forget a lane's carried state with this probability at each window.")
  var stateDrop: Double?

  func validate() throws {
    let most = 10_000_000
    if case .steps(let k1) = k1 {
      try require((1...most).contains(k1), "--k1 is \(k1); it must be 1 to 10,000,000, or all.")
    }
    for (name, value) in [("k2", k2), ("recompute", recompute)] {
      try require((1...most).contains(value ?? 1), "--\(name) is \(value ?? 0); it must be 1 to 10,000,000.")
    }
    try require(
      (0...1).contains(stateDrop ?? 0), "--state-drop is \(stateDrop ?? 0); it must be a probability, 0 to 1.")
    try require(stateDrop == nil || state == .carried, "--state-drop is for --state carried.")
    if case .steps(let k1) = k1, let k2, k2 > k1 {
      try require(
        k2 % k1 == 0, "--k2 is \(k2); above --k1 (\(k1)) it must be a multiple of it.")
      try require(
        state == .carried && stateDrop == nil, "--k2 above --k1 wants the state carried, without --state-drop.")
    }
    try validateWindows()
  }

  private func validateWindows() throws {
    switch k1 {
    case .steps(let k1): try windows.validate(k1: k1, k2: k2)
    case .all: try windows.validate(k1: nil, k2: k2)
    }
  }

  func apply(to settings: inout TrainingConfiguration) {
    if case .steps(let steps) = k1 { settings.k1 = steps } else { settings.k1 = nil }
    settings.k2 = k2
    settings.recompute = recompute
    windows.apply(to: &settings)
    settings.statePolicy =
      switch state {
      case .reset: .reset
      case .carried: stateDrop.map { .dropped($0) } ?? .carried
      }
  }
}
