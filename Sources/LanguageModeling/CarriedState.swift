import Compute
import Recurrence

/// A copy of what a training carries from window to window: to go back to it, or to keep it on disk.
public struct CarriedState<K: Kernels>: Sendable {
  /// Of each group of lanes, group after group: layers of `[group's lanes, H]`.
  let groups: [[LayerState<K.Operand, K.Real>]]
  let beginsStream: Bool
}

extension TruncatedBPTT {
  /// A copy of the carried state.
  public func carriedState() -> CarriedState<K> {
    let groups = states.map { layers in
      layers.map { layer in
        let copy = LayerState<K.Operand, K.Real>(
          lanes: layer.hidden.rows, hiddenSize: layer.hidden.columns, hasCell: Layer.hasCell)
        copy.copy(from: layer)
        return copy
      }
    }
    return CarriedState(groups: groups, beginsStream: beginsStream)
  }

  /// The next window goes on from a state that ``carriedState()`` copied. Steps that would have been unrolled again with
  /// it (k2 > k1) belong to another place of the text, and are not.
  public func restore(_ saved: CarriedState<K>) {
    precondition(
      states.map { $0.map(\.hidden.rows) } == saved.groups.map { $0.map(\.hidden.rows) },
      "a carried state is restored where its lanes and layers are the same")
    for (layers, copies) in zip(states, saved.groups) {
      for (layer, copy) in zip(layers, copies) { layer.copy(from: copy) }
    }
    beginsStream = saved.beginsStream
    forgetHistory()
  }

  /// Whether every number of the carried state is finite. (A sum over lanes that overflows counts as none.)
  public var hasFiniteState: Bool {
    let kernels = K()
    return states.joined().allSatisfy { layer in
      let sums = Rows<K.Real>(1, layer.hidden.columns)
      kernels.addColumnSums(layer.hidden, to: sums)
      return K.Real.sumOfSquares(sums).isFinite && layer.cell.map { K.Real.sumOfSquares($0).isFinite } ?? true
    }
  }
}
