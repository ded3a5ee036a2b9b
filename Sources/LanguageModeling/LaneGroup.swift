import Compute
import Recurrence
import Tokenization

/// One group of lanes in training: its carried state, its activations and its share of the gradient.
///
/// Letters: S steps of an unrolled window, the newest of which are new; B lanes.
final class LaneGroup<Layer: RecurrentLayer>: @unchecked Sendable {  // a thread takes a group whole
  typealias K = Layer.K

  let lanes: Range<Int>
  /// The state that the next window is unrolled from; what happened before it is held constant.
  let state: [LayerState<K.Operand, K.Real>]
  /// Gradient at the earliest state that the last window's gradient reached.
  let stateGradient: [LayerState<K.Real, K.Real>]
  /// This group's share; the first group's becomes the whole.
  var gradients: ParameterSet<K.Real>
  private(set) var lossSum = 0.0
  /// Steps before the next window's that are unrolled again with it.
  private(set) var history = 0

  private let truncation: Truncation
  private let unrolled: UnrolledNetwork<Layer>
  private let embeddingScratch: SymbolEmbedding<Layer>.BackwardScratch
  private let blockSteps: Int
  private let penalty: ActivationPenalty<K>?
  private let dHidden: Rows<K.Real>
  private let dGates: GateGradients<K.Operand>
  /// Gradient at the trained initial state, of one lane: what the documents that began in the last window add.
  private let beginningGradient: [LayerState<K.Real, K.Real>]?
  /// The state that the window after this one is unrolled from.
  private let nextState: [LayerState<K.Operand, K.Real>]
  /// The states that segments start from, where a window has several.
  private var segmentStates: [[LayerState<K.Operand, K.Real>]] = []

  init(
    _ network: Network<Layer>, _ truncation: Truncation, lanes: Range<Int>, of allLanes: Int, hasTable: Bool,
    _ regularization: Regularization
  ) {
    self.lanes = lanes
    self.truncation = truncation
    let projectionSize = Layer.gateCount * network.configuration.hiddenSize
    state = network.zeroState(lanes: lanes.count)
    nextState = network.zeroState(lanes: lanes.count)
    stateGradient = network.zeroStateGradient(lanes: lanes.count)
    gradients = ParameterSet(network.layout)
    let hasBeginnings = network.documentStart != nil && network.initialState != nil
    beginningGradient = hasBeginnings ? network.zeroStateGradient(lanes: 1) : nil
    unrolled = UnrolledNetwork(
      network, steps: truncation.unrolledSteps, segment: truncation.segment, lanes: lanes.count, hasTable: hasTable,
      forTraining: true, regularization: regularization)
    penalty = ActivationPenalty(
      regularization, lanes: lanes.count, allLanes: allLanes, hiddenSize: network.configuration.hiddenSize)
    blockSteps = Self.blockSteps(
      truncation.segment, lanes: lanes.count, hiddenSize: network.configuration.hiddenSize)
    let rows = blockSteps * lanes.count
    embeddingScratch = .init(network.embedding, rows: rows, projectionSize: projectionSize, hasTable: hasTable)
    dHidden = Rows(rows, network.configuration.hiddenSize)
    dGates = GateGradients(rows: rows, columns: projectionSize, separate: Layer.separatesProducts)
  }

  /// Few enough steps for the gradients at their gates to stay in a near cache; but enough for the gradients of weights,
  /// H² of them, which each block reads and writes once, to be worth their way.
  private static func blockSteps(_ steps: Int, lanes: Int, hiddenSize: Int) -> Int {
    let rows = max(256, hiddenSize * hiddenSize / 1024)
    let blocks = max(1, (steps * lanes + rows / 2) / rows)
    return (steps + blocks - 1) / blocks
  }

  var times: PhaseTimes? { unrolled.kernels.times }

  func resetState() {
    for layer in state { layer.clear() }
    forgetHistory()
  }

  func forgetHistory() { history = 0 }

  /// Copies of the inputs and targets that are unrolled again with the next window, `[history·B, 1]`.
  var keptSteps: (symbols: Rows<Int32>, targets: Rows<Int32>) {
    get { unrolled.taken(history) }
    set {
      history = newValue.symbols.rows / lanes.count
      unrolled.take(symbols: newValue.symbols, targets: newValue.targets)
    }
  }

  func clearState(ofLane lane: Int) {
    for layer in state {
      layer.hidden[lane..<lane + 1].clear()
      layer.cell?[lane..<lane + 1].clear()
    }
  }

  /// What dropout masks in this group's next step, where there is any.
  var dropout: LockedDropout<Layer>? { unrolled.dropout }

  /// Forward, loss, backward; then the state that the next window starts from.
  ///
  /// - Parameters:
  ///   - scale: What the loss of each differentiated position counts in the gradient, 1 / (those of all groups) for a
  ///     mean.
  ///   - beginsStream: Whether the unrolled window begins at the trained initial state, where there is one, and not at
  ///     the carried one.
  func step(_ window: TokenWindow, scale: K.Real, beginsStream: Bool, _ packed: PackedNetwork<Layer>) {
    let initialState = beginsStream ? unrolled.network.initialState : nil
    if initialState != nil { packed.begin(state) }
    unrolled.take(window, lanes: lanes, after: history)
    let steps = history + window.steps
    let kept = truncation.kept(of: steps)
    let differentiated = max(0, steps - truncation.k2)..<steps
    let border = max(history, differentiated.lowerBound)
    forward(steps, scored: history..<border, carryAt: steps - kept, packed)
    backward(differentiated, scored: border..<steps, scale: scale, packed)
    lossSum = sumOfLosses(history..<steps)
    if differentiated.lowerBound == 0 { initialState?.addGradients(of: stateGradient, to: &gradients) }
    if let beginningGradient {
      unrolled.network.initialState?.addGradients(of: beginningGradient, to: &gradients)
    }
    unrolled.keep(steps - kept..<steps)
    history = kept
    for index in state.indices { state[index].copy(from: nextState[index]) }
  }

  /// The losses of some steps; what nobody predicts is left out.
  private func sumOfLosses(_ steps: Range<Int>) -> Double {
    let rows = unrolled.rows(steps)
    let losses = unrolled.losses[rows]
    if let start = unrolled.network.documentStart {
      unrolled.targets[rows].forEachRow(holding: start) { losses[$0, 0] = 0 }
    }
    return losses.sum
  }

  /// The losses of the last window's first steps, `[T·B]`, and the top layer's hidden states after them, `[T·B, H]`.
  func read(_ steps: Int) -> (losses: [Double], outputs: Rows<Float>) {
    (unrolled.losses[unrolled.rows(0..<steps)].elements, widened(unrolled.outputs(steps), on: unrolled.kernels).floats)
  }

  // MARK: Forward

  /// Unrolls `steps` steps, segment by segment. What is scored here is not differentiated.
  private func forward(_ steps: Int, scored: Range<Int>, carryAt place: Int, _ packed: PackedNetwork<Layer>) {
    unrolled.begin(from: state)
    if place == 0 { unrolled.copyState(after: 0, into: nextState) }
    for (index, segment) in segments(steps).enumerated() {
      unrolled.restart(before: segment, packed)
      if segment.count < steps { keepState(ofSegment: index) }
      unrolled.forward(segment, packed, share: .whole)
      if segment.contains(place - 1) { unrolled.copyState(after: place - segment.lowerBound, into: nextState) }
      score(scored.clamped(to: segment), of: segment, packed)
      if segment.upperBound < steps { unrolled.carry(after: segment.count, share: .whole) }
    }
  }

  private func score(_ steps: Range<Int>, of segment: Range<Int>, _ packed: PackedNetwork<Layer>) {
    guard !steps.isEmpty else { return }
    let rows = unrolled.rows(steps)
    unrolled.network.decoder.losses(
      outputs(steps, of: segment), targets: unrolled.targets[rows], packed.decoder, scratch: unrolled.decoderScratch,
      into: unrolled.losses[rows], on: unrolled.kernels)
  }

  /// The top layer's hidden states after some steps of the segment that the records hold.
  private func outputs(_ steps: Range<Int>, of segment: Range<Int>) -> Rows<K.Operand> {
    unrolled.outputs(segment.count)[
      unrolled.rows(steps.lowerBound - segment.lowerBound..<steps.upperBound - segment.lowerBound)]
  }

  /// The steps in pieces of at most the segment's length, the first first.
  private func segments(_ steps: Int) -> [Range<Int>] {
    stride(from: 0, to: steps, by: truncation.segment).map { $0..<min($0 + truncation.segment, steps) }
  }

  private func keepState(ofSegment index: Int) {
    if segmentStates.count == index { segmentStates.append(unrolled.network.zeroState(lanes: lanes.count)) }
    unrolled.copyState(after: 0, into: segmentStates[index])
  }

  // MARK: Backward

  /// Goes back through `steps`, which end where the forward pass did, and differentiates the losses of `scored`.
  private func backward(
    _ steps: Range<Int>, scored: Range<Int>, scale: K.Real, _ packed: PackedNetwork<Layer>
  ) {
    gradients.writableFlat().clear()
    for layer in stateGradient { layer.clear() }
    for layer in beginningGradient ?? [] { layer.clear() }
    penalty?.begin(scored: scored)
    for (index, segment) in segments(steps.upperBound).enumerated().reversed()
    where segment.upperBound > steps.lowerBound {
      if segment.upperBound < steps.upperBound {
        unrolled.begin(from: segmentStates[index])
        unrolled.forward(segment, packed, share: .whole)
      }
      for block in blocks(of: segment.clamped(to: steps)) {
        backward(block, of: segment, scored: scored.clamped(to: block), scale: scale, packed)
      }
    }
    let network = unrolled.network
    network.embedding.finishBackward(
      packed.embedding, layer: network.layers[0], packed.layers[0], embeddingScratch, gradients: &gradients,
      on: unrolled.kernels)
  }

  /// Blocks of steps, the last first: gradients at gates and hidden states are kept for one block at a time.
  private func blocks(of steps: Range<Int>) -> [Range<Int>] {
    stride(from: steps.upperBound, to: steps.lowerBound, by: -blockSteps).map {
      max(steps.lowerBound, $0 - blockSteps)..<$0
    }
  }

  private func backward(
    _ block: Range<Int>, of segment: Range<Int>, scored: Range<Int>, scale: K.Real, _ packed: PackedNetwork<Layer>
  ) {
    let (network, kernels) = (unrolled.network, unrolled.kernels)
    let local = block.lowerBound - segment.lowerBound..<block.upperBound - segment.lowerBound
    let (dHidden, dGates) = (dHidden[0..<block.count * lanes.count], dGates[0..<block.count * lanes.count])
    differentiateLosses(scored, in: block, of: segment, scale: scale, into: dHidden, packed)
    for index in network.layers.indices.reversed() {
      network.layers[index].backward(
        steps: local, dHidden: dHidden, state: stateGradient[index], packed.layers[index],
        record: unrolled.records[index],
        restarts: unrolled.restarts(segment, layer: index, packed, gradient: beginningGradient?[index]), dGates: dGates,
        gradients: &gradients, on: kernels)
      guard index > 0 else { continue }
      // Layer k's dInputs are layer k−1's dHidden: the same memory serves both.
      network.layers[index].backwardInputs(
        unrolled.outputs(ofLayer: index - 1, segment.count)[unrolled.rows(local)], dProjection: dGates.projection,
        packed.layers[index], dInputs: dHidden, gradients: &gradients, on: kernels)
      dropout?.backward(dHidden, ofLayer: index - 1)
    }
    network.embedding.backward(
      unrolled.symbols[unrolled.rows(block)], rows: unrolled.rows(local), dProjection: dGates.projection,
      packed.embedding, layer: network.layers[0], packed.layers[0], scratch: unrolled.embeddingScratch,
      mask: dropout?.input, embeddingScratch, gradients: &gradients, on: kernels)
  }

  /// The gradient at a block's outputs of the losses of `scored`, its newest steps.
  private func differentiateLosses(
    _ scored: Range<Int>, in block: Range<Int>, of segment: Range<Int>, scale: K.Real, into dHidden: Rows<K.Real>,
    _ packed: PackedNetwork<Layer>
  ) {
    let first = scored.isEmpty ? block.upperBound : scored.lowerBound
    dHidden[0..<(first - block.lowerBound) * lanes.count].clear()
    guard !scored.isEmpty else { return }
    let (rows, outputs) = (unrolled.rows(scored), outputs(scored, of: segment))
    let dOutputs = dHidden[(first - block.lowerBound) * lanes.count..<dHidden.rows]
    unrolled.network.decoder.lossesAndGradients(
      outputs, targets: unrolled.targets[rows], scale: scale, packed.decoder,
      scratch: unrolled.decoderScratch, into: unrolled.losses[rows],
      dOutputs: dOutputs, gradients: &gradients, on: unrolled.kernels)
    penalty?.addActivation(outputs, to: dOutputs, on: unrolled.kernels)
    let top = unrolled.records.count - 1
    dropout?.backward(dOutputs, ofLayer: top)
    let places = scored.lowerBound - segment.lowerBound..<scored.upperBound - segment.lowerBound + 1
    penalty?.addTemporal(
      scored, unrolled.records[top].hidden[unrolled.rows(places)], to: dOutputs, on: unrolled.kernels)
  }
}
