import Compute
import LanguageModeling
import Recurrence
import Synchronization
import TestSupport
import Testing
import Tokenization

/// Readers whose threads have lanes of their own do what one thread does, to the bit.
@Suite struct SideBySideReaderTests {
  static let (vocabulary, lanes) = (19, 5)

  private func model<K: Kernels>(_ cell: TestedCell, _: K.Type) throws -> any LanguageModel {
    func model<Layer: RecurrentLayer>(_: Layer.Type) throws -> any LanguageModel {
      let network = Network<Layer>(
        try ModelConfiguration(
          cell: cell.cell, nonlinearity: cell.nonlinearity, vocabularySize: Self.vocabulary, embeddingSize: 5,
          hiddenSize: 22, layers: 2))
      return RecurrentLanguageModel(network: network, parameters: network.initialParameters(seed: 1))
    }
    return try model(cell.layer(K.self))
  }

  private func models(_ cell: TestedCell) throws -> [any LanguageModel] {
    [try model(cell, DoubleKernels.self), try model(cell, Float32Kernels.self)]
      + (cell == .reluRNN ? [] : [try model(cell, Int8Kernels.self)])
  }

  private func symbols(_ count: Int, seed: UInt64) -> [Int32] {
    var random = CounterRandom(seed: seed, purpose: .corpus)
    return (0..<count).map { _ in Int32(random.next() % UInt64(Self.vocabulary)) }
  }

  /// The logits that each lane was handed, and how often.
  private func handedOut(_ reader: any LanguageModelReader, after symbols: [Int32]) -> [[[Double]]] {
    let handed = Mutex([[[Double]]](repeating: [], count: reader.lanes))
    reader.forEachLane(after: symbols) { lane, logits in handed.withLock { $0[lane].append(Array(logits)) } }
    return handed.withLock { $0 }
  }

  @Test(arguments: TestedCell.allCases, [2, 3, 5])
  func readsAsOneThreadDoes(_ cell: TestedCell, _ threads: Int) throws {
    for model in try models(cell) {
      let expected = model.makeReader(lanes: Self.lanes, steps: 9, threads: 1)
      let reader = model.makeReader(lanes: Self.lanes, steps: 9, threads: threads)
      for (steps, seed) in zip([7, 1, 9], UInt64(1)...) {
        let inputs = symbols(steps * Self.lanes, seed: seed)
        let window = TokenWindow(
          steps: steps, lanes: Self.lanes, inputs: inputs, targets: symbols(steps * Self.lanes, seed: seed + 10))
        let (got, wanted) = (
          reader.predictions(window, .init(alternatives: 3)), expected.predictions(window, .init(alternatives: 3))
        )
        #expect(got.surprisals == wanted.surprisals && got.entropies == wanted.entropies && got.ranks == wanted.ranks)
        #expect(got.alternatives == wanted.alternatives && got.totals.isEmpty)
        #expect(got.alternativeSurprisals == wanted.alternativeSurprisals)
        #expect(reader.outputs(steps: steps).elements == expected.outputs(steps: steps).elements)
        let logits = expected.logits(after: inputs)
        #expect(logits.count == Self.lanes * Self.vocabulary)
        let lanes = (0..<Self.lanes).map { Array(logits[$0 * Self.vocabulary..<($0 + 1) * Self.vocabulary]) }
        #expect(handedOut(reader, after: inputs) == lanes.map { [$0] })
        #expect(handedOut(expected, after: inputs) == handedOut(reader, after: inputs))
        #expect(reader.logits(after: inputs) == expected.logits(after: inputs))
      }
      reader.reset()
      expected.reset()
      let inputs = symbols(Self.lanes, seed: 30)
      #expect(reader.logits(after: inputs) == expected.logits(after: inputs))
    }
  }

  /// A lane's state goes from one thread's reader into every lane of all of them.
  @Test(arguments: TestedCell.allCases)
  func statesAreThoseOfTheirLanes(_ cell: TestedCell) throws {
    for model in try models(cell) {
      let expected = model.makeReader(lanes: Self.lanes, steps: 4, threads: 1)
      let reader = model.makeReader(lanes: Self.lanes, steps: 4, threads: 2)
      let inputs = symbols(4 * Self.lanes, seed: 5)
      #expect(reader.logits(after: inputs) == expected.logits(after: inputs))
      let states = (0..<Self.lanes).map { reader.state(ofLane: $0) }
      #expect(states == (0..<Self.lanes).map { expected.state(ofLane: $0) })
      #expect(states[1] != states[4])
      reader.restore(states[4])
      #expect((0..<Self.lanes).allSatisfy { reader.state(ofLane: $0) == states[4] })
      expected.restore(states[4])
      let next = symbols(Self.lanes, seed: 6)
      #expect(reader.logits(after: next) == expected.logits(after: next))
    }
  }

  @Test func timesAreTakenWhereTheyAreAskedFor() throws {
    let reader = try model(.lstm, Float32Kernels.self).makeReader(lanes: Self.lanes, steps: 4, threads: 2)
    _ = reader.logits(after: symbols(Self.lanes, seed: 7))
    #expect(reader.times == nil)
    reader.times = PhaseTimes()
    #expect(reader.times?.total == 0)
    _ = reader.logits(after: symbols(Self.lanes, seed: 8))
    let spent = try #require(reader.times)
    #expect(spent[.products] > 0 && spent[.steps] > 0)
    reader.times = spent
    #expect(reader.times?.total == spent.total)
    reader.times = nil
    #expect(reader.times == nil)
  }
}
