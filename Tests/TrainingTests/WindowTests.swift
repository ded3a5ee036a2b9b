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

/// Runs over windows of variable length and epochs that begin anywhere.
@Suite struct WindowTests {
  private typealias Layer = LSTM<Float32Kernels>

  /// A small run over two and a half epochs or so; all its events, and the configuration.
  private static func run(
    _ folder: String, varies: Bool, offset: Bool, k2: Int? = nil, limit: TrainingConfiguration.Limit,
    validation: Double = 0, symbols: Int = 3000
  ) throws -> (events: [TrainingEvent], configuration: TrainingConfiguration) {
    var configuration = TrainingConfiguration(
      source: LaggedXor(lag: 2, probability: 0.1), length: symbols, output: "\(folder)/model")
    (configuration.embeddingSize, configuration.hiddenSize, configuration.layers) = (3, 6, 1)
    (configuration.lanes, configuration.k1, configuration.k2) = (4, 12, k2)
    (configuration.variesK1, configuration.hasRandomOffset) = (varies, offset)
    (configuration.limit, configuration.validation, configuration.logEvery) = (limit, .fraction(validation), 1)
    var events: [TrainingEvent] = []
    _ = try Trainer.train(configuration, on: Layer.self, stop: StopRequest()) { events.append($0) }
    return (events, configuration)
  }

  private static func steps(_ events: [TrainingEvent]) -> [TrainingEvent.Step] {
    // A slow step is shown, and then logged.
    events.compactMap { if case .step(let step) = $0 { step } else { nil } }
      .reduce(into: []) { steps, step in if steps.last?.step != step.step { steps.append(step) } }
  }

  /// The same written out: which windows are read, which losses count, which rate each update has.
  @Test(arguments: [false, true], [(true, nil), (true, 4), (false, nil)] as [(Bool, Int?)])
  func trainsOnTheScheduledWindows(_ offset: Bool, _ lengths: (varies: Bool, k2: Int?)) throws {
    try withTemporaryFolder { folder in
      let (events, configuration) = try Self.run(
        folder, varies: lengths.varies, offset: offset, k2: lengths.k2, limit: .steps(150))
      let steps = Self.steps(events)
      let data = try TrainingData(configuration)
      let model = try ModelConfiguration(
        vocabularySize: data.tokenizer.vocabularySize, embeddingSize: 3, hiddenSize: 6, layers: 1)
      let network = Network<Layer>(model)
      let k1 = lengths.varies ? 37 : 12
      let bptt = TruncatedBPTT(network, lanes: 4, Truncation(k1: k1, k2: lengths.k2), workers: Workers(threads: 1))
      var parameters = network.initialParameters(seed: 1)
      var optimizer = Adam<Float>(.init(), layout: network.layout)
      var cursor = WindowCursor(data.windows)
      var tokens = 0
      for step in steps {
        let window = data.training.window(cursor.steps, offset: cursor.offset)
        let rate = lengths.varies ? 0.003 * Double(window.steps) / 12 : 0.003
        if cursor.index == 0 { bptt.resetState() }
        let loss = bptt.step(window, parameters: parameters)
        tokens += window.targets.count
        #expect(step.loss == loss / Double(window.targets.count))
        #expect(step.tokens == tokens && step.epoch == cursor.epoch + 1 && abs(step.learningRate - rate) < 1e-15)
        bptt.gradients.clip(toNorm: 1, measured: bptt.gradients.norm)
        optimizer.update(&parameters, gradients: bptt.gradients, learningRate: rate)
        cursor.advance()
      }
      #expect(steps.count == 150 && cursor.epoch == 2)
      let file = try Safetensors(parsing: Files.read("\(folder)/model/model.safetensors"))
      for slot in network.layout.slots {
        let saved = try #require(file[network.layout[slot].name]).doubles
        #expect(saved == parameters[slot].elements.map(Double.init))
      }
    }
  }

  /// A run of epochs ends with the last one's last window; all its steps are known before.
  @Test(arguments: [false, true])
  func epochsEndWithTheirText(_ offset: Bool) throws {
    try withTemporaryFolder { folder in
      let (events, configuration) = try Self.run(folder, varies: true, offset: offset, limit: .epochs(3))
      let data = try TrainingData(configuration)
      let counts = (0..<3).map(data.windows.windowCount(ofEpoch:))
      let steps = Self.steps(events)
      #expect(Set(counts).count > 1 && steps.count == counts.reduce(0, +))
      #expect((1...3).map { epoch in steps.count { $0.epoch == epoch } } == counts)
      #expect(steps.allSatisfy { abs($0.progress - Double($0.step) / Double(steps.count)) < 1e-12 })
      #expect(steps.last?.progress == 1 && steps.last?.remaining == 0)
      let epochs = events.compactMap { if case .epoch(let epoch) = $0 { epoch } else { nil } }
      #expect(epochs.map(\.epoch) == [1, 2, 3])
      guard case .start(let start) = events[0] else { throw TestFailure(message: "the first event is no start") }
      #expect(start.stepsPerEpoch == counts[0] && start.stepsVary && start.offsetsVary == offset)
      #expect(start.trainingTokens == 2996 && start.leftOutTokens == 3)
    }
  }

  /// One validation at each epoch's end, where an epoch has 100 to 500 steps, however many it has.
  @Test(arguments: [false, true])
  func validatesAtEachEpochsEnd(_ varies: Bool) throws {
    try withTemporaryFolder { folder in
      let (events, configuration) = try Self.run(
        folder, varies: varies, offset: false, limit: .epochs(2), validation: 0.01, symbols: 9000)
      let windows = try TrainingData(configuration).windows
      let counts = (0..<2).map(windows.windowCount(ofEpoch:))
      let validations = events.compactMap { if case .validation(let event) = $0 { event.step } else { nil } }
      #expect(validations == [counts[0], counts[0] + counts[1]])
      #expect(counts.allSatisfy { (100...500).contains($0) } && (counts[0] == counts[1]) == !varies)
    }
  }
}

private struct TestFailure: Error { let message: String }
