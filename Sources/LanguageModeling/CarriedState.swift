import Compute
import Recurrence

/// A copy of what a training carries from window to window: to go back to it, or to keep it on disk.
public struct CarriedState<K: Kernels>: Sendable {
  /// What a group of lanes carries.
  struct Group: Sendable {
    /// Layers of `[group's lanes, H]`.
    let layers: [LayerState<K.Operand, K.Real>]
    /// Inputs and targets of the steps that are unrolled again with the next window (k2 > k1), `[steps·lanes, 1]`.
    let symbols, targets: Rows<Int32>
  }

  let groups: [Group]
  /// Whether the next window begins a stream.
  public let beginsStream: Bool
}

extension TruncatedBPTT {
  /// A copy of the carried state.
  public func carriedState() -> CarriedState<K> {
    CarriedState(groups: groups.map { $0.carried(hasCell: Layer.hasCell) }, beginsStream: beginsStream)
  }

  /// The next window goes on from a state that ``carriedState()`` copied, in the text that followed it.
  public func resume(_ saved: CarriedState<K>) {
    precondition(
      zip(groups, saved.groups).allSatisfy { $0.state.map(\.hidden.rows) == $1.layers.map(\.hidden.rows) }
        && groups.count == saved.groups.count,
      "a carried state is restored where its lanes and layers are the same")
    for (group, copy) in zip(groups, saved.groups) { group.resume(copy) }
    beginsStream = saved.beginsStream
  }

  /// The same at another place of the text: steps that would have been unrolled again with the state are not.
  public func restore(_ saved: CarriedState<K>) {
    resume(saved)
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

extension LaneGroup {
  fileprivate func carried(hasCell: Bool) -> CarriedState<K>.Group {
    let layers = state.map { layer in
      let copy = LayerState<K.Operand, K.Real>(
        lanes: layer.hidden.rows, hiddenSize: layer.hidden.columns, hasCell: hasCell)
      copy.copy(from: layer)
      return copy
    }
    let again = keptSteps
    return .init(layers: layers, symbols: again.symbols, targets: again.targets)
  }

  fileprivate func resume(_ saved: CarriedState<K>.Group) {
    for (layer, copy) in zip(state, saved.layers) { layer.copy(from: copy) }
    keptSteps = (saved.symbols, saved.targets)
  }
}
