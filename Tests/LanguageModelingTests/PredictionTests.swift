import Compute
import Foundation
import LanguageModeling
import Recurrence
import TestSupport
import Testing
import Tokenization

/// What a reader says of its predictions beside their losses.
@Suite struct PredictionTests {
  static let vocabulary = 71

  private func model<Layer: RecurrentLayer>(_: Layer.Type) throws -> any LanguageModel {
    let network = Network<Layer>(
      try ModelConfiguration(vocabularySize: Self.vocabulary, embeddingSize: 9, hiddenSize: 40, layers: 2))
    return RecurrentLanguageModel(network: network, parameters: network.initialParameters(seed: 1))
  }

  private func models() throws -> [any LanguageModel] {
    [
      try model(LSTM<DoubleKernels>.self), try model(LSTM<Float32Kernels>.self),
      try model(LSTM<BFloat16Kernels>.self), try model(LSTM<Int8Kernels>.self),
    ]
  }

  private func window(steps: Int, lanes: Int) -> TokenWindow {
    var random = CounterRandom(seed: 3, purpose: .corpus)
    func draw() -> [Int32] { (0..<steps * lanes).map { _ in Int32(random.next() % UInt64(Self.vocabulary)) } }
    return TokenWindow(steps: steps, lanes: lanes, inputs: draw(), targets: draw())
  }

  /// To the bit, for any number of threads, and however much is asked beside.
  @Test(arguments: [1, 2, 3, 4], [1, 3])
  func surprisalsAreTheLosses(_ threads: Int, _ lanes: Int) throws {
    let window = window(steps: 23, lanes: lanes)
    for model in try models() {
      let expected = model.makeReader(lanes: lanes, steps: 30, threads: 1).losses(window)
      let reader = model.makeReader(lanes: lanes, steps: 30, threads: threads)
      let bare = reader.predictions(window, .init())
      #expect(bare.surprisals == expected && bare.alternatives.isEmpty && bare.totals.isEmpty)
      reader.reset()
      let full = reader.predictions(window, .init(alternatives: 4, isVerifying: true))
      #expect(full.surprisals == expected && full.entropies == bare.entropies && full.ranks == bare.ranks)
      #expect(full.totals.count == 23 * lanes && full.totals.allSatisfy { abs($0 - 1) < 1e-6 })
    }
  }

  @Test(arguments: [1, 2, 71, 200])
  func describesTheDistribution(_ alternatives: Int) throws {
    let window = window(steps: 12, lanes: 1)
    for (model, bound) in zip(try models(), [1e-12, 2e-6, 2e-6, 2e-6]) {
      let predictions = model.makeReader(lanes: 1, steps: 12).predictions(window, .init(alternatives: alternatives))
      let reader = model.makeReader(lanes: 1, steps: 1)
      let count = min(alternatives, Self.vocabulary)
      for t in 0..<12 {
        let logits = reader.logits(after: [window.inputs[t]])
        let sum = log(logits.reduce(0) { $0 + exp($1) })
        let losses = logits.map { sum - $0 }
        let order = losses.indices.sorted { (losses[$0], $0) < (losses[$1], $1) }
        #expect(abs(predictions.entropies[t] - losses.reduce(0) { $0 + exp(-$1) * $1 }) < bound * 10)
        #expect(order[Int(predictions.ranks[t]) - 1] == Int(window.targets[t]))
        let best = t * count..<(t + 1) * count
        #expect(predictions.alternatives[best].map { Int($0) } == Array(order.prefix(count)))
        #expect(
          largestDifference(Array(predictions.alternativeSurprisals[best]), order.prefix(count).map { losses[$0] })
            < bound)
      }
    }
  }

  /// A model that gives every symbol the same probability: of equals the smaller id comes first.
  @Test func equalsComeInOrder() throws {
    let network = Network<LSTM<Float32Kernels>>(
      try ModelConfiguration(vocabularySize: 50, embeddingSize: 3, hiddenSize: 4, layers: 1))
    let model = RecurrentLanguageModel(network: network, parameters: ParameterSet<Float>(network.layout))
    let window = TokenWindow(steps: 3, lanes: 1, inputs: [0, 1, 2], targets: [0, 17, 49])
    let predictions = model.makeReader(lanes: 1, steps: 3).predictions(window, .init(alternatives: 3))
    #expect(predictions.ranks == [1, 18, 50] && predictions.alternatives == [0, 1, 2, 0, 1, 2, 0, 1, 2])
    #expect(predictions.entropies.allSatisfy { abs($0 - log(50)) < 1e-6 })
  }
}
