import Compute
import LanguageModeling
import Recurrence
import TestSupport
import Testing

/// Lanes that go on from other lanes' states.
@Suite struct GatherTests {
  typealias Make = (_ lanes: Int, _ threads: Int) -> any LanguageModelReader

  private func readers<K: Kernels>(_ cell: TestedCell, _: K.Type) throws -> Make {
    func open<Layer: RecurrentLayer>(_: Layer.Type) throws -> Make {
      let network = Network<Layer>(
        try ModelConfiguration(
          cell: cell.cell, nonlinearity: cell.nonlinearity, vocabularySize: 20, embeddingSize: 5, hiddenSize: 18,
          layers: 2))
      let model = RecurrentLanguageModel(network: network, parameters: network.initialParameters(seed: 1))
      return { model.makeReader(lanes: $0, steps: 3, threads: $1) }
    }
    return try open(cell.layer(K.self))
  }

  /// On one thread, on threads with lanes of their own, and on threads that share the units of all lanes.
  private func expectGathers(_ make: Make) {
    for threads in [1, 2, 3, 5] { expectGathers(make, threads: threads) }
  }

  private func expectGathers(_ make: Make, threads: Int) {
    let reader = make(4, threads)
    _ = reader.logits(after: [1, 2, 3, 4, 5, 6, 7, 8])
    _ = reader.logits(after: [9, 10, 11, 12])
    let texts: [[Int32]] = [[1, 5, 9], [2, 6, 10], [3, 7, 11], [4, 8, 12]]
    let sources = [2, 0, 2, 1]
    reader.gather(lanes: sources)
    let logits = reader.logits(after: [13, 14, 15, 16])
    for (lane, source) in sources.enumerated() {
      let alone = make(1, 1)
      _ = alone.logits(after: texts[source])
      #expect(alone.logits(after: [13 + Int32(lane)]) == Array(logits[lane * 20..<(lane + 1) * 20]))
    }
  }

  @Test(arguments: TestedCell.allCases)
  func everyCell(_ cell: TestedCell) throws {
    expectGathers(try readers(cell, DoubleKernels.self))
    expectGathers(try readers(cell, Float32Kernels.self))
    if cell != .reluRNN { expectGathers(try readers(cell, Int8Kernels.self)) }
  }

  @Test(.needsBFloat16, arguments: TestedCell.allCases)
  func everyCellInBFloat16(_ cell: TestedCell) throws { expectGathers(try readers(cell, BFloat16Kernels.self)) }
}
