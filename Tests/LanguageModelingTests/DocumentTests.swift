import Compute
import LanguageModeling
import Recurrence
import TestSupport
import Testing
import Tokenization

/// Documents in a stream: each begins anew, wherever it lies in a window, a segment or a lane.
@Suite struct DocumentTests {
  static let symbols = DocumentSymbols(start: 0, end: 1, cut: .line)
  static let vocabulary = 7

  private func network<Layer: RecurrentLayer>(
    _ cell: TestedCell, trainsInitialState: Bool, _: Layer.Type, hidden: Int = 4
  ) throws -> (network: Network<Layer>, parameters: ParameterSet<Layer.K.Real>) {
    let network = Network<Layer>(
      try ModelConfiguration(
        cell: cell.cell, nonlinearity: cell.nonlinearity, vocabularySize: Self.vocabulary, embeddingSize: 3,
        hiddenSize: hidden, layers: 2, trainsInitialState: trainsInitialState, documents: Self.symbols))
    var parameters = ParameterSet<Layer.K.Real>(network.layout)
    for slot in network.layout.slots { parameters.fillUniform(slot, bound: 0.9, seed: 1) }
    return (network, parameters)
  }

  /// `<s>`, some symbols, `</s>`.
  private func documents(_ lengths: [Int]) -> [[Int32]] {
    var random = CounterRandom(seed: 2, purpose: .corpus)
    return lengths.map { length in
      [Self.symbols.start] + (0..<length).map { _ in Int32(random.next() % 5) + 2 } + [Self.symbols.end]
    }
  }

  private func window(_ tokens: [Int32]) -> TokenWindow {
    TokenWindow(
      steps: tokens.count - 1, lanes: 1, inputs: Array(tokens.dropLast()), targets: Array(tokens.dropFirst()))
  }

  static let cases = TestedCell.allCases.flatMap { cell in [false, true].map { (cell, $0) } }

  /// The gradient of a stream of documents in one lane is the sum of the gradients of the documents alone, and so are
  /// the losses; also in segments that are computed again.
  @Test(arguments: cases)
  func streamsAreSumsOfDocuments(_ cell: TestedCell, _ trainsInitialState: Bool) throws {
    try sums(cell, trainsInitialState, cell.layer(DoubleKernels.self))
  }

  private func sums<Layer: RecurrentLayer<DoubleKernels>>(
    _ cell: TestedCell, _ trainsInitialState: Bool, _: Layer.Type
  ) throws {
    let (network, parameters) = try network(cell, trainsInitialState: trainsInitialState, Layer.self)
    let documents = documents([3, 0, 6, 1, 4])
    func gradient(_ tokens: [Int32], recompute: Int? = nil) -> (loss: Double, sum: [Double]) {
      let window = window(tokens)
      let bptt = TruncatedBPTT(
        network, lanes: 1, Truncation(k1: window.steps, recompute: recompute), workers: Workers(threads: 1))
      let loss = bptt.step(window, parameters: parameters)
      let count = Double(window.predicted(except: Self.symbols.start))
      return (loss, bptt.gradients.flat.elements.map { $0 * count })
    }
    let alone = documents.map { gradient($0) }
    let expected = alone.dropFirst().reduce(alone[0].sum) { sum, part in zip(sum, part.sum).map { $0 + $1 } }
    for recompute in [nil, 1, 4, 5, 7] {
      let all = gradient(documents.flatMap { $0 }, recompute: recompute)
      #expect(abs(all.loss - alone.reduce(0) { $0 + $1.loss }) < 1e-12)
      #expect(largestDifference(all.sum, expected) < 1e-12)
    }
    #expect(expected.contains { abs($0) > 0.1 })
  }

  /// A gradient that reaches back as far as the longest document reaches everything, since none flows further.
  @Test(arguments: TestedCell.allCases)
  func nothingFlowsIntoTheDocumentBefore(_ cell: TestedCell) throws {
    try nothingFlows(cell, cell.layer(DoubleKernels.self))
  }

  private func nothingFlows<Layer: RecurrentLayer<DoubleKernels>>(_ cell: TestedCell, _: Layer.Type) throws {
    let (network, parameters) = try network(cell, trainsInitialState: false, Layer.self)
    let window = window(documents([3, 0, 3, 1, 2, 3, 0]).flatMap { $0 })
    func sum(_ truncation: Truncation) -> [Double] {
      let bptt = TruncatedBPTT(network, lanes: 1, truncation, workers: Workers(threads: 1))
      var sum = [Double](repeating: 0, count: parameters.flat.count)
      for start in stride(from: 0, to: window.steps, by: truncation.k1) {
        let part = window.steps(start..<min(start + truncation.k1, window.steps))
        _ = bptt.step(part, parameters: parameters)
        let count = Double(part.predicted(last: truncation.k2, except: Self.symbols.start))
        for (index, value) in bptt.gradients.flat.elements.enumerated() { sum[index] += count * value }
      }
      return sum
    }
    let full = sum(Truncation(k1: window.steps))
    for (k1, k2) in [(1, 5), (2, 6), (3, 9), (4, 8)] {
      #expect(largestDifference(sum(Truncation(k1: k1, k2: k2)), full) < 1e-12)
      #expect(largestDifference(sum(Truncation(k1: k1, k2: k2, recompute: 3)), full) < 1e-12)
    }
    // The units of this relu network are silent most of the time.
    if cell != .reluRNN { #expect(largestDifference(sum(Truncation(k1: 1, k2: 2)), full) > 1e-3) }
  }

  /// A reader whose lanes hold documents one after another finds the same bits as one that reads each alone.
  @Test(arguments: [TestedCell.lstm, .layerNormLSTM], [1, 2, 3])
  func readersBeginAnew(_ cell: TestedCell, _ threads: Int) throws {
    let documents = documents([9, 0, 30, 1, 17, 4])
    func model<Layer: RecurrentLayer>(_: Layer.Type) throws -> any LanguageModel {
      let (network, parameters) = try network(cell, trainsInitialState: true, Layer.self, hidden: 24)
      return RecurrentLanguageModel(network: network, parameters: parameters)
    }
    for model in [
      try model(cell.layer(DoubleKernels.self)), try model(cell.layer(Float32Kernels.self)),
      try model(cell.layer(BFloat16Kernels.self)), try model(cell.layer(Int8Kernels.self)),
    ] {
      func losses(_ lanes: [[Int32]], windows: Int) -> [[Double]] {
        let length = lanes[0].count - 1
        let reader = model.makeReader(lanes: lanes.count, steps: windows, threads: threads)
        var losses = lanes.map { _ in [Double]() }
        for start in stride(from: 0, to: length, by: windows) {
          let places = (start..<min(start + windows, length)).flatMap { t in lanes.indices.map { (t, $0) } }
          let window = TokenWindow(
            steps: places.count / lanes.count, lanes: lanes.count, inputs: places.map { lanes[$0.1][$0.0] },
            targets: places.map { lanes[$0.1][$0.0 + 1] })
          for (place, loss) in zip(places, reader.losses(window)) where lanes[place.1][place.0 + 1] != 0 {
            losses[place.1].append(loss)
          }
        }
        return losses
      }
      let alone = documents.flatMap { losses([$0], windows: 64)[0] }
      let stream = documents.flatMap { $0 }
      let other = Array(documents.reversed().flatMap { $0 })
      for windows in [1, 7, 64] {
        let read = losses([stream, other], windows: windows)
        #expect(read[0] == alone)
        #expect(Set(read[1]) == Set(alone))
      }
    }
  }
}
