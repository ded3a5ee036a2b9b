import Compute
import Recurrence

/// Locked dropout in one group of lanes: a mask `[B, ·]` for each place where states are handed on, the same in every time
/// step, and the masked copies that products read. See ``Regularization``.
final class LockedDropout<Layer: RecurrentLayer>: @unchecked Sendable {  // a thread takes a group whole
  typealias K = Layer.K

  /// On the embeddings that layer 0 reads, `[B, E]`.
  let input: Rows<K.Real>?
  /// On the outputs of each layer, `[B, H]`.
  let outputs: [Rows<K.Real>?]
  /// The outputs of each layer after dropout, `[T·B, H]`.
  private let dropped: [Rows<K.Operand>?]
  private let probabilities: (input: Double, outputs: [Double])

  /// Nil where nothing is dropped.
  init?(_ network: Network<Layer>, _ regularization: Regularization, steps: Int, lanes: Int) {
    let top = network.layers.count - 1
    let ofOutputs = network.layers.indices.map {
      $0 == top ? regularization.outputDropout : regularization.hiddenDropout
    }
    probabilities = (regularization.inputDropout, ofOutputs)
    guard probabilities.input > 0 || ofOutputs.contains(where: { $0 > 0 }) else { return nil }
    input = probabilities.input > 0 ? Rows(lanes, network.configuration.embeddingSize) : nil
    let hiddenSize = network.configuration.hiddenSize
    outputs = ofOutputs.map { $0 > 0 ? Rows(lanes, hiddenSize) : nil }
    dropped = ofOutputs.map { $0 > 0 ? Rows(steps * lanes, hiddenSize) : nil }
  }

  /// Draws the masks of an update for `lanes`, counted over all groups.
  func draw(seed: UInt64, step: Int, lanes: Range<Int>) {
    // A lane's stream at a place: the place's number is above the lane's 20 bits and 0 at the embeddings.
    func draw(_ mask: Rows<K.Real>?, place: Int, probability: Double) {
      guard let mask else { return }
      K.Real.fill(mask, with: 1)
      for (row, lane) in lanes.enumerated() {
        let random = CounterRandom(seed: seed, purpose: .lockedDropout, step: step, lane: place << 20 | lane)
        K.Real.drop(Drop(probability: probability, random), from: mask[row..<row + 1])
      }
    }
    draw(input, place: 0, probability: probabilities.input)
    for index in outputs.indices {
      draw(outputs[index], place: index + 1, probability: probabilities.outputs[index])
    }
  }

  /// Makes the copy that is read in the place of a layer's outputs `[T·B, H]`.
  func drop(_ states: Rows<K.Operand>, ofLayer index: Int, on kernels: K) {
    guard let mask = outputs[index], let dropped = dropped[index] else { return }
    kernels.mask(states, by: mask, into: dropped[0..<states.rows])
  }

  /// The first `rows` rows of that copy, where there is one.
  func outputs(ofLayer index: Int, rows: Int) -> Rows<K.Operand>? { dropped[index]?[0..<rows] }

  /// Takes a gradient at a layer's outputs after dropout back to those before, in place.
  func backward(_ dOutputs: Rows<K.Real>, ofLayer index: Int) {
    if let mask = outputs[index] { K.Real.multiply(dOutputs, by: mask) }
  }
}
