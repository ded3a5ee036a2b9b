import Compute
import Corpora
import LanguageModeling
import ModelFiles
import Optimization
import Recurrence
import Reports

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A learning rate found by a range test (Smith 2017, §3.3): from fresh weights, short steps at rates that grow
/// exponentially, until the loss no longer falls.
public struct RangeTest: Sendable {
  /// One step.
  public struct Point: Sendable {
    /// The rate of the step's update, the mean loss before it in nats per token, and the smoothed loss.
    public let learningRate, loss, smoothed: Double
  }

  public let points: [Point]
  /// The rate to train with.
  public let suggestion: Double

  /// The rates of the first and the last step.
  public static let range = 1e-5...1.0
  /// Steps of a whole test; one that diverges ends before.
  public static let steps = 150
  /// Steps of text in a window at most.
  public static let longestWindow = 32
  /// The share of itself that the smoothed loss keeps at each step.
  static let smoothing = 0.9
  /// The rate of the least loss is divided by this.
  static let margin = 30.0

  /// A test of some points in the order of their rates, at least one.
  init(_ points: [Point]) {
    precondition(!points.isEmpty, "a range test without a step")
    self.points = points
    let least = points.indices.reduce(0) { points[$1].smoothed < points[$0].smoothed ? $1 : $0 }
    suggestion = RangeTest.rounded(points[least].learningRate / RangeTest.margin)
  }

  /// To three digits, as a person would say it.
  private static func rounded(_ rate: Double) -> Double {
    Double(threeDigits(rate)) ?? rate
  }

  /// `learning_rate,loss,smoothed_loss`, a line a step.
  public var csv: String {
    "learning_rate,loss,smoothed_loss\n"
      + points.map { "\($0.learningRate),\($0.loss),\($0.smoothed)\n" }.joined()
  }
}

extension RangeTest {
  /// Makes the test. The unrolling is left at the beginning of a stream; weights and moments are the caller's to keep.
  ///
  /// - Throws: ``TrainingError`` where the very first loss is not finite.
  static func run<Layer: RecurrentLayer>(
    _ bptt: TruncatedBPTT<Layer>, _ data: TrainingData, parameters: ParameterSet<Layer.K.Real>,
    update: ClippedUpdate<Layer.K.Real>, stop: StopRequest
  ) throws -> RangeTest {
    var (parameters, update) = (parameters, update)
    var cursor = WindowCursor(data.windows)
    var points: [Point] = []
    var (mean, least) = (0.0, Double.infinity)
    let growth = log(range.upperBound / range.lowerBound) / Double(steps - 1)
    bptt.resetState()
    defer { bptt.resetState() }
    for step in 0..<steps where !stop.isRaised || points.isEmpty {
      let whole = data.training.window(cursor.steps, offset: cursor.offset)
      cursor.advance()
      let window = whole.steps(0..<min(whole.steps, longestWindow))
      let loss = bptt.step(window, parameters: parameters) / Double(window.targets.count)
      let norm = bptt.gradients.norm
      guard loss.isFinite && norm.isFinite else { break }
      mean = smoothing * mean + (1 - smoothing) * loss
      let smoothed = mean / (1 - pow(smoothing, Double(step + 1)))
      let rate = range.lowerBound * exp(growth * Double(step))
      points.append(Point(learningRate: rate, loss: loss, smoothed: smoothed))
      least = min(least, smoothed)
      guard smoothed < 2 * least else { break }
      update.apply(&bptt.gradients, measured: norm, to: &parameters, learningRate: rate, on: bptt.workers)
    }
    guard !points.isEmpty else {
      throw TrainingError("the first loss is not finite, so no learning rate can be found: name a --learning-rate")
    }
    return RangeTest(points)
  }
}
