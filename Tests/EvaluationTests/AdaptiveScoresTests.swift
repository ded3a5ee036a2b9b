import Compute
import Evaluation
import Foundation
import LanguageModeling
import Recurrence
import TestSupport
import Testing
import Tokenization

/// Dynamic evaluation and the neural cache, with small models of random weights.
@Suite struct AdaptiveScoresTests {
  private func model<K: Kernels>(
    _ cell: TestedCell, _: K.Type, documents: DocumentSymbols? = nil, trainsInitialState: Bool = false
  ) throws -> any LanguageModel {
    func open<Layer: RecurrentLayer>(_: Layer.Type) throws -> any LanguageModel {
      let network = Network<Layer>(
        try ModelConfiguration(
          cell: cell.cell, nonlinearity: cell.nonlinearity, vocabularySize: 12, embeddingSize: 7, hiddenSize: 18,
          layers: 2, trainsInitialState: trainsInitialState, documents: documents))
      return RecurrentLanguageModel(network: network, parameters: network.initialParameters(seed: 3))
    }
    return try open(cell.layer(K.self))
  }

  private func random(_ count: Int, seed: UInt64 = 1) -> [Int32] {
    var random = CounterRandom(seed: seed, purpose: .corpus)
    return (0..<count).map { _ in Int32(random.uniform() * 12) }
  }

  private func still(_ rule: DynamicEvaluation.Rule) -> DynamicEvaluation {
    var settings = DynamicEvaluation(rule: rule)
    (settings.learningRate, settings.decay, settings.windowLength) = (0, 0, 7)
    return settings
  }

  private func expectStillness(_ model: any LanguageModel, _ rule: DynamicEvaluation.Rule) throws {
    var cache = NeuralCache.Settings()
    cache.share = 0
    let stream = random(200)
    let scores = try AdaptiveScores(of: [stream], by: model, dynamic: still(rule), cache: cache)
    #expect(scores.plain == Scorer(model).score(stream))
    #expect(scores.dynamic == scores.plain && scores.cached == scores.plain && scores.both == scores.plain)
  }

  /// What does not learn, and a cache without a share, is the model as it is, to the bit.
  @Test(arguments: TestedCell.allCases, DynamicEvaluation.Rule.allCases)
  func withoutLearningNothingChanges(_ cell: TestedCell, _ rule: DynamicEvaluation.Rule) throws {
    try expectStillness(model(cell, Float32Kernels.self), rule)
    try expectStillness(model(cell, DoubleKernels.self), rule)
    try expectStillness(model(cell, Float32Kernels.self, trainsInitialState: true), rule)
  }

  @Test(.needsBFloat16) func withoutLearningNothingChangesInBFloat16() throws {
    try expectStillness(model(.lstm, BFloat16Kernels.self), .rms)
  }

  /// Documents begin anew in both readers, and their beginnings are not scored.
  @Test func documentsBeginAnew() throws {
    let symbols = DocumentSymbols(start: 0, end: 1, cut: .line)
    let model = try model(.lstm, DoubleKernels.self, documents: symbols)
    let documents = (0..<6).map { [0] + random(9 + $0, seed: UInt64($0)).map { max($0, 2) } + [1] }
    let scores = try AdaptiveScores(of: [documents.flatMap { $0 }], by: model, dynamic: still(.sgd), cache: nil)
    let expected = Scorer(model).score(documents: documents.flatMap { $0 }, symbols).all
    #expect(scores.plain.tokens == expected.tokens && abs(scores.plain.nats - expected.nats) < 1e-9)
    #expect(scores.dynamic == scores.plain)
  }

  /// A symbol is scored before anything is learnt from it: the first window, and with rms all of the warm-up.
  @Test(arguments: [(DynamicEvaluation.Rule.sgd, 1), (.rms, DynamicEvaluation.warmUp)])
  func scoresBeforeItLearns(_ rule: DynamicEvaluation.Rule, _ windows: Int) throws {
    var settings = DynamicEvaluation(rule: rule)
    (settings.learningRate, settings.windowLength) = (0.1, 5)
    let model = try model(.gru, DoubleKernels.self)
    let first = try AdaptiveScores(of: [random(5 * windows + 1)], by: model, dynamic: settings, cache: nil)
    #expect(first.dynamic == first.plain)
    let more = try AdaptiveScores(of: [random(5 * windows + 2)], by: model, dynamic: settings, cache: nil)
    #expect(more.dynamic != more.plain)
  }

  /// One step by hand: the second window is scored by weights that went down the first one's gradient, half of the way
  /// back to where they came from, from a state that the old weights made.
  @Test func aStepByHand() throws {
    let network = Network<LSTM<DoubleKernels>>(
      try ModelConfiguration(vocabularySize: 12, embeddingSize: 7, hiddenSize: 18, layers: 2))
    let parameters = network.initialParameters(seed: 3)
    let model = RecurrentLanguageModel(network: network, parameters: parameters)
    let stream = random(11)
    let windows = [0, 5].map { start in
      TokenWindow(
        steps: 5, lanes: 1, inputs: Array(stream[start..<start + 5]), targets: Array(stream[start + 1...start + 5]))
    }
    let training = TruncatedBPTT(network, lanes: 1, k1: 5, workers: Workers(threads: 1))
    var loss = training.step(windows[0], parameters: parameters)
    var weights = parameters
    Double.sgd(rate: 0.5, penalty: 0, gradient: training.gradients.flat, weights: weights.writableFlat())
    loss += training.step(windows[1], parameters: weights)
    var settings = DynamicEvaluation(rule: .sgd)
    (settings.learningRate, settings.decay, settings.windowLength) = (0.5, 0.5, 5)
    let scores = try AdaptiveScores(of: [stream], by: model, dynamic: settings, cache: nil)
    let dynamic = try #require(scores.dynamic)
    #expect(abs(dynamic.nats - loss) < 1e-12 && dynamic.tokens == 10)
  }

  /// Two steps of rms by hand, with the squares of a given text: the first from the trained weights, the second pulled back
  /// to them.
  @Test func rootsByHand() throws {
    let network = Network<LSTM<DoubleKernels>>(
      try ModelConfiguration(vocabularySize: 12, embeddingSize: 7, hiddenSize: 18, layers: 2))
    let parameters = network.initialParameters(seed: 3)
    let (given, stream) = (random(26, seed: 5), random(16))
    func windows(_ stream: [Int32]) -> [TokenWindow] {
      stride(from: 0, to: stream.count - 1, by: 5).map { start in
        TokenWindow(
          steps: 5, lanes: 1, inputs: Array(stream[start..<start + 5]), targets: Array(stream[start + 1...start + 5]))
      }
    }
    let training = TruncatedBPTT(network, lanes: 1, k1: 5, workers: Workers(threads: 1))
    var roots = [Double](repeating: 0, count: parameters.flat.count)
    for window in windows(given) {
      _ = training.step(window, parameters: parameters)
      for (j, g) in training.gradients.flat.elements.enumerated() { roots[j] += g * g / 5 }
    }
    roots = roots.map { $0.squareRoot() }
    let mean = roots.reduce(0, +) / Double(network.layout.count)
    training.resetState()
    var (weights, loss) = (parameters, 0.0)
    for window in windows(stream) {
      loss += training.step(window, parameters: weights)
      let (g, old, base) = (training.gradients.flat.elements, weights.flat.elements, parameters.flat.elements)
      let flat = weights.writableFlat()
      for (j, root) in roots.enumerated() {
        flat[0, j] = old[j] - 0.01 * g[j] / (root + 0.003) + min(1, 0.4 * root / mean) * (base[j] - old[j])
      }
    }
    let model = RecurrentLanguageModel(network: network, parameters: parameters)
    let scores = try AdaptiveScores(
      of: [stream], by: model, dynamic: Self.learning(rate: 0.01, decay: 0.4, epsilon: 0.003), cache: nil,
      statistics: given)
    #expect(abs(try #require(scores.dynamic?.nats) - loss) < 1e-10 && abs(scores.plain.nats - loss) > 1e-4)
  }

  /// A text that repeats itself is predicted better by what learns and by what remembers, and best by both.
  @Test(arguments: DynamicEvaluation.Rule.allCases)
  func aTextThatRepeatsItselfGains(_ rule: DynamicEvaluation.Rule) throws {
    var settings = DynamicEvaluation(rule: rule)
    (settings.learningRate, settings.decay, settings.windowLength) = rule == .sgd ? (1, 0, 5) : (0.01, 0, 5)
    var cache = NeuralCache.Settings()
    (cache.share, cache.flatness) = (0.3, 30)
    let part = random(8).map { $0 / 3 }
    let stream = (0..<200).flatMap { _ in part }
    let scores = try AdaptiveScores(
      of: [stream], by: model(.lstm, Float32Kernels.self), dynamic: settings, cache: cache)
    for score in [scores.dynamic, scores.cached, scores.both] {
      #expect(try #require(score?.mean) < scores.plain.mean - 0.2)
    }
  }

  /// Weights and memory begin anew with each text, and given gradients differ from those of the text.
  @Test func textsDoNotKnowOfEachOther() throws {
    let model = try model(.lstm, Float32Kernels.self)
    let (a, b) = (random(700), random(700, seed: 2))
    var settings = DynamicEvaluation()
    settings.learningRate = 0.01
    func scores(_ streams: [[Int32]], _ statistics: [Int32]? = nil) throws -> AdaptiveScores {
      try AdaptiveScores(of: streams, by: model, dynamic: settings, cache: .init(), statistics: statistics)
    }
    let alone = try [scores([a]), scores([b])]
    let together = try scores([a, b])
    for (path, name) in [(\AdaptiveScores.dynamic, "dynamic"), (\.cached, "cache"), (\.both, "both")] {
      let sum = alone.compactMap { $0[keyPath: path]?.nats }.reduce(0, +)
      #expect(abs(try #require(together[keyPath: path]?.nats) - sum) < 1e-8, "\(name)")
    }
    let given = try scores([a], random(900, seed: 3))
    let twice = try scores([a, a], random(900, seed: 3))
    #expect(abs(try #require(twice.dynamic?.nats) - 2 * (given.dynamic?.nats ?? 0)) < 1e-8)
    #expect(given.plain == alone[0].plain && given.dynamic != alone[0].dynamic && given.dynamic != given.plain)
  }

  /// Threads share the passes, not their sums.
  @Test(arguments: [nil, DocumentSymbols(start: 0, end: 1, cut: .line)])
  func threadsChangeNothing(_ documents: DocumentSymbols?) throws {
    let model = try model(.lstm, Float32Kernels.self, documents: documents)
    let streams = [random(4200), random(1), random(90, seed: 4)]
    func scores(threads: Int) throws -> AdaptiveScores {
      try AdaptiveScores(of: streams, by: model, dynamic: .init(), cache: .init(), threads: threads)
    }
    let one = try scores(threads: 1)
    #expect(try scores(threads: 2) == one)
    #expect(one.both != one.dynamic && one.cached != one.plain)
  }

  /// The cache scores each symbol before it remembers it, one after another, whatever the reader's window; what begins a
  /// document is neither scored nor remembered.
  @Test(arguments: [nil, DocumentSymbols(start: 0, end: 1, cut: .line)])
  func theCacheByHand(_ documents: DocumentSymbols?) throws {
    let model = try model(.lstm, Float32Kernels.self, documents: documents)
    var settings = NeuralCache.Settings()
    (settings.window, settings.share) = (50, 0.3)
    let stream = random(1300)
    let (reader, memory) = (model.makeReader(lanes: 1, steps: 1), NeuralCache(settings, hiddenSize: 18))
    var nats = 0.0
    for (token, target) in zip(stream, stream.dropFirst()) {
      let loss = reader.losses(TokenWindow(steps: 1, lanes: 1, inputs: [token], targets: [target]))[0]
      guard target != documents?.start else { continue }
      let hidden = reader.outputs(steps: 1)
      nats -= log(memory.probability(of: target, exp(-loss), after: hidden))
      memory.add(target, after: hidden)
    }
    let scores = try AdaptiveScores(of: [stream], by: model, dynamic: nil, cache: settings)
    let cached = try #require(scores.cached)
    #expect(abs(cached.mean - nats / Double(cached.tokens)) < 1e-6 && cached != scores.plain)
  }

  /// Over all symbols the mixture adds up to 1, and without memory the model stands alone.
  @Test func mixturesAreDistributions() {
    let cache = NeuralCache(.init(), hiddenSize: 3)
    let model = [0.5, 0.25, 0.125, 0.125]
    let hidden = Rows<Float>(1, 3, [0.1, -0.2, 0.3])
    func mixture() -> [Double] { model.indices.map { cache.probability(of: Int32($0), model[$0], after: hidden) } }
    #expect(mixture() == model)
    for symbol in [3, 1, 3] as [Int32] { cache.add(symbol, after: Rows(1, 3, [Float(symbol), 0.5, -1])) }
    #expect(abs(mixture().reduce(0, +) - 1) < 1e-12)
    #expect(mixture()[0] == 0.5 * (1 - cache.settings.share) && mixture()[3] > 0.125)
  }

  @Test func bytesCannotLearn() throws {
    let model = try model(.lstm, Int8Kernels.self)
    #expect(throws: ConfigurationError.self) {
      try AdaptiveScores(of: [random(50)], by: model, dynamic: .init(), cache: nil)
    }
    let cached = try AdaptiveScores(of: [random(50)], by: model, dynamic: nil, cache: .init())
    #expect(cached.cached != nil && cached.dynamic == nil)
  }

  private static func learning(
    rate: Double = 0.1, decay: Double = 0, window: Int = 5, epsilon: Double = 1
  ) -> DynamicEvaluation {
    var settings = DynamicEvaluation()
    (settings.learningRate, settings.decay) = (rate, decay)
    (settings.windowLength, settings.epsilon) = (window, epsilon)
    return settings
  }

  @Test(arguments: [
    ("dynamic-rate", learning(rate: -1)), ("dynamic-rate", learning(rate: .nan)), ("dynamic-decay", learning(decay: 2)),
    ("dynamic-window", learning(window: 0)), ("dynamic-epsilon", learning(epsilon: 0)),
  ])
  func settingsOfLearning(_ name: String, _ settings: DynamicEvaluation) {
    let error = #expect(throws: InvalidAdaptation.self) { try settings.validate() }
    #expect(error?.description.hasPrefix(name) == true)
  }

  private static func cache(window: Int = 9, flatness: Double = 1, share: Double = 0.5) -> NeuralCache.Settings {
    var settings = NeuralCache.Settings()
    (settings.window, settings.flatness, settings.share) = (window, flatness, share)
    return settings
  }

  @Test(arguments: [
    ("cache-window", cache(window: 0)), ("cache-flatness", cache(flatness: -1)), ("cache-share", cache(share: 1)),
  ])
  func settingsOfTheCache(_ name: String, _ settings: NeuralCache.Settings) {
    let error = #expect(throws: InvalidAdaptation.self) { try settings.validate() }
    #expect(error?.description.hasPrefix(name) == true)
  }
}
