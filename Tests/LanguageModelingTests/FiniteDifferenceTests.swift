import Compute
import LanguageModeling
import Recurrence
import TestSupport
import Testing
import Tokenization

/// The hand-written backward pass against central differences of the loss, in Double, for every parameter, the
/// embedding among them, and every element of the initial state.
@Suite struct FiniteDifferenceTests {
  struct Shape: CustomTestStringConvertible {
    var cell = TestedCell.lstm
    let layers, steps, lanes: Int
    var ties = false
    var trainsInitialState = false
    var hasDocuments = false
    var testDescription: String {
      "\(cell), \(layers) layers, T \(steps), B \(lanes)\(ties ? ", tied" : "")"
        + (trainsInitialState ? ", initial state" : "") + (hasDocuments ? ", documents" : "")
    }
  }

  /// With V = 5 and T·B from 1 to 24 both ways from symbol to projection are taken: gathered embeddings and the table.
  static let shapes: [Shape] = TestedCell.allCases.flatMap { cell in
    (1...3).flatMap { layers in
      (1...8).flatMap { steps in (1...3).map { Shape(cell: cell, layers: layers, steps: steps, lanes: $0) } }
    } + [
      Shape(cell: cell, layers: 2, steps: 3, lanes: 1, ties: true),
      Shape(cell: cell, layers: 2, steps: 4, lanes: 2, ties: true),
      Shape(cell: cell, layers: 2, steps: 3, lanes: 9, trainsInitialState: true),
      Shape(cell: cell, layers: 2, steps: 9, lanes: 3, hasDocuments: true),
      Shape(cell: cell, layers: 2, steps: 9, lanes: 3, trainsInitialState: true, hasDocuments: true),
      Shape(cell: cell, layers: 3, steps: 14, lanes: 1, ties: true, hasDocuments: true),
    ]
  }

  @Test(arguments: shapes)
  func everyParameterAndState(_ shape: Shape) throws {
    try everyParameterAndState(shape, shape.cell.layer(DoubleKernels.self))
  }

  private func everyParameterAndState<Layer: RecurrentLayer<DoubleKernels>>(_ shape: Shape, _: Layer.Type) throws {
    let problem = try Problem<Layer>(shape, seed: 11)
    let (gradients, dState) = problem.gradients(problem.parameters)
    let epsilon = 1e-5
    func check(_ analytic: Double, _ what: String, _ loss: (Double) -> Double) {
      let numeric = (loss(epsilon) - loss(-epsilon)) / (2 * epsilon)
      #expect(abs(analytic - numeric) <= 1e-9 + 1e-7 * abs(numeric), "\(what): \(analytic), numerically \(numeric)")
    }
    for slot in problem.network.layout.slots {
      let name = problem.network.layout[slot].name
      for (index, analytic) in gradients[slot].elements.enumerated() {
        check(analytic, "\(name)[\(index)]") { problem.loss(adding: $0, to: slot, index) }
      }
    }
    // A trained initial state is a parameter, and stands in the place of any other.
    for (index, analytic) in dState.enumerated() where !shape.trainsInitialState {
      check(analytic, "state[\(index)]") { problem.loss(addingToState: $0, index) }
    }
  }

  /// The second window's gradient is that of the second window's loss with the incoming state held constant; the
  /// gradient that also looks through the first window is another one.
  @Test(arguments: TestedCell.allCases)
  func truncatedGradientHoldsTheIncomingStateConstant(_ cell: TestedCell) throws {
    try truncatedGradient(Shape(cell: cell, layers: 2, steps: 4, lanes: 2), cell.layer(DoubleKernels.self))
  }

  private func truncatedGradient<Layer: RecurrentLayer<DoubleKernels>>(_ shape: Shape, _: Layer.Type) throws {
    let problem = try Problem<Layer>(shape, seed: 5)
    let first = problem.window
    let second = problem.randomWindow(seed: 99)
    let bptt = problem.bptt()
    problem.set(problem.state, in: bptt)
    _ = bptt.step(first, parameters: problem.parameters)
    let carried = problem.state(of: bptt)
    _ = bptt.step(second, parameters: problem.parameters)
    let truncated = bptt.gradients

    func meanLoss(_ parameters: ParameterSet<Double>, throughFirst: Bool) -> Double {
      let fresh = problem.bptt()
      problem.set(throughFirst ? problem.state : carried, in: fresh)
      if throughFirst { _ = fresh.step(first, parameters: parameters) }
      return fresh.step(second, parameters: parameters) / Double(second.targets.count)
    }
    var largestGap = 0.0
    for slot in problem.network.layout.slots {
      for index in 0..<problem.parameters[slot].count {
        func numeric(throughFirst: Bool) -> Double {
          (meanLoss(problem.shifted(slot, index, 1e-5), throughFirst: throughFirst)
            - meanLoss(problem.shifted(slot, index, -1e-5), throughFirst: throughFirst)) / 2e-5
        }
        let analytic = truncated[slot].elements[index]
        #expect(abs(analytic - numeric(throughFirst: false)) <= 1e-9 + 1e-7 * abs(analytic))
        largestGap = max(largestGap, abs(analytic - numeric(throughFirst: true)))
      }
    }
    #expect(largestGap > 1e-4, "nothing was truncated")
  }
}

/// A small network with weights, a window and an initial state, all random.
private struct Problem<Layer: RecurrentLayer<DoubleKernels>> {
  let network: Network<Layer>
  let lanes, steps: Int
  let window: TokenWindow
  let parameters: ParameterSet<Double>
  /// Hidden and, where there is one, cell of layer 0, then of layer 1, …
  let state: [Double]

  init(_ shape: FiniteDifferenceTests.Shape, seed: UInt64) throws {
    network = Network(
      try ModelConfiguration(
        cell: shape.cell.cell, nonlinearity: shape.cell.nonlinearity, vocabularySize: 5,
        embeddingSize: shape.ties ? 4 : 3, hiddenSize: 4, layers: shape.layers, tiesWeights: shape.ties,
        trainsInitialState: shape.trainsInitialState,
        documents: shape.hasDocuments ? DocumentSymbols(start: 2, end: 4, cut: .line) : nil))
    (lanes, steps) = (shape.lanes, shape.steps)
    var parameters = ParameterSet<Double>(network.layout)
    for slot in network.layout.slots { parameters.fillUniform(slot, bound: 0.9, seed: seed) }
    self.parameters = parameters
    var random = CounterRandom(seed: seed, purpose: .corpus)
    state = (0..<Self.parts * 4 * shape.lanes * shape.layers).map { _ in random.uniform() * 1.6 - 0.8 }
    let window = Self.randomWindow(steps, lanes, seed: seed)
    // Where documents begin, the targets have to be what is read next.
    self.window =
      shape.hasDocuments
      ? TokenWindow(
        steps: steps, lanes: lanes, inputs: window.inputs,
        targets: Array(window.inputs[lanes...]) + Array(window.targets[..<lanes])) : window
  }

  private var predicted: Double { Double(window.predicted(except: network.configuration.documents?.start)) }

  /// Parts of a layer's state.
  private static var parts: Int { Layer.hasCell ? 2 : 1 }

  static func randomWindow(_ steps: Int, _ lanes: Int, seed: UInt64) -> TokenWindow {
    var random = CounterRandom(seed: seed, purpose: .sampling)
    func symbols() -> [Int32] { (0..<steps * lanes).map { _ in Int32(random.next() % 5) } }
    return TokenWindow(steps: steps, lanes: lanes, inputs: symbols(), targets: symbols())
  }

  func randomWindow(seed: UInt64) -> TokenWindow { Self.randomWindow(steps, lanes, seed: seed) }

  func bptt() -> TruncatedBPTT<Layer> {
    TruncatedBPTT(network, lanes: lanes, k1: steps, workers: Workers(threads: 1))
  }

  func set(_ state: [Double], in bptt: TruncatedBPTT<Layer>) {
    guard !network.configuration.trainsInitialState else { return }
    let size = lanes * 4
    for (layer, target) in bptt.states[0].enumerated() {
      let start = Self.parts * layer * size
      target.hidden.copy(from: Array(state[start..<start + size]))
      target.cell?.copy(from: Array(state[start + size..<start + 2 * size]))
    }
  }

  func state(of bptt: TruncatedBPTT<Layer>) -> [Double] {
    bptt.states[0].flatMap { $0.hidden.elements + ($0.cell?.elements ?? []) }
  }

  func loss(_ parameters: ParameterSet<Double>, _ state: [Double]) -> Double {
    let bptt = bptt()
    set(state, in: bptt)
    return bptt.step(window, parameters: parameters) / predicted
  }

  func gradients(_ parameters: ParameterSet<Double>) -> (ParameterSet<Double>, [Double]) {
    let bptt = bptt()
    set(state, in: bptt)
    _ = bptt.step(window, parameters: parameters)
    return (bptt.gradients, bptt.stateGradients[0].flatMap { $0.hidden.elements + ($0.cell?.elements ?? []) })
  }

  func shifted(_ slot: ParameterLayout.Slot, _ index: Int, _ difference: Double) -> ParameterSet<Double> {
    var shifted = parameters
    let rows = shifted.writable(slot)
    var elements = rows.elements
    elements[index] += difference
    rows.copy(from: elements)
    return shifted
  }

  func loss(adding difference: Double, to slot: ParameterLayout.Slot, _ index: Int) -> Double {
    loss(shifted(slot, index, difference), state)
  }

  func loss(addingToState difference: Double, _ index: Int) -> Double {
    var state = state
    state[index] += difference
    return loss(parameters, state)
  }
}
