import CKernels

/// The workhorse without special hardware: float32 throughout, matrix products by oneDNN on packed weights.
public final class Float32Kernels: Kernels, @unchecked Sendable {  // one lane group, one thread at a time
  public typealias Real = Float
  public typealias Operand = Float
  public typealias Packed = PackedWeight

  private let products = MatrixProducts()

  public init() {}

  public func pack(_ weight: Rows<Float>, transposed: Bool, reusing old: PackedWeight?) -> PackedWeight {
    products.pack(weight, transposed: transposed, reusing: old)
  }

  public func multiply(
    _ a: Rows<Float>, _ packed: PackedWeight, bias: Rows<Float>?, into out: Rows<Float>, adding: Bool
  ) {
    requireProduct(a, inner: packed.inner, outer: packed.columns, bias, out)
    products.multiply(a, packed, bias: bias, into: out, adding: adding)
  }

  public func addOuter(_ a: Rows<Float>, _ b: Rows<Float>, to sum: Rows<Float>) {
    requireOuter(a, b, sum)
    products.addOuter(a, b, to: sum)
  }

  public func lstmForward(gates: Rows<Float>, cell: Rows<Float>, nextCell: Rows<Float>, hidden: Rows<Float>) {
    requireLSTM(gates: gates, cell: cell, nextCell: nextCell, hiddenSize: hidden.columns, rows: hidden.rows)
    ckernels_lstm_forward_f32(
      hidden.rows, hidden.columns, gates.pointer, cell.pointer, nextCell.pointer, hidden.pointer)
  }

  public func lstmBackward(
    gates: Rows<Float>, cell: Rows<Float>, nextCell: Rows<Float>, dHidden: Rows<Float>, dCell: Rows<Float>,
    dGates: Rows<Float>
  ) {
    requireLSTM(gates: gates, cell: cell, nextCell: nextCell, hiddenSize: dHidden.columns, rows: dHidden.rows)
    requireLSTM(gates: dGates, cell: dCell, nextCell: dHidden, hiddenSize: dHidden.columns, rows: dHidden.rows)
    ckernels_lstm_backward_f32(
      dHidden.rows, dHidden.columns, gates.pointer, cell.pointer, nextCell.pointer, dHidden.pointer, dCell.pointer,
      dGates.pointer)
  }

  public func gather(_ symbols: Rows<Int32>, from table: Rows<Float>, into out: Rows<Float>) {
    requireSymbols(symbols, out, table)
    ckernels_gather_f32(out.rows, out.columns, table.pointer, symbols.pointer, out.pointer)
  }

  public func scatterAdd(_ a: Rows<Float>, at symbols: Rows<Int32>, to table: Rows<Float>) {
    requireSymbols(symbols, a, table)
    ckernels_scatter_add_f32(a.rows, a.columns, a.pointer, symbols.pointer, table.pointer)
  }

  public func addColumnSums(_ a: Rows<Float>, to sums: Rows<Float>) {
    precondition(sums.count == a.columns, "\(a.columns) column sums into \(sums.count)")
    ckernels_column_sums_f32(a.rows, a.columns, a.pointer, sums.pointer)
  }

  public func crossEntropy(
    _ logits: Rows<Float>, targets: Rows<Int32>, scale: Float, dLogits: Rows<Float>?, losses: Rows<Double>
  ) {
    requireCrossEntropy(logits, targets, dLogits, losses)
    ckernels_cross_entropy_f32(
      logits.rows, logits.columns, logits.pointer, targets.pointer, scale, dLogits?.pointer, losses.pointer)
  }

  public func narrow(_ a: Rows<Float>, into out: Rows<Float>) {
    precondition(a.count == out.count, "\(a.count) elements narrowed into \(out.count)")
    ckernels_narrow_f32(a.count, a.pointer, out.pointer)
  }
}
