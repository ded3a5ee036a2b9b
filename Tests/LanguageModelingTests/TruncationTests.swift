import Compute
import LanguageModeling
import Recurrence
import TestSupport
import Testing
import Tokenization

/// TBPTT(k1, k2): what is differentiated, what is counted, what is carried, for every cell and relation of k1 and k2.
@Suite struct TruncationTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let cell: TestedCell
    let k1, k2: Int
    var recompute: Int?
    var hasDocuments = false
    var testDescription: String {
      "\(cell), k1 \(k1), k2 \(k2)\(recompute.map { ", segments of \($0)" } ?? "")\(hasDocuments ? ", documents" : "")"
    }
  }

  static let steps = 12
  static let relations = [(3, 3), (3, 6), (3, 9), (2, 12), (1, 4), (4, 2), (6, 1), (12, 12), (12, 5), (4, 24), (5, 10)]
  static let cases = TestedCell.allCases.flatMap { cell in
    relations.flatMap { k1, k2 in
      [false, true].map { Case(cell: cell, k1: k1, k2: k2, hasDocuments: $0) }
    }
  }

  // MARK: Gradients

  /// The last update's gradient is that of the newest k1 losses (of those among the last k2 steps) as a function of the
  /// weights, with the state before the last k2 steps held constant.
  @Test(arguments: cases)
  func lastGradientIsThatOfTheCutStream(_ test: Case) throws {
    try lastGradient(test, test.cell.layer(DoubleKernels.self))
  }

  private func lastGradient<Layer: RecurrentLayer<DoubleKernels>>(_ test: Case, _: Layer.Type) throws {
    let stream = try Stream<Layer>(test.cell, seed: 3, hasDocuments: test.hasDocuments)
    let bptt = stream.bptt(Truncation(k1: test.k1, k2: test.k2))
    let windows = stream.windows(test.k1)
    for window in windows { _ = bptt.step(window, parameters: stream.parameters) }
    let newest = windows.last?.steps ?? 0
    // A last window that is shorter than k1 still starts from the boundary that was kept for it.
    let differentiated = min(test.k2, newest + min(Self.steps - newest, max(0, test.k2 - test.k1)))
    let scored = min(newest, differentiated)
    let cut = Self.steps - differentiated

    // The loss of the newest steps from the cut on: all from there less those before.
    let start = stream.states(after: cut)
    func loss(_ parameters: ParameterSet<Double>) -> Double {
      func sum(_ steps: Range<Int>) -> Double {
        guard !steps.isEmpty else { return 0 }
        let plain = stream.bptt(Truncation(k1: steps.count))
        stream.set(start, in: plain)
        return plain.step(stream.window(steps), parameters: parameters)
      }
      let count = stream.predicted(Self.steps - scored..<Self.steps)
      return (sum(cut..<Self.steps) - sum(cut..<Self.steps - scored)) / Double(count)
    }
    for slot in stream.network.layout.slots {
      let count = stream.parameters[slot].count
      for index in stride(from: 0, to: count, by: max(1, count / 7)) {
        let numeric = (loss(stream.shifted(slot, index, 1e-5)) - loss(stream.shifted(slot, index, -1e-5))) / 2e-5
        let analytic = bptt.gradients[slot].elements[index]
        #expect(
          abs(analytic - numeric) <= 2e-9 + 1e-7 * abs(numeric),
          "\(stream.network.layout[slot].name)[\(index)]: \(analytic), numerically \(numeric)")
      }
    }
  }

  /// With frozen weights, losses add up to those of the whole stream, each counted once; where k2 covers the stream the
  /// gradients add up to the full one.
  @Test(arguments: cases)
  func lossesAreCountedOnce(_ test: Case) throws { try sums(test, test.cell.layer(DoubleKernels.self)) }

  private func sums<Layer: RecurrentLayer<DoubleKernels>>(_ test: Case, _: Layer.Type) throws {
    let stream = try Stream<Layer>(test.cell, seed: 4, hasDocuments: test.hasDocuments)
    let whole = stream.bptt(Truncation(k1: Self.steps))
    let total = whole.step(stream.window(0..<Self.steps), parameters: stream.parameters)
    let bptt = stream.bptt(Truncation(k1: test.k1, k2: test.k2))
    var losses = 0.0
    var sum = [Double](repeating: 0, count: stream.parameters.flat.count)
    for window in stream.windows(test.k1) {
      losses += bptt.step(window, parameters: stream.parameters)
      let weight =
        Double(window.predicted(last: test.k2, except: stream.start)) / Double(stream.predicted(0..<Self.steps))
      for (index, value) in bptt.gradients.flat.elements.enumerated() { sum[index] += weight * value }
    }
    #expect(abs(losses - total) < 1e-12 * total)
    let difference = largestDifference(sum, whole.gradients.flat.elements)
    if test.k2 >= Self.steps {
      #expect(difference < 1e-12)
    } else if !test.hasDocuments {
      #expect(difference > 1e-5, "nothing was truncated")
    }
  }

  /// The next window starts where the last one ended, whatever was unrolled again.
  @Test(arguments: [(3, 6), (3, 9), (2, 12), (4, 2)])
  func statesAreCarried(_ relation: (k1: Int, k2: Int)) throws {
    let stream = try Stream<LSTM<DoubleKernels>>(.lstm, seed: 5)
    let bptt = stream.bptt(Truncation(k1: relation.k1, k2: relation.k2))
    for (index, window) in stream.windows(relation.k1).enumerated() {
      _ = bptt.step(window, parameters: stream.parameters)
      let end = (index + 1) * relation.k1
      let start = end - min(end, max(0, relation.k2 - relation.k1))
      #expect(stream.values(bptt.states) == stream.values([stream.states(after: start)]))
    }
    bptt.resetState()
    let fresh = stream.bptt(Truncation(k1: relation.k1, k2: relation.k2))
    let window = stream.window(0..<relation.k1)
    #expect(bptt.step(window, parameters: stream.parameters) == fresh.step(window, parameters: stream.parameters))
    #expect(bptt.gradients.flat.elements == fresh.gradients.flat.elements)
  }

  // MARK: Recomputation

  static let recomputed = TestedCell.allCases.flatMap { cell in
    [(12, 12, 1), (12, 12, 5), (12, 12, 12), (4, 12, 3), (6, 4, 2), (5, 10, 4)].map {
      Case(cell: cell, k1: $0.0, k2: $0.1, recompute: $0.2)
    }
  }

  /// Gradients, losses and states are the same to the bit, however a window is cut into segments.
  @Test(arguments: recomputed)
  func recomputationChangesNoBit(_ test: Case) throws { try recompute(test, test.cell.layer(DoubleKernels.self)) }

  private func recompute<Layer: RecurrentLayer<DoubleKernels>>(_ test: Case, _: Layer.Type) throws {
    for (trainsInitialState, hasDocuments) in [(false, false), (true, false), (false, true), (true, true)] {
      let stream = try Stream<Layer>(
        test.cell, seed: 6, trainsInitialState: trainsInitialState, hasDocuments: hasDocuments)
      let plain = stream.bptt(Truncation(k1: test.k1, k2: test.k2))
      let cut = stream.bptt(Truncation(k1: test.k1, k2: test.k2, recompute: test.recompute))
      for window in stream.windows(test.k1) {
        #expect(plain.step(window, parameters: stream.parameters) == cut.step(window, parameters: stream.parameters))
        #expect(plain.gradients.flat.elements == cut.gradients.flat.elements)
        #expect(stream.values(plain.states) == stream.values(cut.states))
      }
    }
  }

  /// In float32 the same, as far as it goes; and on two threads the same bits as on one.
  @Test(arguments: [false, true]) func fasterKernelsFollow(_ hasDocuments: Bool) throws {
    let truncation = Truncation(k1: 4, k2: 12, recompute: 5)
    let double = try Stream<LSTM<DoubleKernels>>(.lstm, seed: 7, lanes: 10, hasDocuments: hasDocuments)
    let float = try Stream<LSTM<Float32Kernels>>(.lstm, seed: 7, lanes: 10, hasDocuments: hasDocuments)
    let (a, b, c) = (double.bptt(truncation), float.bptt(truncation), float.bptt(truncation, threads: 2))
    for window in double.windows(4) {
      let losses = (
        a.step(window, parameters: double.parameters), b.step(window, parameters: float.parameters),
        c.step(window, parameters: float.parameters)
      )
      #expect(abs(losses.0 - losses.1) < 1e-4 && losses.1 == losses.2)
      #expect(b.gradients.flat.elements == c.gradients.flat.elements)
      #expect(largestDifference(a.gradients.flat.elements, b.gradients.flat.elements.map { Double($0) }) < 1e-5)
    }
  }
}

/// A random network and a random stream.
private struct Stream<Layer: RecurrentLayer> {
  let network: Network<Layer>
  let lanes: Int
  let parameters: ParameterSet<Layer.K.Real>
  private let symbols: [Int32]

  init(
    _ cell: TestedCell, seed: UInt64, lanes: Int = 2, trainsInitialState: Bool = false, hasDocuments: Bool = false
  ) throws {
    network = Network(
      try ModelConfiguration(
        cell: cell.cell, nonlinearity: cell.nonlinearity, vocabularySize: 5, embeddingSize: 3, hiddenSize: 4, layers: 2,
        trainsInitialState: trainsInitialState,
        documents: hasDocuments ? DocumentSymbols(start: 1, end: 3, cut: .line) : nil))
    self.lanes = lanes
    var parameters = ParameterSet<Layer.K.Real>(network.layout)
    for slot in network.layout.slots { parameters.fillUniform(slot, bound: 0.9, seed: seed) }
    self.parameters = parameters
    var random = CounterRandom(seed: seed, purpose: .corpus)
    symbols = (0..<(TruncationTests.steps + 1) * lanes).map { _ in Int32(random.next() % 5) }
  }

  var start: Int32? { network.configuration.documents?.start }

  /// Targets of some steps that count.
  func predicted(_ steps: Range<Int>) -> Int { window(steps).predicted(except: start) }

  func bptt(_ truncation: Truncation, threads: Int = 1) -> TruncatedBPTT<Layer> {
    TruncatedBPTT(network, lanes: lanes, truncation, workers: Workers(threads: threads))
  }

  func window(_ steps: Range<Int>) -> TokenWindow {
    TokenWindow(
      steps: steps.count, lanes: lanes, inputs: Array(symbols[steps.lowerBound * lanes..<steps.upperBound * lanes]),
      targets: Array(symbols[(steps.lowerBound + 1) * lanes..<(steps.upperBound + 1) * lanes]))
  }

  /// The stream in windows of `k1` steps, the last one as long as it comes.
  func windows(_ k1: Int) -> [TokenWindow] {
    stride(from: 0, to: TruncationTests.steps, by: k1).map { window($0..<min($0 + k1, TruncationTests.steps)) }
  }

  /// The state that reading the first `steps` steps leaves.
  func states(after steps: Int) -> [LayerState<Layer.K.Operand, Layer.K.Real>] {
    let bptt = bptt(Truncation(k1: max(steps, 1)))
    if steps > 0 { _ = bptt.step(window(0..<steps), parameters: parameters) }
    return bptt.states[0]
  }

  func set(_ state: [LayerState<Layer.K.Operand, Layer.K.Real>], in bptt: TruncatedBPTT<Layer>) {
    for (target, source) in zip(bptt.states[0], state) { target.copy(from: source) }
    bptt.beginsStream = false
  }

  func shifted(_ slot: ParameterLayout.Slot, _ index: Int, _ difference: Double) -> ParameterSet<Layer.K.Real> {
    var shifted = parameters
    let rows = shifted.writable(slot)
    rows[index / rows.columns, index % rows.columns] += Layer.K.Real(difference)
    return shifted
  }
}

extension Stream where Layer.K == DoubleKernels {
  func values(_ states: [[LayerState<Double, Double>]]) -> [Double] {
    states.joined().flatMap { $0.hidden.elements + ($0.cell?.elements ?? []) }
  }
}
