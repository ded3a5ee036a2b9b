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
  private let blockSteps: Int
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
    blockSteps = Self.blockSteps(steps, lanes: lanes.count)
    let blockRows = blockSteps * lanes.count
    embeddingScratch = .init(network.embedding, rows: blockRows, projectionSize: projectionSize, hasTable: hasTable)
    dHidden = Rows(rows, network.configuration.hiddenSize)
    dGates = GateGradients(rows: blockRows, columns: projectionSize, separate: Layer.separatesProducts)
  }

  var times: PhaseTimes? { unrolled.kernels.times }

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
    let (dHidden, losses) = (dHidden[rows], unrolled.losses[rows])
    gradients.writableFlat().clear()
    network.decoder.lossesAndGradients(
      unrolled.outputs(steps), targets: unrolled.targets[rows], scale: scale, packed.decoder,
      scratch: unrolled.decoderScratch, into: losses, dOutputs: dHidden, gradients: &gradients, on: kernels)
    lossSum = losses.sum
    for index in network.layers.indices.reversed() {
      stateGradient[index].clear()
      for block in blocks(of: steps) {
        let part = block.lowerBound * lanes.count..<block.upperBound * lanes.count
        let dGates = dGates[0..<part.count]
        network.layers[index].backward(
          steps: block, dHidden: dHidden, state: stateGradient[index], packed.layers[index], record: records[index],
          dGates: dGates, gradients: &gradients, on: kernels)
        if index > 0 {
          // Layer k's dInputs are layer k−1's dHidden: the same memory serves both.
          network.layers[index].backwardInputs(
            records[index - 1].outputs(steps)[part], dProjection: dGates.projection, packed.layers[index],
            dInputs: dHidden[part], gradients: &gradients, on: kernels)
        } else {
          network.embedding.backward(
            unrolled.symbols, rows: part, dProjection: dGates.projection, packed.embedding, layer: network.layers[0],
            packed.layers[0], scratch: unrolled.embeddingScratch, embeddingScratch, gradients: &gradients, on: kernels)
        }
      }
    }
    network.embedding.finishBackward(
      packed.embedding, layer: network.layers[0], packed.layers[0], embeddingScratch, gradients: &gradients,
      on: kernels)
  }

  /// The steps of a window in blocks, the last first: gradients at gates are kept for one block at a time.
  private func blocks(of steps: Int) -> some Sequence<Range<Int>> {
    stride(from: steps, to: 0, by: -blockSteps).lazy.map { [blockSteps] end in max(0, end - blockSteps)..<end }
  }

  /// Enough steps for weight gradients to be large products, few enough for their operands to stay in the cache.
  private static func blockSteps(_ steps: Int, lanes: Int) -> Int {
    let blocks = max(1, (steps * lanes + 512) / 1024)
    return (steps + blocks - 1) / blocks
  }
}
