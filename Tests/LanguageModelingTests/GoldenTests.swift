import Compute
import LanguageModeling
import Optimization
import Recurrence
import TestSupport
import Testing
import Tokenization

/// Forward, backward and training against PyTorch float64 (scripts/make-goldens).
@Suite struct GoldenTests {
  @Test(arguments: [
    (TestedCell.lstm, "lstm"), (.lstm, "lstm-deep"), (.gru, "gru"), (.tanhRNN, "rnn-tanh"), (.reluRNN, "rnn-relu"),
    (.layerNormLSTM, "layer-norm-lstm"),
  ])
  func forwardAndBackward(_ cell: TestedCell, _ name: String) throws {
    try forwardAndBackward("\(name)-forward-backward.safetensors", cell, cell.layer(DoubleKernels.self))
  }

  private func forwardAndBackward<Layer: RecurrentLayer<DoubleKernels>>(
    _ name: String, _ cell: TestedCell, _: Layer.Type
  ) throws {
    let golden = try Golden(name)
    let configuration = try golden.configuration
    #expect(configuration.cell == cell.cell && configuration.nonlinearity == cell.nonlinearity)
    let network = Network<Layer>(configuration)
    let (steps, lanes) = (Int(golden.number("steps")), Int(golden.number("lanes")))
    let parameters: ParameterSet<Double> = golden.parameters("parameters", network.layout)
    let bptt = TruncatedBPTT(network, lanes: lanes, k1: steps, workers: Workers(threads: 1))
    let hidden = golden["initial.hidden"].doubles
    let cells = Layer.hasCell ? golden["initial.cell"].doubles : []
    let size = lanes * network.configuration.hiddenSize
    for (layer, state) in bptt.states[0].enumerated() {
      state.hidden.copy(from: Array(hidden[layer * size..<(layer + 1) * size]))
      state.cell?.copy(from: Array(cells[layer * size..<(layer + 1) * size]))
    }
    let window = TokenWindow(
      steps: steps, lanes: lanes, inputs: golden.integers("inputs"), targets: golden.integers("targets"))
    let loss = bptt.step(window, parameters: parameters) / Double(steps * lanes)
    #expect(abs(loss - golden["loss"].doubles[0]) < 1e-12)
    let expected: ParameterSet<Double> = golden.parameters("gradients", network.layout)
    for slot in network.layout.slots {
      let difference = largestDifference(bptt.gradients[slot].elements, expected[slot].elements)
      #expect(difference < 1e-12, "gradient of \(network.layout[slot].name)")
    }
    func joined(_ rows: [Rows<Double>?]) -> [Double] { rows.flatMap { $0?.elements ?? [] } }
    #expect(largestDifference(joined(bptt.states[0].map(\.hidden)), golden["final.hidden"].doubles) < 1e-12)
    let (dHidden, dCell) = (bptt.stateGradients[0].map(\.hidden), bptt.stateGradients[0].map(\.cell))
    #expect(largestDifference(joined(dHidden), golden["gradients.initial.hidden"].doubles) < 1e-12)
    guard Layer.hasCell else { return }
    #expect(largestDifference(joined(bptt.states[0].map(\.cell)), golden["final.cell"].doubles) < 1e-12)
    #expect(largestDifference(joined(dCell), golden["gradients.initial.cell"].doubles) < 1e-12)
  }

  static let trainings: [(TestedCell, String)] =
    [(.lstm, "adamw")] + TestedCell.allCases.map { ($0, "adam") }

  @Test(arguments: trainings)
  func twentyOptimizerSteps(_ cell: TestedCell, _ optimizer: String) throws {
    let name = "\(cell.rawValue)-training-\(optimizer).safetensors"
    try train(name, cell.layer(DoubleKernels.self), tolerance: 1e-11)
  }

  @Test(arguments: trainings)
  func twentyOptimizerStepsInFloat32(_ cell: TestedCell, _ optimizer: String) throws {
    let name = "\(cell.rawValue)-training-\(optimizer).safetensors"
    try train(name, cell.layer(Float32Kernels.self), tolerance: 2e-4)
  }

  private func train<Layer: RecurrentLayer>(_ name: String, _: Layer.Type, tolerance: Double) throws {
    typealias Real = Layer.K.Real
    let golden = try Golden(name)
    let network = Network<Layer>(try golden.configuration)
    let (steps, lanes) = (Int(golden.number("steps")), Int(golden.number("lanes")))
    var parameters: ParameterSet<Real> = golden.parameters("parameters", network.layout)
    let bptt = TruncatedBPTT(network, lanes: lanes, k1: steps, workers: Workers(threads: 1))
    var optimizer = Adam<Real>(
      .init(
        beta1: golden.number("beta1"), beta2: golden.number("beta2"), epsilon: golden.number("epsilon"),
        weightDecay: golden.number("weight_decay")), layout: network.layout)
    let stream = golden.integers("stream")
    var (losses, norms): ([Double], [Double]) = ([], [])
    for index in 0..<Int(golden.number("windows")) {
      let start = index * steps * lanes
      let window = TokenWindow(
        steps: steps, lanes: lanes, inputs: Array(stream[start..<start + steps * lanes]),
        targets: Array(stream[start + lanes..<start + (steps + 1) * lanes]))
      losses.append(bptt.step(window, parameters: parameters) / Double(steps * lanes))
      norms.append(bptt.gradients.norm)
      bptt.gradients.clip(toNorm: golden.number("max_norm"), measured: norms[index])
      optimizer.update(&parameters, gradients: bptt.gradients, learningRate: golden.number("learning_rate"))
    }
    #expect(largestDifference(losses, golden["losses"].doubles) < tolerance)
    #expect(largestDifference(norms, golden["gradient_norms"].doubles) < tolerance)
    let expected: ParameterSet<Double> = golden.parameters("final_parameters", network.layout)
    for slot in network.layout.slots {
      let difference = largestDifference(parameters[slot].elements.map { Double($0) }, expected[slot].elements)
      #expect(difference < tolerance * 10, "final \(network.layout[slot].name)")
    }
  }
}
