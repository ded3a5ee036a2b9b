import Compute
import Recurrence

/// What a reader remembers of one text.
public struct ReaderState: Sendable, Equatable {
  /// One layer's state, `[H]` each. Exact in every precision.
  public struct Layer: Sendable, Equatable {
    public var hidden: [Double]
    /// In an LSTM.
    public var cell: [Double]?

    public init(hidden: [Double], cell: [Double]?) {
      self.hidden = hidden
      self.cell = cell
    }
  }

  /// The lowest layer first.
  public var layers: [Layer]

  public init(layers: [Layer]) { self.layers = layers }
}

extension ReaderState {
  /// Whether a model of these sizes can go on from it.
  public func fits(_ configuration: ModelConfiguration) -> Bool {
    let hasCell = configuration.layer(.float32).hasCell
    return layers.count == configuration.layers
      && layers.allSatisfy { layer in
        layer.hidden.count == configuration.hiddenSize && (layer.cell != nil) == hasCell
          && (layer.cell?.count ?? configuration.hiddenSize) == configuration.hiddenSize
      }
  }
}

/// Operands as the numbers that they stand for.
func widened<K: Kernels>(_ rows: Rows<K.Operand>, on kernels: K) -> Rows<K.Real> {
  let wide = Rows<K.Real>(rows.rows, rows.columns)
  kernels.addScaled(rows, by: 1, to: wide)
  return wide
}

extension Rows where Element: KernelReal {
  /// In single precision.
  var floats: Rows<Float> { Rows<Float>(rows, columns, Element.floats(self)) }
}
