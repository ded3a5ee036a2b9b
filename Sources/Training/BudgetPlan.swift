import Compute
import Corpora
import Evaluation
import LanguageModeling
import Optimization
import Recurrence
import Tokenization

/// How many steps a budget of time is: fixed once, before the first step, from the speed of a trial.
///
/// A run with a plan makes the same weights as one with `--steps` of the planned number: the clock has no further say.
/// Where the machine becomes faster, the run ends before its time; where it becomes slower it takes longer, but ends at
/// ``overrun`` times the budget.
public struct BudgetPlan: Sendable, Equatable {
  /// Seconds.
  public let budget: Double
  /// Steps of the whole run.
  public let steps: Int
  /// What the trial measured, in seconds.
  public let secondsPerStep, secondsPerValidation: Double
  /// Seconds that had gone when the plan was made.
  public let elapsed: Double
  /// Whether there was time for more steps than ``TrainingConfiguration/mostEpochs`` have.
  public let isBounded: Bool

  /// Times the budget: where a run that is behind its plan ends.
  public static let overrun = 1.25

  /// A plan that was made before.
  public init(
    budget: Double, steps: Int, secondsPerStep: Double, secondsPerValidation: Double, elapsed: Double,
    isBounded: Bool = false
  ) {
    self.budget = budget
    self.steps = steps
    self.secondsPerStep = secondsPerStep
    self.secondsPerValidation = secondsPerValidation
    self.elapsed = elapsed
    self.isBounded = isBounded
  }

  /// A plan that leaves time for a validation every `validateEvery` steps and one at the end.
  ///
  /// - Parameter most: The most steps that it has, however much time there is.
  public init(
    budget: Double, elapsed: Double, secondsPerStep: Double, secondsPerValidation: Double, validateEvery: Int,
    most: Int = .max
  ) {
    let each = secondsPerStep + secondsPerValidation / Double(validateEvery)
    let time = (budget - elapsed - secondsPerValidation) / max(each, 1e-9)
    let steps = Int(max(1, min(time.rounded(), 1e15)))
    self.init(
      budget: budget, steps: min(steps, most), secondsPerStep: secondsPerStep,
      secondsPerValidation: secondsPerValidation, elapsed: elapsed, isBounded: steps > most)
  }
}

/// Trains and validates for a moment, to see how long steps and validations take. Nothing of it is kept.
struct SpeedTrial<Layer: RecurrentLayer> {
  typealias Real = Layer.K.Real

  let bptt: TruncatedBPTT<Layer>
  let data: TrainingData
  var parameters: ParameterSet<Real>
  var update: ClippedUpdate<Real>
  let learningRate: Double

  /// The share of a budget that a trial takes, and its longest time in seconds.
  static var share: Double { 0.03 }
  static var longest: Double { 10 }

  /// Seconds of a step of mean length.
  mutating func secondsPerStep(trying limit: Double, _ stop: StopRequest) -> Double {
    let clock = ContinuousClock()
    let begin = clock.now
    var last = begin
    var cursor = WindowCursor(data.windows)
    var taken: [(seconds: Double, tokens: Int)] = []
    while taken.isEmpty || ((last - begin) / .seconds(1) < limit && !stop.isRaised) {
      let window = data.training.window(cursor.steps, offset: cursor.offset)
      cursor.advance()
      step(window)
      let now = clock.now
      taken.append(((now - last) / .seconds(1), window.targets.count))
      last = now
    }
    bptt.resetState()
    // The first ones fill caches and wake threads.
    let counted = taken.count > 1 ? taken.dropFirst((taken.count + 9) / 10) : taken[...]
    let perToken = counted.reduce(0) { $0 + $1.seconds } / Double(counted.reduce(0) { $0 + $1.tokens })
    return perToken * Double(data.training.targetsPerEpoch) / Double(data.windows.windowCount(ofEpoch: 0))
  }

  private mutating func step(_ window: TokenWindow) {
    _ = bptt.step(window, parameters: parameters)
    let norm = bptt.gradients.norm
    guard norm.isFinite else { return }
    update.apply(&bptt.gradients, measured: norm, to: &parameters, learningRate: learningRate, on: bptt.workers)
  }

  /// Seconds of a validation, from a part of it.
  ///
  /// - Parameter score: Scores some tokens, `warmUp` tokens beside them included.
  func secondsPerValidation(warmUp: Int, _ score: (_ tokens: TokenStream) -> Void) -> Double {
    let part = data.validation.part(0..<min(2 * warmUp, data.validation.count))
    guard part.count > 1 else { return 0 }
    let time = ContinuousClock().measure { score(part) } / .seconds(1)
    return time * Double(data.validation.count + warmUp) / Double(part.count + warmUp)
  }
}
