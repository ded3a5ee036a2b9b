import Compute
import Corpora
import LanguageModeling
import ModelFiles
import Optimization
import Recurrence
import TestSupport
import Testing
import Tokenization
import Training

/// What a run makes of optimisers, schedules, averages, early stopping, budgets and range tests.
@Suite struct OptimizationInRunsTests {
  private typealias Layer = LSTM<Float32Kernels>

  /// A small run, and the same written out.
  private struct Example {
    var configuration: TrainingConfiguration
    let folder: String

    init(_ folder: String, steps: Int, validation: Double = 0) throws {
      self.folder = folder
      let text = (0..<300).map { "\($0 * 37 % 101) birds and \($0 * $0 % 17) boats, " }.joined()
      try Files.writeDurably(Array(text.utf8), to: "\(folder)/text")
      configuration = TrainingConfiguration(corpus: ["\(folder)/text"], output: "\(folder)/model")
      (configuration.embeddingSize, configuration.hiddenSize, configuration.lanes, configuration.k1) = (4, 8, 4, 10)
      (configuration.limit, configuration.validation) = (.steps(steps), .fraction(validation))
      (configuration.logEvery, configuration.clip, configuration.learningRate) = (1, 0.5, 0.01)
      configuration.overwrites = true
    }

    func train() throws -> (events: [TrainingEvent], end: TrainingEvent.End) {
      var events: [TrainingEvent] = []
      let end = try Trainer.train(configuration, on: Layer.self, stop: StopRequest()) { events.append($0) }
      return (events, end)
    }

    /// The weights after each step, with the learning rate of each step.
    func weights(_ rates: [Double]) throws -> [[Double]] {
      let data = try TrainingData(configuration)
      let network = Network<Layer>(
        try ModelConfiguration(
          vocabularySize: data.tokenizer.vocabularySize, embeddingSize: 4, hiddenSize: 8, layers: 2))
      let bptt = TruncatedBPTT(network, lanes: 4, k1: 10, workers: Workers(threads: 1))
      var parameters = network.initialParameters(seed: configuration.seed)
      var optimizer: any Optimizer<Float> = configuration.optimizer.makeOptimizer(network.layout)
      var cursor = WindowCursor(data.windows)
      return rates.map { rate in
        if cursor.index == 0 { bptt.resetState() }
        _ = bptt.step(data.training.window(cursor.steps), parameters: parameters)
        cursor.advance()
        bptt.gradients.clip(toNorm: 0.5, measured: bptt.gradients.norm)
        optimizer.update(&parameters, gradients: bptt.gradients, learningRate: rate)
        return network.layout.slots.flatMap { parameters[$0].elements.map(Double.init) }
      }
    }

    /// The mean loss of each step before its update, of windows of `k1` cut to `steps`, the state carried on.
    func losses(_ rates: [Double], k1: Int, steps: Int) throws -> [Double] {
      let data = try TrainingData(configuration)
      let network = Network<Layer>(
        try ModelConfiguration(
          vocabularySize: data.tokenizer.vocabularySize, embeddingSize: 4, hiddenSize: 8, layers: 2))
      let bptt = TruncatedBPTT(network, lanes: 4, k1: k1, workers: Workers(threads: 1))
      var parameters = network.initialParameters(seed: configuration.seed)
      var optimizer: any Optimizer<Float> = configuration.optimizer.makeOptimizer(network.layout)
      var cursor = WindowCursor(data.windows)
      return rates.map { rate in
        let whole = data.training.window(cursor.steps)
        cursor.advance()
        let window = whole.steps(0..<min(steps, whole.steps))
        let loss = bptt.step(window, parameters: parameters) / Double(window.targets.count)
        bptt.gradients.clip(toNorm: 0.5, measured: bptt.gradients.norm)
        optimizer.update(&parameters, gradients: bptt.gradients, learningRate: rate)
        return loss
      }
    }

    /// The numbers of the saved model, in the order of the layout.
    func saved() throws -> [Double] {
      let model = try ModelFolder(configuration.output).load(precision: .float32).model
      guard let model = model as? RecurrentLanguageModel<Layer> else { return [] }
      return model.parameters.layout.slots.flatMap { model.parameters[$0].elements.map(Double.init) }
    }
  }

  private func rates(_ events: [TrainingEvent]) -> [Double] {
    events.compactMap { if case .step(let step) = $0 { step.learningRate } else { nil } }
  }

  private func validations(_ events: [TrainingEvent]) -> [TrainingEvent.Validation] {
    events.compactMap { if case .validation(let validation) = $0 { validation } else { nil } }
  }

  @Test(arguments: OptimizerConfiguration.Method.allCases)
  func everyOptimizerTrains(_ method: OptimizerConfiguration.Method) throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 25)
      example.configuration.optimizer = .init(method, momentum: method.hasMomentum ? 0.5 : 0, weightDecay: 0.01)
      _ = try example.train()
      #expect(try example.saved() == example.weights([Double](repeating: 0.01, count: 25)).last)
    }
  }

  /// Each step has its rate of the schedule, by epochs as by steps.
  @Test(arguments: LearningRateSchedule.Shape.allCases)
  func schedulesSetTheRate(_ shape: LearningRateSchedule.Shape) throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 25)
      example.configuration.schedule = .init(shape, warmUp: .share(0.2), decayFactor: 0.25, decayEvery: .updates(6))
      let schedule = LearningRateSchedule(
        shape, peak: 0.01, warmUp: .share(0.2), decayFactor: 0.25, decayEvery: .updates(6))
      let expected = (0..<25).map { schedule.rate(step: $0, of: 25) }
      #expect(rates(try example.train().events) == expected)
      #expect(try example.saved() == example.weights(expected).last)
      let perEpoch = try TrainingData(example.configuration).windows.windowCount(ofEpoch: 0)
      example.configuration.limit = .epochs(2)
      #expect(rates(try example.train().events) == (0..<2 * perEpoch).map { schedule.rate(step: $0, of: 2 * perEpoch) })
    }
  }

  /// Weights that hardly move never improve: a plateau after two validations beyond the best, then again.
  @Test func plateausLowerTheRate() throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 24, validation: 0.2)
      (example.configuration.learningRate, example.configuration.validateEvery) = (0x1p-80, 3)
      example.configuration.schedule = .init(.plateau, decayFactor: 0.25, plateauPatience: 1)
      let expected = (0..<24).map { $0 < 9 ? 0x1p-80 : $0 < 15 ? 0x1p-82 : $0 < 21 ? 0x1p-84 : 0x1p-86 }
      #expect(rates(try example.train().events) == expected)
    }
  }

  @Test(arguments: [1, 3]) func patienceEndsTheRun(_ patience: Int) throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 100, validation: 0.2)
      (example.configuration.learningRate, example.configuration.validateEvery) = (1e-30, 5)
      example.configuration.patience = patience
      let (events, end) = try example.train()
      #expect(end.reason == .patience && end.steps == 5 * (1 + patience))
      #expect(validations(events).count == 1 + patience)
    }
  }

  /// What is saved at the end is the moving average, not the weights.
  @Test func movingAveragesAreSaved() throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 30)
      example.configuration.average = .exponential(decay: 0.8)
      _ = try example.train()
      let weights = try example.weights([Double](repeating: 0.01, count: 30))
      var (sum, total) = ([Double](repeating: 0, count: weights[0].count), 0.0)
      for step in weights {
        sum = zip(sum, step).map { $0 * 0.8 + $1 }
        total = total * 0.8 + 1
      }
      #expect(try largestDifference(example.saved(), sum.map { $0 / total }) < 1e-6)
    }
  }

  /// With a rate that makes validations go up and down, averaging begins, its mean is better than any weights before, and
  /// it is what is validated and saved.
  @Test func triggeredMeansAreSaved() throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 400, validation: 0.2)
      (example.configuration.learningRate, example.configuration.validateEvery) = (0.1, 10)
      example.configuration.average = .triggered(interval: 2)
      let (events, _) = try example.train()
      let begins = events.compactMap { if case .averaging(let step) = $0 { step } else { nil } }
      #expect(begins.count == 1)
      let (begin, best) = (try #require(begins.first), try #require(validations(events).last { $0.isBest }).step)
      #expect(best > begin)
      let weights = try example.weights([Double](repeating: 0.1, count: best))[begin...]
      let mean = weights[begin].indices.map { place in
        weights.reduce(0) { $0 + $1[place] } / Double(weights.count)
      }
      #expect(try largestDifference(example.saved(), mean) < 1e-5)
    }
  }

  /// A run on a clock that is made up.
  ///
  /// - Parameter observe: Called in each step with its number.
  private func train(
    _ example: Example, observe: @escaping (Int) -> Void = { _ in }, _ seconds: @escaping () -> Double
  ) throws -> (events: [TrainingEvent], end: TrainingEvent.End) {
    let data = try TrainingData(example.configuration)
    let model = try ModelConfiguration(
      vocabularySize: data.tokenizer.vocabularySize, embeddingSize: 4, hiddenSize: 8, layers: 2)
    let output = try OutputFolder(example.configuration.output, overwrites: true)
    let run = try TrainingRun<Layer>(
      example.configuration, model, data, output, observe: { step, _ in observe(step) }, seconds: seconds)
    var events: [TrainingEvent] = []
    let end = try run.run(stop: StopRequest()) { events.append($0) }
    return (events, end)
  }

  /// A budget becomes a number of steps, once; a run of so many steps makes the same weights, to the bit.
  @Test func budgetsBecomeSteps() throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 1, validation: 0.2)
      example.configuration.schedule = .init(.cosine, warmUp: .share(0.1))
      example.configuration.limit = .budget(0.5)
      let (events, end) = try train(example) { 0.25 }
      let plans = events.compactMap { if case .plan(let plan) = $0 { plan } else { nil } }
      let plan = try #require(plans.first)
      #expect(plans.count == 1 && plan.budget == 0.5 && plan.elapsed == 0.25 && plan.secondsPerValidation > 0)
      #expect(end.reason == .budget && end.steps == plan.steps)
      let saved = try example.saved()
      example.configuration.limit = .steps(plan.steps)
      let (again, _) = try example.train()
      #expect(try example.saved() == saved)
      #expect(rates(again) == rates(events))
    }
  }

  /// A run that is behind its plan ends at 1.25 times the budget, and not before.
  @Test func lateRunsEnd() throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 1, validation: 0.2)
      example.configuration.limit = .budget(20)
      var now = 0.0
      let (events, end) = try train(example) {
        now += 0.1
        return now
      }
      #expect(end.reason == .overrun && end.seconds >= 25 && end.seconds < 26)
      #expect(events.contains { if case .plan(let plan) = $0 { plan.steps > end.steps } else { false } })
      #expect(try !example.saved().isEmpty)
    }
  }

  /// Checkpoints by the clock: each so long after the last, and one at the end.
  @Test func checkpointsByTheClock() throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 22)
      example.configuration.checkpointEvery = .seconds(5)
      var now = 0.0
      let (events, _) = try train(example, observe: { now = Double($0) }) { now }
      let checkpoints = events.compactMap { if case .checkpoint(let checkpoint) = $0 { checkpoint.step } else { nil } }
      #expect(checkpoints == [5, 10, 15, 20, 22])
    }
  }

  /// The time that is left is told from the steps' own time: what went before the plan is no part of it.
  @Test func theTimeThatIsLeft() throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 1, validation: 0.2)
      example.configuration.limit = .budget(0.5)
      var taken = 0.0
      let (events, _) = try train(example, observe: { taken = Double($0) * 1e-6 }) { 0.25 + taken }
      let steps = events.compactMap { if case .step(let step) = $0 { step } else { nil } }
      let planned = Double(try #require(steps.last).step)
      #expect(steps.allSatisfy { abs($0.remaining - (planned - Double($0.step)) * 1e-6) < 1e-9 * planned })
      #expect(steps.allSatisfy { abs($0.progress - Double($0.step) / planned) < 1e-12 })
    }
  }

  /// What is left of the time after trial and last validation is cut into steps with their share of validations.
  @Test(
    arguments: [
      (100, 0, 0.1, 0, 50, 1000), (100, 10, 0.1, 0, 50, 900), (101, 0, 0.1, 1, 10, 500), (1, 2, 0.1, 0, 10, 1),
      (10, 0, 100, 3, 10, 1),
    ] as [(Double, Double, Double, Double, Int, Int)])
  func plans(
    _ budget: Double, _ elapsed: Double, _ ofStep: Double, _ ofValidation: Double, _ every: Int, _ steps: Int
  ) {
    let plan = BudgetPlan(
      budget: budget, elapsed: elapsed, secondsPerStep: ofStep, secondsPerValidation: ofValidation,
      validateEvery: every)
    #expect(plan.steps == steps)
    let bounded = BudgetPlan(
      budget: budget, elapsed: elapsed, secondsPerStep: ofStep, secondsPerValidation: ofValidation,
      validateEvery: every, most: 500)
    #expect(bounded.steps == min(500, steps))
    #expect(bounded.isBounded == (steps > 500) && !plan.isBounded)
  }

  /// A budget with more time than a text is worth ends early, in the middle of nothing: after whole epochs.
  @Test func plansAtMostSoManyEpochs() throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 1, validation: 0.2)
      (example.configuration.limit, example.configuration.mostEpochs) = (.budget(1e6), 2)
      let (events, end) = try example.train()
      let steps = events.compactMap { if case .start(let start) = $0 { start.stepsPerEpoch } else { nil } }
      let epoch = try #require(steps.first)
      #expect(end.reason == .budget && end.steps == 2 * epoch)
    }
  }

  /// A range test written out: steps from fresh weights at rates that grow, until the smoothed loss has doubled.
  @Test(arguments: [OptimizerConfiguration(), OptimizerConfiguration(weightDecay: 1000)])
  func rangeTestsAreSteps(_ optimizer: OptimizerConfiguration) throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 1)
      (example.configuration.findsLearningRate, example.configuration.k1) = (true, 40)
      example.configuration.optimizer = optimizer
      let (events, _) = try example.train()
      let test = try #require(events.compactMap { if case .rangeTest(let test) = $0 { test } else { nil } }.first)
      let expected = try example.losses(test.points.map(\.learningRate), k1: 40, steps: RangeTest.longestWindow)
      #expect(zip(test.points, expected).allSatisfy { abs($0.loss / $1 - 1) < 1e-6 })
      var (sum, weight, least) = (0.0, 0.0, Double.infinity)
      for (index, point) in test.points.enumerated() {
        (sum, weight) = (0.9 * sum + point.loss, 0.9 * weight + 1)
        #expect(abs(point.smoothed - sum / weight) < 1e-9)
        least = min(least, point.smoothed)
        let isLast = index == test.points.count - 1
        #expect(isLast || point.smoothed < 2 * least)
      }
      // So much decay turns weights over and makes them larger.
      let last = try #require(test.points.last)
      #expect(optimizer.weightDecay == 0 || (test.points.count < RangeTest.steps && last.smoothed >= 2 * least))
      let best = try #require(test.points.min { $0.smoothed < $1.smoothed })
      #expect(abs(test.suggestion * 30 / best.learningRate - 1) < 0.006)
    }
  }

  /// The rate that was found trains as if it had been given: the test leaves nothing behind but its curve.
  @Test func rangeTestsLeaveNoTrace() throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 20, validation: 0.2)
      example.configuration.findsLearningRate = true
      example.configuration.average = .exponential(decay: 0.5)
      let (events, _) = try example.train()
      let tests = events.compactMap { if case .rangeTest(let test) = $0 { test } else { nil } }
      let test = try #require(tests.first)
      #expect(tests.count == 1 && test.points.count > 100)
      #expect(test.points[0].learningRate == 1e-5 && abs(test.points[1].learningRate / 1e-5 - 1.0803) < 1e-4)
      #expect(test.suggestion > 1e-4 && test.suggestion < 0.1)
      let lines = String(decoding: try Files.read("\(folder)/model/training/learning-rate.csv"), as: UTF8.self)
        .split(separator: "\n")
      #expect(lines.count == test.points.count + 1 && lines[0] == "learning_rate,loss,smoothed_loss")
      let card = String(decoding: try Files.read("\(folder)/model/README.md"), as: UTF8.self)
      #expect(card.contains("| learning rate | \(test.suggestion) (found by a range test), constant |"))
      let saved = try example.saved()
      (example.configuration.findsLearningRate, example.configuration.learningRate) = (false, test.suggestion)
      let again = try example.train().events
      #expect(try example.saved() == saved)
      #expect(rates(again) == rates(events))
    }
  }
}
