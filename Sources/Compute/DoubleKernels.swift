import CKernels

/// The reference: everything in Double, plain loops, sums in the order of their indices.
public final class DoubleKernels: Kernels {
  public typealias Real = Double
  public typealias Operand = Double

  /// A weight as `[K, N]`.
  public struct Packed: Sendable { let rows: Rows<Double> }

  public init() {}

  public func pack(_ weight: Rows<Double>, transposed: Bool, reusing old: Packed?) -> Packed {
    let packed = old ?? Packed(rows: transposed ? Rows(weight.rows, weight.columns) : Rows(weight.columns, weight.rows))
    precondition(packed.rows.count == weight.count, "a packing is reused for a weight of another size")
    if transposed {
      packed.rows.copy(from: weight)
    } else {
      for n in 0..<weight.rows {
        for k in 0..<weight.columns { packed.rows[k, n] = weight[n, k] }
      }
    }
    return packed
  }

  public func multiply(
    _ a: Rows<Double>, _ packed: Packed, bias: Rows<Double>?, into out: Rows<Double>, adding: Bool
  ) {
    requireProduct(a, inner: packed.rows.rows, outer: packed.rows.columns, bias, out)
    ckernels_multiply_f64(
      a.rows, a.columns, out.columns, a.pointer, packed.rows.pointer, bias?.pointer, adding, out.pointer)
  }

  public func addOuter(_ a: Rows<Double>, _ b: Rows<Double>, to sum: Rows<Double>) {
    requireOuter(a, b, sum)
    ckernels_add_outer_f64(a.rows, a.columns, b.columns, a.pointer, b.pointer, sum.pointer)
  }

  public func lstmForward(gates: Rows<Double>, cell: Rows<Double>, nextCell: Rows<Double>, hidden: Rows<Double>) {
    requireLSTM(gates: gates, cell: cell, nextCell: nextCell, hiddenSize: hidden.columns, rows: hidden.rows)
    ckernels_lstm_forward_f64(
      hidden.rows, hidden.columns, gates.pointer, cell.pointer, nextCell.pointer, hidden.pointer)
  }

  public func lstmBackward(
    gates: Rows<Double>, cell: Rows<Double>, nextCell: Rows<Double>, dHidden: Rows<Double>, dCell: Rows<Double>,
    dGates: Rows<Double>
  ) {
    requireLSTM(gates: gates, cell: cell, nextCell: nextCell, hiddenSize: dHidden.columns, rows: dHidden.rows)
    requireLSTM(gates: dGates, cell: dCell, nextCell: dHidden, hiddenSize: dHidden.columns, rows: dHidden.rows)
    ckernels_lstm_backward_f64(
      dHidden.rows, dHidden.columns, gates.pointer, cell.pointer, nextCell.pointer, dHidden.pointer, dCell.pointer,
      dGates.pointer)
  }

  public func gather(_ symbols: Rows<Int32>, from table: Rows<Double>, into out: Rows<Double>) {
    requireSymbols(symbols, out, table)
    ckernels_gather_f64(out.rows, out.columns, table.pointer, symbols.pointer, out.pointer)
  }

  public func scatterAdd(_ a: Rows<Double>, at symbols: Rows<Int32>, to table: Rows<Double>) {
    requireSymbols(symbols, a, table)
    ckernels_scatter_add_f64(a.rows, a.columns, a.pointer, symbols.pointer, table.pointer)
  }

  public func addColumnSums(_ a: Rows<Double>, to sums: Rows<Double>) {
    precondition(sums.count == a.columns, "\(a.columns) column sums into \(sums.count)")
    ckernels_column_sums_f64(a.rows, a.columns, a.pointer, sums.pointer)
  }

  public func crossEntropy(
    _ logits: Rows<Double>, targets: Rows<Int32>, scale: Double, dLogits: Rows<Double>?, losses: Rows<Double>
  ) {
    requireCrossEntropy(logits, targets, dLogits, losses)
    ckernels_cross_entropy_f64(
      logits.rows, logits.columns, logits.pointer, targets.pointer, scale, dLogits?.pointer, losses.pointer)
  }

  public func narrow(_ a: Rows<Double>, into out: Rows<Double>) {
    precondition(a.count == out.count, "\(a.count) elements narrowed into \(out.count)")
    ckernels_narrow_f64(a.count, a.pointer, out.pointer)
  }
}
