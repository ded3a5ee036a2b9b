import Compute
import LanguageModeling
import Recurrence
import Tokenization

/// How near one gradient is to another, over all tensors of the recurrent layers. (No truncation touches the decoder's.)
struct GradientComparison: Sendable, Equatable {
  /// ‖a − b‖ / ‖b‖.
  let relativeError: Double
  /// ⟨a, b⟩ / ‖a‖‖b‖.
  let cosine: Double

  init(of a: ParameterSet<Double>, with b: ParameterSet<Double>) {
    var (product, squaredA, squaredB, squaredDifference) = (0.0, 0.0, 0.0, 0.0)
    for slot in b.layout.slots where b.layout[slot].name.hasPrefix("rnn.") {
      for (a, b) in zip(a[slot].elements, b[slot].elements) {
        product += a * b
        squaredA += a * a
        squaredB += b * b
        squaredDifference += (a - b) * (a - b)
      }
    }
    let norms = squaredA.squareRoot() * squaredB.squareRoot()
    // Of no gradient at all, nothing is lost.
    cosine = norms > 0 ? min(1, product / norms) : squaredA == squaredB ? 1 : 0
    relativeError = squaredB > 0 ? (squaredDifference / squaredB).squareRoot() : squaredA == 0 ? 0 : .infinity
  }
}

/// Memory and time of truncated BPTT in float32, on one thread: what training would take with these lanes.
struct TruncationCosts {
  /// By steps of a window, which an update goes through forward and back: the bytes that the layers' records hold, from
  /// their shapes, and the seconds.
  private let costs: [Int: (bytes: Int, seconds: Double)]

  /// - Parameters:
  ///   - lengths: The windows to measure, in steps.
  ///   - seconds: How long to measure each at least.
  init(_ configuration: ModelConfiguration, _ window: TokenWindow, lengths: [Int], seconds: Double) {
    func measured<Layer: RecurrentLayer>(_: Layer.Type) -> [Int: (bytes: Int, seconds: Double)] {
      let network = Network<Layer>(configuration)
      let costs = lengths.map { steps in
        let bytes = network.recordBytes(steps: steps, lanes: window.lanes)
        return (steps, (bytes, fastest(network, window.steps(0..<steps), within: seconds)))
      }
      return Dictionary(uniqueKeysWithValues: costs)
    }
    costs = measured(configuration.trainingLayer(.float32))
  }

  /// An update of TBPTT(k1, k2) goes through a window of the longer of the two.
  func truncation(k1: Int, k2: Int, _ comparison: GradientComparison) -> GradientFlow.Truncation {
    guard let cost = costs[max(k1, k2)] else { preconditionFailure("k1 \(k1) and k2 \(k2) were not measured") }
    return GradientFlow.Truncation(
      k1: k1, k2: k2, relativeError: comparison.relativeError, cosine: comparison.cosine,
      activationBytes: cost.bytes, millisecondsPerStep: 1000 * cost.seconds / Double(k1))
  }
}

/// The seconds of an update on one window, the packing of weights included: the fastest of several.
private func fastest<Layer: RecurrentLayer>(
  _ network: Network<Layer>, _ window: TokenWindow, within seconds: Double
) -> Double {
  let bptt = TruncatedBPTT(network, lanes: window.lanes, k1: window.steps, workers: Workers(threads: 1))
  let parameters = network.initialParameters(seed: 1)
  _ = bptt.step(window, parameters: parameters)  // products are made and memory is touched
  var fastest = Double.infinity
  var runs = 0
  let begin = ContinuousClock.now
  while runs < fewestRuns || ContinuousClock.now - begin < .seconds(seconds) {
    let start = ContinuousClock.now
    _ = bptt.step(window, parameters: parameters)
    fastest = min(fastest, (ContinuousClock.now - start) / .seconds(1))
    runs += 1
  }
  return fastest
}

/// Whatever else the machine does, one of so many runs is mostly left alone.
private let fewestRuns = 5
