import Compute
import Recurrence
import Tokenization

/// One group of lanes in training: its carried state, its activations and its share of the gradient.
final class LaneGroup<Layer: RecurrentLayer>: @unchecked Sendable {  // a thread takes a group whole
  typealias K = Layer.K

  let lanes: Range<Int>
  /// The state carried from window to window; what happened before it is held constant.
  let state: [LayerState<K.Operand, K.Real>]
  /// Gradient at the state that the last window started from.
  let stateGradient: [LayerState<K.Real, K.Real>]
  /// This group's share; the first group's becomes the whole.
  var gradients: ParameterSet<K.Real>
  private(set) var lossSum = 0.0

  private let unrolled: UnrolledNetwork<Layer>
  private let embeddingScratch: SymbolEmbedding<Layer>.BackwardScratch
  private let dHidden: Rows<K.Real>
  private let dGates: GateGradients<K.Operand>

  init(_ network: Network<Layer>, steps: Int, lanes: Range<Int>, hasTable: Bool) {
    self.lanes = lanes
    let rows = steps * lanes.count
    let projectionSize = Layer.gateCount * network.configuration.hiddenSize
    state = network.zeroState(lanes: lanes.count)
    stateGradient = network.zeroStateGradient(lanes: lanes.count)
    gradients = ParameterSet(network.layout)
    unrolled = UnrolledNetwork(network, steps: steps, lanes: lanes.count, hasTable: hasTable, forTraining: true)
    embeddingScratch = .init(network.embedding, rows: rows, projectionSize: projectionSize, hasTable: hasTable)
    dHidden = Rows(rows, network.configuration.hiddenSize)
    dGates = GateGradients(rows: rows, columns: projectionSize, separate: Layer.separatesProducts)
  }

  func resetState() {
    for layer in state { layer.clear() }
  }

  /// Forward, loss, backward; then carries the last state.
  ///
  /// - Parameters:
  ///   - scale: What each position's loss counts in the gradient, 1 / (positions of all groups) for a mean.
  ///   - beginsStream: Whether the window starts from the trained initial state, where there is one, and not from the
  ///     carried one.
  func step(_ window: TokenWindow, scale: K.Real, beginsStream: Bool, _ packed: PackedNetwork<Layer>) {
    let initialState = beginsStream ? unrolled.network.initialState : nil
    if initialState != nil { packed.begin(state) }
    unrolled.take(window, lanes: lanes)
    unrolled.begin(from: state)
    unrolled.forward(steps: window.steps, packed, share: .whole)
    backward(steps: window.steps, scale: scale, packed)
    initialState?.addGradients(of: stateGradient, to: &gradients)
    unrolled.copyState(after: window.steps, into: state)
  }

  private func backward(steps: Int, scale: K.Real, _ packed: PackedNetwork<Layer>) {
    let (network, kernels, records) = (unrolled.network, unrolled.kernels, unrolled.records)
    let rows = 0..<steps * lanes.count
    let (symbols, losses) = (unrolled.symbols[rows], unrolled.losses[rows])
    let (dHidden, dGates) = (dHidden[rows], dGates[rows])
    gradients.writableFlat().clear()
    network.decoder.lossesAndGradients(
      unrolled.outputs(steps), targets: unrolled.targets[rows], scale: scale, packed.decoder,
      scratch: unrolled.decoderScratch, into: losses, dOutputs: dHidden, gradients: &gradients, on: kernels)
    lossSum = losses.sum
    for index in network.layers.indices.reversed() {
      let layer = network.layers[index]
      stateGradient[index].clear()
      layer.backward(
        steps: steps, dHidden: dHidden, state: stateGradient[index], packed.layers[index], record: records[index],
        dGates: dGates, gradients: &gradients, on: kernels)
      guard index > 0 else { break }
      // Layer k's dInputs are layer k−1's dHidden: the same memory serves both.
      layer.backwardInputs(
        records[index - 1].outputs(steps), dProjection: dGates.projection, packed.layers[index], dInputs: dHidden,
        gradients: &gradients, on: kernels)
    }
    network.embedding.backward(
      symbols, dProjection: dGates.projection, packed.embedding, layer: network.layers[0], packed.layers[0],
      scratch: unrolled.embeddingScratch, embeddingScratch, gradients: &gradients, on: kernels)
  }
}
