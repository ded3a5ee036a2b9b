import Compute
import LanguageModeling
import Recurrence
import Tokenization

/// Dynamic evaluation (Krause et al. 2018, "Dynamic evaluation of neural sequence models"): the model goes on learning from
/// the text that it is scored on. Every symbol is scored before it is learnt from.
///
/// After each window the weights take a step down its gradient and are pulled back towards the trained ones θ₀:
///
/// - `sgd`: θ ← θ − η·g + λ·(θ₀ − θ)
/// - `rms`: θ ← θ − η·g / (r + ε) + min(1, λ·r/r̄)·(θ₀ − θ), with r = √MS, the root of the mean square of a weight's
///   gradients, and r̄ its mean over all weights: what changed much in training may change much here, and is pulled back
///   faster.
///
/// MS is that of the windows of a text like the training text, where one is given, read by the trained model; and else of
/// the windows read so far, the one at hand among them, where learning begins with the twentieth.
public struct DynamicEvaluation: Sendable, Equatable {
  /// How a step is made.
  public enum Rule: String, Sendable, CaseIterable { case sgd, rms }

  public var rule = Rule.rms
  /// η.
  public var learningRate: Double
  /// λ.
  public var decay: Double
  /// Steps between two updates, through which the gradient flows back; g is that of their mean loss.
  public var windowLength = 20
  /// ε.
  public var epsilon = 1e-5

  /// Windows that are read before learning begins, where the gradients' squares are those of the text itself.
  public static let warmUp = 20
  /// Symbols of a given text that the gradients' squares are taken from, at most: its first ones.
  public static let statisticsLength = 20_000

  /// The defaults of a rule.
  public init(rule: Rule = .rms) {
    self.rule = rule
    (learningRate, decay) = rule == .rms ? (4e-4, 2e-4) : (0.02, 2e-4)
  }

  /// - Throws: ``InvalidAdaptation`` that names the setting.
  public func validate() throws {
    try require(
      learningRate >= 0 && learningRate.isFinite, "dynamic-rate is \(learningRate); it must be a number of 0 or more")
    try require((0...1).contains(decay), "dynamic-decay is \(decay); it must be 0 to 1")
    try require(
      (1...10_000).contains(windowLength), "dynamic-window is \(windowLength); it must be 1 to 10,000 symbols")
    try require(epsilon > 0 && epsilon.isFinite, "dynamic-epsilon is \(epsilon); it must be a number above 0")
  }
}

/// A setting of dynamic evaluation or of a cache that makes no sense.
public struct InvalidAdaptation: Error, CustomStringConvertible {
  public let description: String
}

func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
  guard condition else { throw InvalidAdaptation(description: message()) }
}

// MARK: Readers

/// What reads a text window by window for a score: the surprisals, and the top layer's hidden states.
protocol ScoringReader: AnyObject {
  /// The longest window.
  var steps: Int { get }
  /// Begins anew, with the trained weights.
  func begin()
  /// The surprisal of each target of a window `[T, 1]`, −ln p in nats, and the hidden states before them, `[T, H]`.
  func read(_ window: TokenWindow) -> (losses: [Double], outputs: Rows<Float>)
}

/// Reads with the trained weights.
final class StaticReader: ScoringReader {
  private let reader: any LanguageModelReader
  var steps: Int { reader.stepsKept }

  init(_ model: any LanguageModel, threads: Int) {
    reader = model.makeReader(lanes: 1, steps: 512, threads: threads)
  }

  func begin() { reader.reset() }

  func read(_ window: TokenWindow) -> (losses: [Double], outputs: Rows<Float>) {
    (reader.losses(window), reader.outputs(steps: window.steps))
  }
}

/// Reads, and learns after each window.
final class DynamicReader<Layer: RecurrentLayer>: ScoringReader {
  typealias Real = Layer.K.Real

  private let settings: DynamicEvaluation
  private let trained: ParameterSet<Real>
  private let training: TruncatedBPTT<Layer>
  private var weights: ParameterSet<Real>
  /// Σ g² over windows, and how many those are.
  private var squares: (sums: ParameterSet<Real>, count: Int)
  private let isGiven: Bool

  var steps: Int { settings.windowLength }

  /// - Parameter text: That the gradients' squares are taken from; nil for those of what is read.
  init(_ model: RecurrentLanguageModel<Layer>, _ settings: DynamicEvaluation, text: [Int32]?) {
    self.settings = settings
    trained = model.parameters
    weights = trained
    training = TruncatedBPTT(model.network, lanes: 1, k1: settings.windowLength, workers: Workers(threads: 1))
    squares = (ParameterSet(trained.layout), 0)
    isGiven = text != nil && settings.rule == .rms
    guard isGiven, let text else { return }
    TokenWindow.forEach(of: text.prefix(DynamicEvaluation.statisticsLength + 1), steps: steps) { window in
      _ = training.step(window, parameters: trained)
      addSquares()
    }
  }

  func begin() {
    weights = trained
    training.resetState()
    if !isGiven { squares = (ParameterSet(trained.layout), 0) }
  }

  func read(_ window: TokenWindow) -> (losses: [Double], outputs: Rows<Float>) {
    _ = training.step(window, parameters: weights)
    learn()
    return training.read(lastSteps: window.steps)
  }

  private func addSquares() {
    Real.addSquares(training.gradients.flat, to: squares.sums.writableFlat())
    squares.count += 1
  }

  private func learn() {
    let gradient = training.gradients.flat
    switch settings.rule {
    case .sgd:
      Real.pulledSGD(
        rate: settings.learningRate, pull: settings.decay, gradient: gradient, base: trained.flat,
        weights: weights.writableFlat())
    case .rms:
      if !isGiven { addSquares() }
      guard isGiven || squares.count >= DynamicEvaluation.warmUp else { return }
      let factor = 1 / Double(squares.count)
      let mean = Real.sumOfRoots(squares.sums.flat, times: factor) / Double(trained.layout.count)
      guard mean > 0, mean.isFinite else { return }
      let step = PulledStep(
        rate: settings.learningRate, pull: settings.decay / mean, factor: factor, epsilon: settings.epsilon)
      Real.pulledRMS(
        step, gradient: gradient, squares: squares.sums.flat, base: trained.flat, weights: weights.writableFlat())
    }
  }
}

/// A model that can learn while it is scored.
private protocol DynamicModel: LanguageModel {
  var canLearn: Bool { get }
  func makeDynamicReader(_ settings: DynamicEvaluation, text: [Int32]?) -> any ScoringReader
}

extension RecurrentLanguageModel: DynamicModel {
  fileprivate var canLearn: Bool { Layer.K.Operand.self != UInt8.self }

  fileprivate func makeDynamicReader(_ settings: DynamicEvaluation, text: [Int32]?) -> any ScoringReader {
    DynamicReader(self, settings, text: text)
  }
}

extension DynamicEvaluation {
  /// A reader that learns.
  ///
  /// - Throws: ``ConfigurationError`` for a model in int8, whose weights cannot learn.
  func makeReader(_ model: any LanguageModel, text: [Int32]?) throws -> any ScoringReader {
    guard let model = model as? any DynamicModel, model.canLearn else {
      throw ConfigurationError("int8 weights cannot learn; use --precision float32 or bf16 for --dynamic")
    }
    return model.makeDynamicReader(self, text: text)
  }
}
