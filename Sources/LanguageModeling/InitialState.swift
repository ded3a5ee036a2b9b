import Compute
import Recurrence

/// The trained state that every stream begins from, the same in every lane: `initial.hidden [L, H]` and, where the layers
/// have cells, `initial.cell [L, H]`. Fresh ones are zero.
struct InitialState<Layer: RecurrentLayer>: Sendable {
  typealias K = Layer.K

  private let hidden: ParameterLayout.Slot
  private let cell: ParameterLayout.Slot?
  private let layers: Range<Int>

  init(layers: Int, hiddenSize: Int, layout: inout ParameterLayout) {
    self.layers = 0..<layers
    hidden = layout.add("initial.hidden", layers, hiddenSize)
    cell = Layer.hasCell ? layout.add("initial.cell", layers, hiddenSize) : nil
  }

  /// The state of one lane, layer after layer.
  func pack(_ parameters: ParameterSet<K.Real>, on kernels: K) -> [LayerState<K.Operand, K.Real>] {
    layers.map { layer in
      let row = layer..<layer + 1
      let values = parameters[hidden][row]
      let state = LayerState<K.Operand, K.Real>(lanes: 1, hiddenSize: values.columns, hasCell: Layer.hasCell)
      kernels.narrow(values, into: state.hidden)
      if let cell { state.cell?.copy(from: parameters[cell][row]) }
      return state
    }
  }

  /// Accumulates the sums over lanes of the gradient at the state that a stream began from.
  func addGradients(of state: [LayerState<K.Real, K.Real>], to gradients: inout ParameterSet<K.Real>) {
    for layer in layers {
      add(state[layer].hidden, to: gradients.writable(hidden)[layer..<layer + 1])
      if let cell, let dCell = state[layer].cell { add(dCell, to: gradients.writable(cell)[layer..<layer + 1]) }
    }
  }

  private func add(_ lanes: Rows<K.Real>, to sum: Rows<K.Real>) {
    for lane in 0..<lanes.rows { K.Real.add(lanes[lane..<lane + 1], to: sum) }
  }
}
