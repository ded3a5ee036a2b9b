import Compute
import Recurrence
import TestSupport
import Testing

/// A layer on its own: what a language model alone would not ask of it.
@Suite struct RecurrentLayerTests {
  /// Back from any objective, also one that looks at the state after the window: Σ ⟨a_t, h_t⟩ + ⟨b, h_T⟩ + ⟨d, c_T⟩
  /// against central differences, for every parameter, input and initial state.
  @Test(arguments: TestedCell.allCases, [1, 4])
  func gradientOfTheStateAfterTheWindowFlowsBack(_ cell: TestedCell, _ steps: Int) {
    checkGradients(cell, steps: steps, cell.layer(DoubleKernels.self))
  }

  private func checkGradients<Layer: RecurrentLayer<DoubleKernels>>(_ cell: TestedCell, steps: Int, _: Layer.Type) {
    let problem = LayerProblem<Layer>(cell, steps: steps, lanes: 2, inputSize: 3, hiddenSize: 5)
    let analytic = problem.analyticGradients()
    for part in problem.values.keys {
      for index in 0..<problem.values[part, default: []].count {
        let numeric =
          (problem.objective(adding: 1e-5, to: part, index) - problem.objective(adding: -1e-5, to: part, index)) / 2e-5
        #expect(abs(analytic[part, default: []][index] - numeric) <= 1e-9 + 1e-7 * abs(numeric), "\(part)[\(index)]")
      }
    }
  }

  /// What memory is reckoned with is what a record takes, or a number a unit more.
  @Test(arguments: TestedCell.allCases)
  func recordsKeepAsManyNumbersAsTheySay(_ cell: TestedCell) {
    func check<Layer: RecurrentLayer<DoubleKernels>>(_: Layer.Type) {
      var layout = ParameterLayout()
      let layer = Layer(LayerShape(index: 0, inputSize: 3, hiddenSize: 200), layout: &layout)
      let perUnit = Double(layer.makeRecord(steps: 100, lanes: 5).byteCount) / Double(8 * 100 * 5 * 200)
      #expect(perUnit < 1.02 * Double(Layer.numbersKept) && perUnit > Double(Layer.numbersKept) - 1.01)
    }
    check(cell.layer(DoubleKernels.self))
  }

  /// Gains are 1 and biases 0 at first, but those of the forget gates add up to what was asked for.
  @Test(arguments: [1, 0, -0.5])
  func normsBeginAsNothing(_ forgetBias: Double) {
    var layout = ParameterLayout()
    let layer = LayerNormLSTM<DoubleKernels>(LayerShape(index: 2, inputSize: 3, hiddenSize: 4), layout: &layout)
    var parameters = ParameterSet<Double>(layout)
    parameters.writableFlat().copy(from: [Double](repeating: 7, count: parameters.flat.count))
    layer.initialize(&parameters, seed: 1, forgetBias: forgetBias)
    var shapes: [String: [Int]] = [:]
    for slot in layout.slots {
      let (entry, elements) = (layout[slot], parameters[slot].elements)
      shapes[entry.name] = entry.shape
      switch entry.name {
      case "rnn.bias_l2":
        #expect(elements.enumerated().allSatisfy { $1 == (4..<8 ~= $0 ? forgetBias : 0) })
      case let name where name.contains("layernorm"):
        #expect(elements.allSatisfy { $0 == (name.hasSuffix("weight") ? 1 : 0) }, "\(name)")
      default: #expect(elements.allSatisfy { abs($0) <= 0.5 })
      }
    }
    #expect(
      shapes == [
        "rnn.weight_ih_l2": [16, 3], "rnn.weight_hh_l2": [16, 4], "rnn.bias_l2": [16],
        "rnn.layernorm_ih_l2.weight": [16], "rnn.layernorm_ih_l2.bias": [16], "rnn.layernorm_hh_l2.weight": [16],
        "rnn.layernorm_hh_l2.bias": [16], "rnn.layernorm_c_l2.weight": [4], "rnn.layernorm_c_l2.bias": [4],
      ])
  }

  /// What a cell holds is kept until training says otherwise: the two forget biases add up to what was asked for.
  @Test(arguments: [1, 0, -0.5])
  func forgetBiasBeginsAsAsked(_ forgetBias: Double) {
    var layout = ParameterLayout()
    let layer = LSTM<DoubleKernels>(LayerShape(index: 0, inputSize: 3, hiddenSize: 4), layout: &layout)
    var parameters = ParameterSet<Double>(layout)
    layer.initialize(&parameters, seed: 1, forgetBias: forgetBias)
    let biases = zip(layout.entries, layout.slots).filter { $0.0.name.contains("bias") }.map {
      parameters[$0.1].elements
    }
    #expect(zip(biases[0], biases[1]).map(+)[4..<8].allSatisfy { $0 == forgetBias })
    for slot in layout.slots { #expect(parameters[slot].elements.allSatisfy { abs($0) <= 1 }) }
  }
}

/// What goes into a layer.
private enum Part: Hashable {
  case tensor(String)
  case inputs, hidden, cell
}

/// A layer, everything that goes in, and an objective of what comes out.
private struct LayerProblem<Layer: RecurrentLayer<DoubleKernels>> {
  let steps, lanes: Int
  let layer: Layer
  let inputSize: Int
  let layout: ParameterLayout
  let kernels = DoubleKernels()
  var values: [Part: [Double]]
  let outputWeights, hiddenWeights, cellWeights: [Double]

  init(_ cell: TestedCell, steps: Int, lanes: Int, inputSize: Int, hiddenSize: Int) {
    (self.steps, self.lanes, self.inputSize) = (steps, lanes, inputSize)
    var layout = ParameterLayout()
    layer = Layer(
      LayerShape(index: 0, inputSize: inputSize, hiddenSize: hiddenSize, nonlinearity: cell.nonlinearity),
      layout: &layout)
    self.layout = layout
    var random = CounterRandom(seed: 6, purpose: .corpus)
    func numbers(_ count: Int) -> [Double] { (0..<count).map { _ in random.uniform() * 1.8 - 0.9 } }
    values = [:]
    for entry in layout.entries { values[.tensor(entry.name)] = numbers(entry.count) }
    values[.inputs] = numbers(steps * lanes * inputSize)
    values[.hidden] = numbers(lanes * hiddenSize)
    values[.cell] = Layer.hasCell ? numbers(lanes * hiddenSize) : []
    outputWeights = numbers(steps * lanes * hiddenSize)
    hiddenWeights = numbers(lanes * hiddenSize)
    cellWeights = numbers(lanes * hiddenSize)
  }

  typealias Pass = (record: Layer.Record, weights: PackedLayer<DoubleKernels>, inputs: Rows<Double>)

  private func forward(_ values: [Part: [Double]]) -> Pass {
    var parameters = ParameterSet<Double>(layout)
    for slot in layout.slots {
      parameters.writable(slot).copy(from: values[.tensor(layout[slot].name), default: []])
    }
    let weights = layer.pack(parameters, forTraining: true, reusing: nil, on: kernels)
    let record = layer.makeRecord(steps: steps, lanes: lanes)
    let inputs = Rows(steps * lanes, inputSize, values[.inputs, default: []])
    layer.project(inputs, weights, into: record.projection, share: .whole, on: kernels)
    let state = LayerState<Double, Double>(lanes: lanes, hiddenSize: layer.hiddenSize, hasCell: Layer.hasCell)
    state.hidden.copy(from: values[.hidden, default: []])
    state.cell?.copy(from: values[.cell, default: []])
    record.begin(from: state)
    layer.forward(steps: steps, weights, record: record, share: .whole, on: kernels)
    return (record, weights, inputs)
  }

  func objective(adding difference: Double, to part: Part, _ index: Int) -> Double {
    var values = values
    values[part, default: []][index] += difference
    let record = forward(values).record
    let end = LayerState<Double, Double>(lanes: lanes, hiddenSize: layer.hiddenSize, hasCell: Layer.hasCell)
    record.copyState(after: steps, into: end)
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    return dot(outputWeights, record.outputs(steps).elements) + dot(hiddenWeights, end.hidden.elements)
      + dot(cellWeights, end.cell?.elements ?? [])
  }

  func analyticGradients() -> [Part: [Double]] {
    let pass = forward(values)
    let (rows, hidden) = (steps * lanes, layer.hiddenSize)
    let state = LayerState<Double, Double>(lanes: lanes, hiddenSize: hidden, hasCell: Layer.hasCell)
    state.hidden.copy(from: hiddenWeights)
    state.cell?.copy(from: cellWeights)
    let dGates = GateGradients<Double>(
      rows: rows, columns: Layer.gateCount * hidden, separate: Layer.separatesProducts)
    let dInputs = Rows<Double>(rows, inputSize)
    var gradients = ParameterSet<Double>(layout)
    layer.backward(
      steps: 0..<steps, dHidden: Rows(rows, hidden, outputWeights), state: state, pass.weights, record: pass.record,
      dGates: dGates, gradients: &gradients, on: kernels)
    layer.backwardInputs(
      pass.inputs, dProjection: dGates.projection, pass.weights, dInputs: dInputs, gradients: &gradients, on: kernels)
    var result: [Part: [Double]] = [:]
    for slot in layout.slots { result[.tensor(layout[slot].name)] = gradients[slot].elements }
    result[.inputs] = dInputs.elements
    result[.hidden] = state.hidden.elements
    result[.cell] = state.cell?.elements
    return result
  }
}
