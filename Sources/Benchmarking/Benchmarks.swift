import Compute
import LanguageModeling
import Optimization
import Recurrence
import Sampling
import Tokenization

/// The benchmarks, one function each.
public enum Benchmarks {
  /// Training as `unroll train` does it: window after window, forward, backward, clipping, Adam.
  public static func train(_ configuration: BenchmarkConfiguration) throws -> BenchmarkResult {
    try configuration.precision.requireTraining()
    return train(
      configuration, configuration.model.trainingLayer(configuration.precision, profiled: configuration.profiles))
  }

  private static func train<Layer: RecurrentLayer>(
    _ configuration: BenchmarkConfiguration, _: Layer.Type
  ) -> BenchmarkResult {
    let network = Network<Layer>(configuration.model)
    let bptt = TruncatedBPTT(
      network, lanes: configuration.lanes, k1: configuration.k1, workers: Workers(threads: configuration.threads))
    var parameters = network.initialParameters(seed: 1)
    var update = ClippedUpdate(
      Adam<Layer.K.Real>(.init(), layout: network.layout), clipping: GradientClipping(maximumNorm: 5))
    let window = randomWindow(configuration)
    return BenchmarkResult(
      task: "train", configuration, Layer.K.self,
      operationsPerSymbol: trainingOperations(configuration, gates: Layer.gateCount), times: { bptt.times },
      work: {
        _ = bptt.step(window, parameters: parameters)
        let norm = bptt.gradients.norm
        update.apply(&bptt.gradients, measured: norm, to: &parameters, learningRate: 0.002, on: bptt.workers)
        return window.targets.count
      })
  }

  /// Scoring `lanes` texts at once in windows of k1 symbols.
  public static func score(_ configuration: BenchmarkConfiguration) -> BenchmarkResult {
    readerBenchmark("perplexity", configuration) { reader, window in
      _ = reader.losses(window)
      return window.targets.count
    }
  }

  /// Writing `lanes` texts at once, the draws at temperature 0.8 included.
  public static func generate(_ configuration: BenchmarkConfiguration) throws -> BenchmarkResult {
    let sampler = try Sampler(temperature: 0.8)
    let lanes = configuration.lanes
    let symbols = Rows<Int32>(lanes, 1)
    let texts = (0..<lanes).map { _ in DrawnText() }
    var place = 0
    return readerBenchmark("generate", configuration) { reader, _ in
      for _ in 0..<50 {
        let step = place
        reader.forEachLane(after: symbols.elements) { lane, logits in
          var random = CounterRandom(seed: 1, purpose: .sampling, step: step, lane: lane)
          symbols[lane, 0] = Int32(sampler.draw(logits, using: &random, weights: &texts[lane].weights))
        }
        place += 1
      }
      return 50 * lanes
    }
  }

  /// Memory for the draws of one text, used again as in a generator.
  private final class DrawnText: @unchecked Sendable {  // one thread at a time has it
    var weights: [Double] = []
  }

  private static func readerBenchmark(
    _ task: String, _ configuration: BenchmarkConfiguration,
    _ work: (any LanguageModelReader, TokenWindow) -> Int
  ) -> BenchmarkResult {
    func run<Layer: RecurrentLayer>(_: Layer.Type) -> BenchmarkResult {
      let network = Network<Layer>(configuration.model)
      let model = RecurrentLanguageModel(network: network, parameters: network.initialParameters(seed: 1))
      let reader = model.makeReader(
        lanes: configuration.lanes, steps: configuration.k1, threads: configuration.threads)
      if configuration.profiles { reader.times = PhaseTimes() }
      let window = randomWindow(configuration)
      return BenchmarkResult(
        task: task, configuration, Layer.K.self,
        operationsPerSymbol: forwardOperations(configuration.model, gates: Layer.gateCount),
        times: { reader.times }, work: { work(reader, window) })
    }
    return run(configuration.model.layer(configuration.precision))
  }

  private static func randomWindow(_ configuration: BenchmarkConfiguration) -> TokenWindow {
    var random = CounterRandom(seed: 1, purpose: .corpus)
    let symbols = (0..<(configuration.k1 + 1) * configuration.lanes).map { _ in
      Int32(random.next() % UInt64(configuration.model.vocabularySize))
    }
    let count = configuration.k1 * configuration.lanes
    return TokenWindow(
      steps: configuration.k1, lanes: configuration.lanes, inputs: Array(symbols[..<count]),
      targets: Array(symbols[configuration.lanes...]))
  }

  // MARK: Operations

  /// Layer 0 reads its input from a table: its only product is the recurrent one.
  static func forwardOperations(_ model: ModelConfiguration, gates: Int) -> Double {
    let (hidden, layers) = (Double(model.hiddenSize), Double(model.layers))
    return 2 * (2 * layers - 1) * Double(gates) * hidden * hidden + 2 * hidden * Double(model.vocabularySize)
  }

  /// Forward, and back through inputs and weights: each product thrice. The table and its gradient, once an update or a
  /// lane group, are counted where they are used.
  static func trainingOperations(_ configuration: BenchmarkConfiguration, gates: Int) -> Double {
    let model = configuration.model
    let symbols = configuration.lanes * configuration.k1
    let perSymbol = 3 * forwardOperations(model, gates: gates)
    let product = 2 * Double(gates * model.hiddenSize) * Double(model.embeddingSize)
    guard symbols >= model.vocabularySize else { return perSymbol + 3 * product }
    let groups = Double(laneGroups(configuration.lanes).count)
    return perSymbol + product * Double(model.vocabularySize) * (1 + 2 * groups) / Double(symbols)
  }
}
