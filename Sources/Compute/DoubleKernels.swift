import CKernels

/// The reference: everything in Double, plain loops, sums in the order of their indices.
public final class DoubleKernels: Kernels {
  public typealias Real = Double
  public typealias Operand = Double

  /// A weight as `[K, N]`.
  public struct Packed: Sendable { let rows: Rows<Double> }

  public static let loops = ElementLoops<Double, Double>(
    lstmForward: ckernels_lstm_forward_f64, lstmBackward: ckernels_lstm_backward_f64,
    gruForward: ckernels_gru_forward_f64, gruBackward: ckernels_gru_backward_f64,
    rnnForward: ckernels_rnn_forward_f64, rnnBackward: ckernels_rnn_backward_f64, gather: ckernels_gather_f64,
    scatterAdd: ckernels_scatter_add_f64, columnSums: ckernels_column_sums_f64,
    crossEntropy: ckernels_cross_entropy_f64, narrow: ckernels_narrow_f64)

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
}
