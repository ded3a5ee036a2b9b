import ArgumentParser
import Optimization
import Training

extension OptimizerConfiguration.Method: ExpressibleByArgument {}
extension LearningRateSchedule.Shape: ExpressibleByArgument {}

/// `--optimizer` and what belongs to it: the learning rate and its schedule, averages, early stopping.
struct OptimizerOptions: ParsableArguments {
  /// A number, or found by a range test.
  enum RateArgument: ExpressibleByArgument {
    case rate(Double)
    case auto

    init?(argument: String) {
      if argument == "auto" {
        self = .auto
      } else if let rate = Double(argument) {
        self = .rate(rate)
      } else {
        return nil
      }
    }

    var defaultValueDescription: String { if case .rate(let rate) = self { "\(rate)" } else { "auto" } }
  }

  /// A number of updates, or a share of the run: 500, 5%.
  struct ExtentArgument: ExpressibleByArgument {
    let extent: LearningRateSchedule.Extent

    init?(argument: String) {
      if argument.last == "%" {
        guard let percent = Double(argument.dropLast()), (0...100).contains(percent) else { return nil }
        extent = .share(percent / 100)
      } else {
        guard let count = Int(argument), (0...1_000_000_000).contains(count) else { return nil }
        extent = .updates(count)
      }
    }
  }

  enum Average: String, ExpressibleByArgument, CaseIterable { case none, ema, asgd }

  @Option(help: "sgd, rmsprop, adagrad, adam, or adamw: Adam with decoupled weight decay.")
  var optimizer: OptimizerConfiguration.Method = .adamw

  @Option(
    help: """
      The highest learning rate of the schedule. auto tries rates from 1e-5 to 1 on fresh weights for \
      \(RangeTest.steps) short steps and takes a thirtieth of the one with the least loss; the curve is shown, and kept in \
      training/learning-rate.csv.
      """)
  var learningRate: RateArgument = .rate(0.004)

  @Option(help: "Momentum of sgd and rmsprop. The default is 0.")
  var momentum: Double?

  @Flag(help: "Nesterov's momentum, of sgd.")
  var nesterov = false

  @Option(help: "Of adam and adamw: the share of itself that the mean gradient keeps. The default is 0.9.")
  var beta1: Double?

  @Option(help: "Of adam and adamw: the share of itself that the mean square keeps. The default is 0.999.")
  var beta2: Double?

  @Option(help: "Of rmsprop: the share of itself that the mean square keeps. The default is 0.99.")
  var alpha: Double?

  @Option(help: "What is added to the root of the squares. The default is 1e-8, and 1e-10 for adagrad.")
  var epsilon: Double?

  @Option(
    help: """
      Weight decay of matrices, not of biases: decoupled in adamw, in the others part of the gradient. The default is \
      0.02 for adamw and 0 for the others.
      """)
  var weightDecay: Double?

  @Option(
    help: """
      How the learning rate goes on: constant, linear or cosine (down to the final one), step, plateau (down when \
      validations cease to improve), one-cycle (up and down again).
      """)
  var schedule: LearningRateSchedule.Shape = .cosine

  @Option(help: "Where the schedule ends. The default is 0, and for one-cycle a 250,000th of the highest.")
  var finalLearningRate: Double?

  @Option(
    help: """
      Updates in which the learning rate rises: 500, or 5% of the run. The default is 2% for linear and cosine, 30% for \
      one-cycle and none for the others.
      """)
  var warmup: ExtentArgument?

  @Option(help: "What a step or a plateau of the schedule multiplies the learning rate by. The default is 0.5.")
  var decayFactor: Double?

  @Option(help: "Updates between two decays of --schedule step: 1000, or 20% of the run, which is the default.")
  var decayEvery: ExtentArgument?

  @Option(help: "Validations without improvement that --schedule plateau bears before it decays. The default is 2.")
  var plateauPatience: Int?

  @Option(
    help: """
      Validate and save averaged weights: ema (exponential moving average), or asgd (their mean from when validations \
      cease to improve, NT-ASGD); none for the weights as they are.
      """)
  var average: Average = .ema

  @Option(
    help:
      "The share of itself that ema keeps at each update. The default averages over a fiftieth of the run, at most 1000 updates."
  )
  var averageDecay: Double?

  @Option(help: "Validations that asgd looks back for an improvement. The default is 5.")
  var averageInterval: Int?

  @Flag(
    inversion: .prefixedNo,
    help: """
      Validate and save weights whose logits are divided by the temperature that fits the validation part best (Guo et al. \
      2017): a model that has read its text often is too sure of other text. Not with --tie-weights.
      """)
  var calibrate = true

  @Option(help: "End the run after so many validations in a row without a new best.")
  var patience: Int?

  func validate() throws {
    if case .rate(let rate) = learningRate {
      try require(rate > 0 && rate <= 10, "--learning-rate is \(rate); it must be above 0 and at most 10.")
      try require(finalLearningRate ?? 0 <= rate, "--final-learning-rate is above --learning-rate.")
    }
    try require(
      (0...10).contains(finalLearningRate ?? 0),
      "--final-learning-rate is \(finalLearningRate ?? 0); it must be 0 to 10.")
    try require(
      (0..<1).contains(weightDecay ?? 0),
      "--weight-decay is \(weightDecay ?? 0); it must be at least 0 and less than 1.")
    for (name, share) in [
      ("momentum", momentum), ("beta1", beta1), ("beta2", beta2), ("alpha", alpha), ("average-decay", averageDecay),
    ] {
      try require((0..<1).contains(share ?? 0), "--\(name) is \(share ?? 0); it must be at least 0 and less than 1.")
    }
    try require((0...1).contains(epsilon ?? 0), "--epsilon is \(epsilon ?? 0); it must be 0 to 1.")
    let factor = decayFactor ?? 0.5
    try require(factor > 0 && factor < 1, "--decay-factor is \(factor); it must be above 0 and less than 1.")
    for (name, count) in [
      ("patience", patience), ("average-interval", averageInterval), ("plateau-patience", plateauPatience),
    ] {
      try require((1...1_000_000).contains(count ?? 1), "--\(name) is \(count ?? 0); it must be 1 to 1,000,000.")
    }
    try requireBelonging()
  }

  /// A flag of another method than the chosen one is a mistake.
  private func requireBelonging() throws {
    let name = optimizer.rawValue
    try require(momentum == nil || optimizer.hasMomentum, "--momentum is for sgd and rmsprop, not for \(name).")
    try require(!nesterov || optimizer == .sgd && momentum ?? 0 > 0, "--nesterov is for sgd with --momentum above 0.")
    try require(
      beta1 == nil && beta2 == nil || optimizer.hasBetas, "--beta1 and --beta2 are for adam and adamw, not for \(name)."
    )
    try require(alpha == nil || optimizer == .rmsprop, "--alpha is for rmsprop, not for \(name).")
    try require(epsilon == nil || optimizer != .sgd, "--epsilon is not for sgd, which divides by nothing.")
    try require(
      finalLearningRate == nil || schedule != .constant, "--final-learning-rate wants a --schedule that goes down.")
    try require(
      decayFactor == nil || schedule == .step || schedule == .plateau,
      "--decay-factor is for --schedule step and plateau.")
    try require(decayEvery == nil || schedule == .step, "--decay-every is for --schedule step.")
    try require(plateauPatience == nil || schedule == .plateau, "--plateau-patience is for --schedule plateau.")
    try require(averageDecay == nil || average == .ema, "--average-decay is for --average ema.")
    try require(averageInterval == nil || average == .asgd, "--average-interval is for --average asgd.")
  }

  /// - Parameter hasValidation: Whether there is a validation part.
  func validate(hasValidation: Bool) throws {
    guard !hasValidation else { return }
    let wanting = [
      "--patience": patience != nil, "--average asgd": average == .asgd, "--schedule plateau": schedule == .plateau,
    ]
    for (flag, isGiven) in wanting { try require(!isGiven, "\(flag) wants a validation part.") }
  }

  func apply(to settings: inout TrainingConfiguration) {
    settings.optimizer = OptimizerConfiguration(
      optimizer, momentum: momentum ?? 0, isNesterov: nesterov, beta1: beta1 ?? 0.9, beta2: beta2 ?? 0.999,
      alpha: alpha ?? 0.99, epsilon: epsilon, weightDecay: weightDecay ?? (optimizer == .adamw ? 0.02 : 0))
    switch learningRate {
    case .rate(let rate): settings.learningRate = rate
    case .auto: settings.findsLearningRate = true
    }
    settings.schedule = ScheduleConfiguration(
      schedule, final: finalLearningRate, warmUp: warmup?.extent ?? standardWarmUp, decayFactor: decayFactor ?? 0.5,
      decayEvery: decayEvery?.extent ?? .share(0.2), plateauPatience: plateauPatience ?? 2)
    settings.average =
      switch average {
      case .none: nil
      case .ema: .exponential(decay: averageDecay ?? 0.999)
      case .asgd: .triggered(interval: averageInterval ?? 5)
      }
    settings.give(.averageDecay, averageDecay)
    settings.calibrates = calibrate
    settings.patience = patience
  }

  private var standardWarmUp: LearningRateSchedule.Extent? {
    schedule == .cosine || schedule == .linear ? .share(0.02) : nil
  }
}
