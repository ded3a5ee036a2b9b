import Compute
import LanguageModeling
import Recurrence
import TestSupport
import Testing
import Tokenization

@Suite struct CarriedStateTests {
  private func window(_ seed: UInt64) -> TokenWindow {
    var random = CounterRandom(seed: seed, purpose: .corpus)
    let tokens = (0..<2 * 5 * 10).map { _ in Int32(random.next() % 7) }
    return TokenWindow(steps: 5, lanes: 10, inputs: Array(tokens[..<50]), targets: Array(tokens[50...]))
  }

  private func check<Layer: RecurrentLayer>(_: Layer.Type, trainsInitialState: Bool) throws {
    let network = Network<Layer>(
      try ModelConfiguration(
        cell: Layer.hasCell ? .lstm : .gru, vocabularySize: 7, embeddingSize: 3, hiddenSize: 6, layers: 2,
        trainsInitialState: trainsInitialState))
    let parameters = network.initialParameters(seed: 1)
    let bptt = TruncatedBPTT(network, lanes: 10, k1: 5, workers: Workers(threads: 1))
    let fresh = bptt.carriedState()
    let first = bptt.step(window(1), parameters: parameters)
    let saved = bptt.carriedState()
    let second = bptt.step(window(2), parameters: parameters)
    #expect(second != bptt.step(window(2), parameters: parameters), "the state makes no difference")
    bptt.restore(saved)
    #expect(bptt.step(window(2), parameters: parameters) == second)
    bptt.restore(fresh)
    #expect(bptt.beginsStream)
    #expect(bptt.step(window(1), parameters: parameters) == first)
  }

  /// A restored state is what was saved, whatever was read since, and whether the next window begins a stream.
  @Test(arguments: [false, true]) func comesBack(_ trainsInitialState: Bool) throws {
    try check(LSTM<DoubleKernels>.self, trainsInitialState: trainsInitialState)
    try check(GRU<DoubleKernels>.self, trainsInitialState: trainsInitialState)
    try check(LSTM<Float32Kernels>.self, trainsInitialState: trainsInitialState)
  }

  /// One number that is not finite, in any group of lanes and any layer, is found.
  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func findsWhatIsNotFinite(_ value: Float) throws {
    let network = Network<LSTM<Float32Kernels>>(
      try ModelConfiguration(vocabularySize: 7, embeddingSize: 3, hiddenSize: 6, layers: 2))
    let bptt = TruncatedBPTT(network, lanes: 10, k1: 5, workers: Workers(threads: 1))
    #expect(bptt.states.count > 1)
    for state in bptt.states.joined() {
      for rows in [state.hidden, try #require(state.cell)] {
        #expect(bptt.hasFiniteState)
        rows[rows.rows - 1, 5] = value
        #expect(!bptt.hasFiniteState)
        rows[rows.rows - 1, 5] = 0
      }
    }
  }
}
