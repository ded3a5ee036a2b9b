import Compute
import Recurrence
import Tokenization

/// A network unrolled over windows for one group of lanes: the forward pass and what it keeps.
///
/// The symbols of a whole window are kept, the activations of one segment of it at a time (often that is all of it).
///
/// Letters: T steps of a segment, B lanes, H hidden size. What threads share is said where they do.
final class UnrolledNetwork<Layer: RecurrentLayer>: @unchecked Sendable {
  typealias K = Layer.K

  let network: Network<Layer>
  let steps, lanes: Int
  let kernels = K()
  let records: [Layer.Record]
  let symbols: Rows<Int32>
  let targets: Rows<Int32>
  let losses: Rows<Double>
  let embeddingScratch: SymbolEmbedding<Layer>.Scratch
  let decoderScratch: SoftmaxDecoder<K>.Scratch
  /// Of one lane.
  private let zeroState: [LayerState<K.Operand, K.Real>]
  /// In a training with it.
  let dropout: LockedDropout<Layer>?

  /// - Parameters:
  ///   - steps: The longest window.
  ///   - segment: The longest segment, at most `steps`.
  init(
    _ network: Network<Layer>, steps: Int, segment: Int, lanes: Int, hasTable: Bool, forTraining: Bool,
    regularization: Regularization = .init()
  ) {
    precondition(
      steps >= 1 && (1...steps).contains(segment) && lanes >= 1,
      "a window of \(steps) steps in segments of \(segment) and \(lanes) lanes cannot be unrolled")
    self.network = network
    self.steps = steps
    self.lanes = lanes
    records = network.layers.map { $0.makeRecord(steps: segment, lanes: lanes) }
    zeroState = network.zeroState(lanes: 1)
    symbols = Rows(steps * lanes, 1)
    targets = Rows(steps * lanes, 1)
    losses = Rows(steps * lanes, 1)
    embeddingScratch = .init(network.embedding, rows: segment * lanes, hasTable: hasTable)
    decoderScratch = .init(network.decoder, rows: segment * lanes, forTraining: forTraining)
    dropout = LockedDropout(network, regularization, steps: segment, lanes: lanes)
  }

  /// The rows of some steps.
  func rows(_ steps: Range<Int>) -> Range<Int> { steps.lowerBound * lanes..<steps.upperBound * lanes }

  /// Takes in some lanes of a window, `[T, B]`, B of them, after the first `place` steps.
  ///
  /// Every symbol must be of the vocabulary: ids from outside are checked where they come in.
  func take(_ window: TokenWindow, lanes range: Range<Int>, after place: Int = 0) {
    precondition(
      range.count == lanes && range.upperBound <= window.lanes && place + window.steps <= steps,
      "lanes \(range) of a window [\(window.steps), \(window.lanes)] after \(place) steps in a network unrolled for "
        + "[\(steps), \(lanes)]")
    for t in 0..<window.steps {
      let (row, column) = ((place + t) * lanes, t * window.lanes + range.lowerBound)
      for lane in 0..<lanes {
        symbols[row + lane, 0] = window.inputs[column + lane]
        targets[row + lane, 0] = window.targets[column + lane]
      }
    }
  }

  /// Moves some steps of what was taken in to the beginning.
  func keep(_ steps: Range<Int>) {
    symbols[0..<steps.count * lanes].copy(from: symbols[rows(steps)])
    targets[0..<steps.count * lanes].copy(from: targets[rows(steps)])
  }

  /// Copies of the inputs and targets of the first steps, `[steps·B, 1]`.
  func taken(_ steps: Int) -> (symbols: Rows<Int32>, targets: Rows<Int32>) {
    let rows = rows(0..<steps)
    return (Rows(rows.count, 1, symbols[rows].elements), Rows(rows.count, 1, targets[rows].elements))
  }

  /// Takes in what ``taken(_:)`` gave.
  func take(symbols kept: Rows<Int32>, targets keptTargets: Rows<Int32>) {
    symbols[0..<kept.rows].copy(from: kept)
    targets[0..<kept.rows].copy(from: keptTargets)
  }

  /// Takes in symbols `[T, B]` without targets.
  func take(_ inputs: [Int32]) {
    precondition(inputs.count <= symbols.count, "\(inputs.count) symbols in a network unrolled for \(symbols.count)")
    symbols[0..<inputs.count].copy(from: inputs)
  }

  /// Sets the state that a segment starts from.
  func begin(from state: [LayerState<K.Operand, K.Real>]) {
    for index in records.indices { records[index].begin(from: state[index]) }
  }

  /// Where lanes begin anew in a segment, in one layer; nil in a network without documents.
  ///
  /// - Parameter gradient: See ``Restarts``.
  func restarts(
    _ segment: Range<Int>, layer index: Int, _ packed: PackedNetwork<Layer>,
    gradient: LayerState<K.Real, K.Real>? = nil
  ) -> Restarts<K>? {
    guard let start = network.documentStart else { return nil }
    return Restarts(
      symbols: symbols[rows(segment)], lanes: lanes, symbol: start,
      beginning: packed.initialState?[index] ?? zeroState[index], gradient: gradient)
  }

  /// Sets the state that a segment starts from to the beginning, in the lanes whose first step begins a document.
  func restart(before segment: Range<Int>, _ packed: PackedNetwork<Layer>) {
    for index in records.indices {
      restarts(segment, layer: index, packed)?.apply(to: records[index], before: 0, on: kernels)
    }
  }

  /// Steps through a segment of what was taken in, one thread's share of it; the records keep what the backward pass
  /// needs. When it returns, every thread's share is done.
  func forward(_ segment: Range<Int>, _ packed: PackedNetwork<Layer>, share: Share) {
    for index in records.indices {
      let (layer, record) = (network.layers[index], records[index])
      let restarts = restarts(segment, layer: index, packed)
      for block in blocks(of: segment.count, layer) {
        project(block, of: segment, layer: index, packed, share: share)
        layer.forward(
          steps: block, packed.layers[index], record: record, restarts: restarts, share: share, on: kernels)
      }
      dropout?.drop(record.outputs(segment.count), ofLayer: index, on: kernels)
    }
  }

  /// What enters a layer at some steps of a segment.
  private func project(
    _ block: Range<Int>, of segment: Range<Int>, layer index: Int, _ packed: PackedNetwork<Layer>, share: Share
  ) {
    let (layer, rows) = (network.layers[index], rows(block))
    let projection = records[index].projection[rows]
    if index == 0 {
      network.embedding.forward(
        symbols[self.rows(segment)][rows], packed.embedding, layer: layer, packed.layers[0],
        scratch: embeddingScratch.rows(rows), mask: dropout?.input, into: projection, share: share, on: kernels)
    } else {
      layer.project(
        outputs(ofLayer: index - 1, segment.count)[rows], packed.layers[index], into: projection, share: share,
        on: kernels)
    }
  }

  /// The steps that are projected at once, before they are stepped through: few enough to leave the projection in a near
  /// cache, except where reading the weights again and again would cost more.
  private func blocks(of steps: Int, _ layer: Layer) -> [Range<Int>] {
    let columns = Layer.gateCount * layer.hiddenSize
    guard columns <= 2048 else { return [0..<steps] }
    let length = max(1, (1 << 17) / (columns * lanes))
    return stride(from: 0, to: steps, by: length).map { $0..<min($0 + length, steps) }
  }

  /// Makes the state after `steps` steps of a segment the one that the next starts from: the units of one thread's share,
  /// which are in its processor's own cache.
  func carry(after steps: Int, share: Share) {
    let end = steps * lanes..<(steps + 1) * lanes
    for (layer, record) in zip(network.layers, records) {
      let units = layer.units(share) ?? 0..<layer.hiddenSize
      kernels.copy(record.hidden[end], into: record.hidden[0..<lanes], columns: units)
      if let cell = record.cell { kernels.copy(cell[end], into: cell[0..<lanes], columns: units) }
    }
  }

  /// The top layer's hidden states of a segment just stepped through, `[T·B, H]`, after dropout: what the decoder reads.
  func outputs(_ steps: Int) -> Rows<K.Operand> { outputs(ofLayer: records.count - 1, steps) }

  /// A layer's likewise: what the next layer reads.
  func outputs(ofLayer index: Int, _ steps: Int) -> Rows<K.Operand> {
    dropout?.outputs(ofLayer: index, rows: steps * lanes) ?? records[index].outputs(steps)
  }

  /// Copies out the state after `steps` steps of a segment.
  func copyState(after steps: Int, into state: [LayerState<K.Operand, K.Real>]) {
    for index in records.indices { records[index].copyState(after: steps, into: state[index]) }
  }
}
