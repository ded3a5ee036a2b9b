/// A time-major window of token ids: `steps × lanes` inputs and the target that follows each.
public struct TokenWindow: Sendable, Equatable {
  /// T and B.
  public let steps, lanes: Int
  /// `[T, B]`: the token of step t in lane b at t·B + b.
  public let inputs, targets: [Int32]

  /// A window of `steps × lanes` inputs and as many targets.
  public init(steps: Int, lanes: Int, inputs: [Int32], targets: [Int32]) {
    precondition(
      inputs.count == steps * lanes && targets.count == steps * lanes,
      "a window [\(steps), \(lanes)] wants as many inputs and targets, not \(inputs.count) and \(targets.count)")
    self.steps = steps
    self.lanes = lanes
    self.inputs = inputs
    self.targets = targets
  }

  /// Targets of the last `count` steps at most that are not `symbol`: those that count in a mean.
  public func predicted(last count: Int = .max, except symbol: Int32?) -> Int {
    let newest = targets.suffix(min(count, steps) * lanes)
    guard let symbol else { return newest.count }
    return newest.count { $0 != symbol }
  }

  /// The window of some of the steps.
  public func steps(_ range: Range<Int>) -> TokenWindow {
    let places = range.lowerBound * lanes..<range.upperBound * lanes
    return TokenWindow(
      steps: range.count, lanes: lanes, inputs: Array(inputs[places]), targets: Array(targets[places]))
  }

  /// The window of some of the lanes.
  public func lanes(_ range: Range<Int>) -> TokenWindow {
    func columns(_ tokens: [Int32]) -> [Int32] {
      (0..<steps).flatMap { t in tokens[t * lanes + range.lowerBound..<t * lanes + range.upperBound] }
    }
    return TokenWindow(steps: steps, lanes: range.count, inputs: columns(inputs), targets: columns(targets))
  }
}
