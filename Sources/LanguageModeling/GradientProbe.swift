import Compute
import Recurrence
import Tokenization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A window of text read by a model in Double, through which the gradient of each step's loss can be followed back.
///
/// Once every state of the window is known, its steps no longer depend on one another: T steps of B lanes are one step
/// of T·B lanes. So one backward step takes the gradients of all losses one lag further at once, each in the row of the
/// step that it has come to. What goes back is the layers' own backward pass.
///
/// Letters: T steps, B lanes, H hidden size; lag: steps from a loss back to a state.
package final class GradientProbe<Layer: RecurrentLayer<DoubleKernels>> {
  package let network: Network<Layer>
  /// The text that is read, `[T, B]`.
  package let window: TokenWindow

  private let packed: PackedNetwork<Layer>
  /// The window as it was read.
  private let unrolled: UnrolledNetwork<Layer>
  /// Its steps side by side: one step of T·B lanes.
  private let apart: UnrolledNetwork<Layer>
  private let back: SymbolEmbedding<Layer>.BackwardScratch

  /// Reads the window, every lane from the state that streams begin from.
  package init(_ model: RecurrentLanguageModel<Layer>, _ window: TokenWindow) {
    network = model.network
    self.window = window
    let rows = window.steps * window.lanes
    unrolled = UnrolledNetwork(
      network, steps: window.steps, segment: window.steps, lanes: window.lanes, hasTable: false, forTraining: false)
    apart = UnrolledNetwork(network, steps: 1, segment: 1, lanes: rows, hasTable: false, forTraining: true)
    packed = network.pack(model.parameters, forTraining: true, rows: 0, reusing: nil, on: unrolled.kernels)
    back = .init(
      network.embedding, rows: rows, projectionSize: Layer.gateCount * network.configuration.hiddenSize,
      hasTable: false)
    let start = network.zeroState(lanes: window.lanes)
    packed.begin(start)
    unrolled.take(window, lanes: 0..<window.lanes)
    unrolled.begin(from: start)
    unrolled.forward(0..<window.steps, packed, share: .whole)
    takeApart()
  }

  private func takeApart() {
    let rows = 0..<apart.lanes
    apart.take(
      TokenWindow(steps: 1, lanes: rows.count, inputs: window.inputs, targets: window.targets), lanes: rows)
    let before = network.zeroState(lanes: rows.count)
    for (state, record) in zip(before, unrolled.records) {
      state.hidden.copy(from: record.hidden[rows])
      if let cell = record.cell { state.cell?.copy(from: cell[rows]) }
    }
    apart.begin(from: before)
    apart.forward(0..<1, packed, share: .whole)
  }

  // MARK: Lag by lag

  /// What the losses' gradients are at one lag.
  package struct Lag {
    /// Steps from the losses back.
    package let lag: Int
    /// By layer: ‖∂L_t/∂h_s‖ of every step s = t − lag and lane, s·B + lane; 0 where t is beyond the window. The
    /// gradient is that of the hidden state with all that it feeds: the next step, the layer above, the loss.
    package let hiddenNorms: [[Double]]
    /// The same at the cells, of what a step hands to the next past its hidden state, where there are cells. At lag 0
    /// all of a loss flows through the hidden state.
    package let cellNorms: [[Double]]
    /// The part of the mean loss's gradient that these steps' own use of the weights makes: path length lag + 1.
    package let gradients: ParameterSet<Double>
  }

  /// Takes the gradients of all losses of the window back from lag 0 on, and calls `body` at each of `lags` lags.
  package func forEachLag(_ lags: Int, _ body: (Lag) -> Void) {
    precondition((1...window.steps).contains(lags), "\(lags) lags in a window of \(window.steps) steps")
    let rows = apart.lanes
    var gradients = ParameterSet<Double>(network.layout)
    let dHidden = Rows<Double>(rows, network.configuration.hiddenSize)
    let dGates = GateGradients<Double>(
      rows: rows, columns: Layer.gateCount * network.configuration.hiddenSize, separate: Layer.separatesProducts)
    let states = network.zeroStateGradient(lanes: rows)
    network.decoder.lossesAndGradients(
      apart.outputs(1), targets: apart.targets, scale: 1 / Double(rows), packed.decoder,
      scratch: apart.decoderScratch, into: apart.losses, dOutputs: dHidden, gradients: &gradients,
      on: apart.kernels)
    for lag in 0..<lags {
      var hiddenNorms: [[Double]] = []
      var cellNorms: [[Double]] = []
      for index in network.layers.indices.reversed() {
        Double.add(states[index].hidden, to: dHidden)
        states[index].hidden.clear()
        hiddenNorms.append(rowNorms(dHidden, scale: Double(rows)))
        if let cell = states[index].cell { cellNorms.append(rowNorms(cell, scale: Double(rows))) }
        stepBack(index, dHidden, states[index], dGates, &gradients)
      }
      dHidden.clear()
      body(Lag(lag: lag, hiddenNorms: hiddenNorms.reversed(), cellNorms: cellNorms.reversed(), gradients: gradients))
      gradients.writableFlat().clear()
    }
  }

  /// Takes one layer back by a step, and what its input gets of it down to the layer below, into `dHidden`.
  private func stepBack(
    _ index: Int, _ dHidden: Rows<Double>, _ state: LayerState<Double, Double>, _ dGates: GateGradients<Double>,
    _ gradients: inout ParameterSet<Double>
  ) {
    let (layer, weights) = (network.layers[index], packed.layers[index])
    layer.backward(
      steps: 0..<1, dHidden: dHidden, state: state, weights, record: apart.records[index], dGates: dGates,
      gradients: &gradients, on: apart.kernels)
    moveToStepBefore(state.hidden)
    if let cell = state.cell { moveToStepBefore(cell) }
    if index > 0 {
      layer.backwardInputs(
        apart.records[index - 1].outputs(1), dProjection: dGates.projection, weights, dInputs: dHidden,
        gradients: &gradients, on: apart.kernels)
    } else {
      network.embedding.backward(
        apart.symbols, rows: 0..<apart.lanes, dProjection: dGates.projection, packed.embedding, layer: layer, weights,
        scratch: apart.embeddingScratch, back, gradients: &gradients, on: apart.kernels)
    }
  }

  /// What step s leaves at the state before it is the gradient at the state after step s − 1; what the first step
  /// leaves is the initial state's, and goes.
  private func moveToStepBefore(_ gradient: Rows<Double>) {
    let last = gradient.rows - window.lanes
    gradient[0..<last].copy(from: gradient[window.lanes..<gradient.rows])
    gradient[last..<gradient.rows].clear()
  }

  // MARK: Growth

  /// The mean logarithm by which a layer's backward steps lengthen a gradient at its state, h and c together, per step:
  /// an estimate of the largest Lyapunov exponent of the layer driven by the text (Benettin et al. 1980; the transposed
  /// Jacobians have the same one).
  ///
  /// A random gradient goes back from the last step and is brought back to length 1 at each, in every lane; the steps
  /// until it has turned into the fastest direction are not counted.
  ///
  /// - Parameter uncounted: Steps at the window's end that are not counted.
  /// - Returns: −∞ where the gradient comes to an end.
  package func backwardGrowth(layer index: Int, uncounted: Int, seed: UInt64) -> Double {
    precondition((0..<window.steps).contains(uncounted), "\(uncounted) of \(window.steps) steps are not counted")
    let (steps, lanes, hiddenSize) = (window.steps, window.lanes, network.configuration.hiddenSize)
    let state = LayerState<Double, Double>(lanes: lanes, hiddenSize: hiddenSize, hasCell: Layer.hasCell)
    var random = CounterRandom(seed: seed, purpose: .corpus, lane: index)
    for part in [state.hidden, state.cell].compactMap({ $0 }) {
      part.copy(from: (0..<part.count).map { _ in random.uniform() * 2 - 1 })
    }
    _ = normalize(state)
    let dHidden = Rows<Double>(lanes, hiddenSize)
    let dGates = GateGradients<Double>(
      rows: lanes, columns: Layer.gateCount * hiddenSize, separate: Layer.separatesProducts)
    var gradients = ParameterSet<Double>(network.layout)
    var growth = 0.0
    for step in (0..<steps).reversed() {
      dHidden.clear()
      network.layers[index].backward(
        steps: step..<step + 1, dHidden: dHidden, state: state, packed.layers[index],
        record: unrolled.records[index], dGates: dGates, gradients: &gradients, on: unrolled.kernels)
      let growthOfStep = normalize(state)
      if step < steps - uncounted { growth += growthOfStep }
    }
    return growth / Double(steps - uncounted)
  }

  /// Brings every lane's gradient to length 1; the mean logarithm of the lengths.
  private func normalize(_ state: LayerState<Double, Double>) -> Double {
    var growth = 0.0
    for lane in 0..<state.hidden.rows {
      let parts = [state.hidden, state.cell].compactMap { $0?[lane..<lane + 1] }
      let length = parts.reduce(0) { $0 + Double.sumOfSquares($1) }.squareRoot()
      growth += log(length)
      guard length > 0 else { continue }
      for part in parts { Double.scale(part, by: 1 / length) }
    }
    return growth / Double(state.hidden.rows)
  }
}

/// The Euclidean norm of each row, times `scale`.
private func rowNorms(_ a: Rows<Double>, scale: Double) -> [Double] {
  (0..<a.rows).map { scale * Double.sumOfSquares(a[$0..<$0 + 1]).squareRoot() }
}
