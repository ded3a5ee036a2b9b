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

/// What a run does about bad steps, made by a gradient that is spoilt in given steps; to the bit.
@Suite struct StabilityTests {
  private typealias Layer = LSTM<Float32Kernels>

  /// A small run. Without a validation part, what is saved are the last weights.
  private struct Example {
    var configuration: TrainingConfiguration
    let data: TrainingData
    let model: ModelConfiguration

    init(_ folder: String, steps: Int, validation: Double = 0) throws {
      let text = (0..<300).map { "\($0 * 37 % 101) birds and \($0 * $0 % 17) boats, " }.joined()
      try Files.writeDurably(Array(text.utf8), to: "\(folder)/text")
      configuration = TrainingConfiguration(corpus: ["\(folder)/text"], output: "\(folder)/model")
      (configuration.embeddingSize, configuration.hiddenSize, configuration.lanes, configuration.k1) = (4, 8, 4, 10)
      (configuration.limit, configuration.validation, configuration.logEvery) = (
        .steps(steps), .fraction(validation), 1
      )
      (configuration.clip, configuration.learningRate) = (0.5, 0.01)
      data = try TrainingData(configuration)
      model = try ModelConfiguration(
        vocabularySize: data.tokenizer.vocabularySize, embeddingSize: 4, hiddenSize: 8, layers: 2)
    }

    /// Trains with NaN for a gradient in the steps `bad`; all events, and the error where there is one.
    func train(bad: Set<Int>) throws -> (events: [TrainingEvent], error: TrainingError?) {
      var events: [TrainingEvent] = []
      let output = try OutputFolder(configuration.output, overwrites: true)
      let run = try TrainingRun<Layer>(configuration, model, data, output) { step, gradients in
        if bad.contains(step) { gradients.writable(gradients.layout.slots[0])[0, 0] = .nan }
      }
      do { _ = try run.run(stop: StopRequest()) { events.append($0) } } catch let error as TrainingError {
        return (events, error)
      }
      return (events, nil)
    }

    /// The same written out: no update in the steps `bad`; after the step `rollback`, everything of the 100th.
    func expected(steps: Int, bad: Set<Int>, rollback: Int? = nil) throws -> [Double] {
      let network = Network<Layer>(model)
      let bptt = TruncatedBPTT(network, lanes: 4, k1: 10, workers: Workers(threads: 1))
      var parameters = network.initialParameters(seed: configuration.seed)
      var optimizer = Adam<Float>(.init(), layout: network.layout)
      var rate = configuration.learningRate
      var kept: (ParameterSet<Float>, Adam<Float>, [[[Float]]])?
      var cursor = WindowCursor(data.windows)
      for step in 1...steps {
        if cursor.index == 0 { bptt.resetState() }
        if step == 101 {
          kept = (parameters, optimizer, bptt.states.joined().map { [$0.hidden.elements, $0.cell?.elements ?? []] })
        }
        _ = bptt.step(data.training.window(cursor.steps), parameters: parameters)
        cursor.advance()
        if !bad.contains(step) {
          bptt.gradients.clip(toNorm: 0.5, measured: bptt.gradients.norm)
          optimizer.update(&parameters, gradients: bptt.gradients, learningRate: rate)
        }
        if step == rollback, let kept {
          (parameters, optimizer, rate) = (kept.0, kept.1, rate / 2)
          for (layer, values) in zip(bptt.states.joined(), kept.2) {
            layer.hidden.copy(from: values[0])
            layer.cell?.copy(from: values[1])
          }
        }
      }
      return network.layout.slots.flatMap { parameters[$0].elements.map(Double.init) }
    }

    /// The numbers of the saved model.
    func saved() throws -> [Double] {
      let file = try Safetensors(parsing: Files.read("\(configuration.output)/model.safetensors"))
      return try Network<Layer>(model).layout.entries.flatMap { try #require(file[$0.name]).doubles }
    }
  }

  /// A bad gradient costs its update and nothing else: the state goes on.
  @Test(arguments: [[], [1], [7], [29, 30, 33], Set(40..<49)] as [Set<Int>])
  func aBadStepIsOneWithoutItsUpdate(_ bad: Set<Int>) throws {
    try withTemporaryFolder { folder in
      let example = try Example(folder, steps: 60)
      let (events, error) = try example.train(bad: bad)
      #expect(error == nil)
      let skipped = events.compactMap { if case .skipped(let skipped) = $0 { skipped } else { nil } }
      #expect(skipped.map(\.step) == bad.sorted())
      #expect(skipped.allSatisfy { $0.reason == .gradientNotFinite && $0.gradientNorm.isNaN && $0.loss > 0 })
      #expect(try example.saved() == example.expected(steps: 60, bad: bad))
    }
  }

  /// After ten bad steps in a row: weights, moments, their count and the carried state of the last kept step, half the
  /// learning rate, and the text that follows.
  @Test func goesBackOnce() throws {
    try withTemporaryFolder { folder in
      let example = try Example(folder, steps: 150)
      let bad = Set(121...130)
      let (events, error) = try example.train(bad: bad)
      #expect(error == nil)
      let rollbacks = events.compactMap { if case .rollback(let rollback) = $0 { rollback } else { nil } }
      #expect(rollbacks.map(\.step) == [130] && rollbacks.map(\.toStep) == [100])
      #expect(rollbacks.map(\.learningRate) == [0.005])
      let rates = events.compactMap { if case .step(let step) = $0 { step.learningRate } else { nil } }
      #expect(rates == Array(repeating: 0.01, count: 129) + Array(repeating: 0.005, count: 21))
      #expect(try example.saved() == example.expected(steps: 150, bad: bad, rollback: 130))
    }
  }

  /// A second time ends the run: one error that says what and where, and the last good weights on disk.
  @Test func givesUpWithAGoodModel() throws {
    try withTemporaryFolder { folder in
      let example = try Example(folder, steps: 400)
      let (events, error) = try example.train(bad: Set(121...130).union(241...250))
      let words = try #require(error).description
      #expect(words.contains("up to step 250 (the gradient is not finite)") && words.contains("back to step 100;"))
      #expect(words.contains("best model so far is in \(Files.resolved(folder))/model"))
      #expect(try example.saved() == example.expected(steps: 200, bad: Set(121...130), rollback: 130))
      guard case .end(let end) = events.last else { throw Unexpected(message: "the last event is no end") }
      #expect(end.reason == .diverged && end.steps == 250)
    }
  }

  /// A run that ends amid bad steps saves the last good weights, not those under suspicion.
  @Test func endsAmidBadSteps() throws {
    try withTemporaryFolder { folder in
      let example = try Example(folder, steps: 119)
      let (_, error) = try example.train(bad: [118, 119])
      #expect(error == nil)
      #expect(try example.saved() == example.expected(steps: 100, bad: []))
    }
  }

  /// Weights under suspicion are not scored: a validation amid bad steps is left out.
  @Test func validationsWaitForGoodSteps() throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 60, validation: 0.1)
      example.configuration.validateEvery = 10
      let (events, _) = try example.train(bad: [20, 39, 40, 41])
      let validations = events.compactMap { if case .validation(let event) = $0 { event.step } else { nil } }
      #expect(validations == [10, 30, 50, 60])
    }
  }

  /// A loss that is bad makes the streams begin anew: each step's gradient is that of its window alone. Where no step
  /// was good, no model is saved, whether the run is given up or its steps are over.
  @Test(arguments: [50, 5]) func aBadLossResetsTheState(_ limit: Int) throws {
    try withTemporaryFolder { folder in
      let example = try Example(folder, steps: limit)
      let network = Network<Layer>(example.model)
      var initial = network.initialParameters(seed: 1)
      initial.writable(network.layout.slots[network.layout.slots.count - 1])[0, 3] = 1000
      let bptt = TruncatedBPTT(network, lanes: 4, k1: 10, workers: Workers(threads: 1))
      let output = try OutputFolder(example.configuration.output, overwrites: false)
      var steps = 0
      let run = try TrainingRun<Layer>(
        example.configuration, example.model, example.data, output, initial: initial
      ) { step, gradients in
        steps += 1
        bptt.resetState()
        _ = bptt.step(example.data.training.window((step - 1) * 10..<step * 10), parameters: initial)
        #expect(bptt.gradients.flat.elements == gradients.flat.elements)
      }
      #expect(throws: TrainingError.self) { _ = try run.run(stop: StopRequest()) { _ in } }
      #expect(steps == min(limit, 10))
      #expect(Files.kind("\(folder)/model/model.safetensors") == .nothing)
    }
  }

  /// Weights that are not finite are no checkpoint, not even at the end.
  @Test func noCheckpointOfWeightsThatAreNotFinite() throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 5)
      example.configuration.checkpointEvery = .steps(1)
      let network = Network<Layer>(example.model)
      var initial = network.initialParameters(seed: 1)
      initial.writable(network.layout.slots[0])[0, 0] = .infinity
      let output = try OutputFolder(example.configuration.output, overwrites: false)
      let run = try TrainingRun<Layer>(
        example.configuration, example.model, example.data, output, initial: initial)
      var checkpoints = 0
      #expect(throws: TrainingError.self) {
        _ = try run.run(stop: StopRequest()) { if case .checkpoint = $0 { checkpoints += 1 } }
      }
      #expect(checkpoints == 0)
    }
  }

  /// The log has the norm before clipping and how often clipping bit: in the steps of a line, and in all.
  @Test(arguments: [1e-6, 0.35, 1e6], [1, 4])
  func countsClipping(_ clip: Double, _ logEvery: Int) throws {
    try withTemporaryFolder { folder in
      var example = try Example(folder, steps: 40)
      example.configuration.clip = clip
      example.configuration.logEvery = logEvery
      var norms: [Double] = []
      let output = try OutputFolder(example.configuration.output, overwrites: false)
      let run = try TrainingRun<Layer>(example.configuration, example.model, example.data, output) { _, gradients in
        norms.append(gradients.norm)
      }
      var lines: [TrainingEvent.Step] = []
      _ = try run.run(stop: StopRequest()) {
        if case .step(let line) = $0, line.step % logEvery == 0 { lines.append(line) }
      }
      #expect(lines.count == 40 / logEvery)
      func share(_ steps: Range<Int>) -> Double { Double(norms[steps].count { $0 > clip }) / Double(steps.count) }
      #expect(lines.map(\.clipped) == lines.map { share($0.step - logEvery..<$0.step) })
      #expect(lines.map(\.clippedOverall) == lines.map { share(0..<$0.step) })
      #expect(lines.map(\.gradientNorm) == lines.map { norms[$0.step - 1] })
    }
  }
}

private struct Unexpected: Error { let message: String }
