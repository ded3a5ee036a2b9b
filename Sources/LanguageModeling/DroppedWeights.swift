import Compute
import Recurrence

/// Weights with some of them dropped, in the place of those of the parameters: weight drop and embedding dropout. See
/// ``Regularization``.
final class DroppedWeights<Layer: RecurrentLayer>: @unchecked Sendable {  // drawn between two meetings of the threads
  typealias K = Layer.K

  /// The hidden-to-hidden matrices of all layers, `[G·H, H]`; none without weight drop.
  let recurrent: [Rows<K.Real>]
  /// What each row of the embedding is multiplied by, `[V, 1]`, with embedding dropout.
  let symbolFactors: Rows<K.Real>?

  private let weightDrop, embeddingDropout: Double
  private let slots: [ParameterLayout.Slot]
  private var drops: [Drop] = []

  /// Nil where no weight is dropped.
  init?(_ network: Network<Layer>, _ regularization: Regularization) {
    weightDrop = regularization.weightDrop
    embeddingDropout = regularization.embeddingDropout
    guard weightDrop > 0 || embeddingDropout > 0 else { return nil }
    slots = weightDrop > 0 ? network.layers.map(\.tensors.recurrentWeight) : []
    recurrent = slots.map { Rows(network.layout[$0].shape[0], network.layout[$0].shape[1]) }
    symbolFactors = embeddingDropout > 0 ? Rows(network.configuration.vocabularySize, 1) : nil
  }

  /// Draws what is dropped in an update and makes the weights without it.
  func draw(from parameters: ParameterSet<K.Real>, seed: UInt64, step: Int, workers: Workers) {
    if let symbolFactors {
      let random = CounterRandom(seed: seed, purpose: .embeddingDropout, step: step)
      K.Real.fill(symbolFactors, with: 1)
      K.Real.drop(Drop(probability: embeddingDropout, random), from: symbolFactors)
    }
    drops = slots.indices.map {
      Drop(
        probability: weightDrop, CounterRandom(seed: seed, purpose: .weightDrop, step: step, lane: $0))
    }
    let (recurrent, slots, drops) = (recurrent, slots, drops)
    workers.run(slots.count) { index in
      recurrent[index].copy(from: parameters[slots[index]])
      K.Real.drop(drops[index], from: recurrent[index])
    }
  }

  /// Takes gradients at the weights without what is dropped back to the parameters, in place. (The embedding's are
  /// masked where they are made: a decoder may share the matrix.)
  func backward(_ gradients: inout ParameterSet<K.Real>, workers: Workers) {
    let (views, drops) = (slots.map { gradients.writable($0) }, drops)
    workers.run(views.count) { K.Real.drop(drops[$0], from: views[$0]) }
  }
}
