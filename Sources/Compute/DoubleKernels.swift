import CKernels

/// The reference: everything in Double, sums in a fixed order. Gradients are summed backwards, row by row, as the pass
/// itself runs: so their bits do not depend on how a window is cut.
public typealias DoubleKernels = PanelKernels<Double>

extension Double: PanelOperand {
  public static let loops = ElementLoops<Double, Double>(
    lstmForward: ckernels_lstm_forward_f64, lstmBackward: ckernels_lstm_backward_f64,
    lstmNormForward: ckernels_lstm_norm_forward_f64, lstmNormBackward: ckernels_lstm_norm_backward_f64,
    gruForward: ckernels_gru_forward_f64, gruBackward: ckernels_gru_backward_f64,
    rnnForward: ckernels_rnn_forward_f64, rnnBackward: ckernels_rnn_backward_f64, gather: ckernels_gather_f64,
    scatterAdd: ckernels_scatter_add_f64, columnSums: ckernels_column_sums_f64,
    crossEntropy: ckernels_cross_entropy_f64, describe: ckernels_describe_f64, narrow: ckernels_narrow_f64,
    mask: ckernels_mask_f64,
    addScaled: ckernels_add_scaled_f64, addDifference: ckernels_add_difference_f64)
  public static let panelLoops = PanelLoops<Double, Double>(
    stride: ckernels_panel_stride_f64, pack: ckernels_panel_pack_f64, multiply: ckernels_panel_multiply_f64)

  /// Plain loops, from the last row to the first.
  public final class Outer: OuterProducts {
    public init() {}
    public func addOuter(_ a: Rows<Double>, _ b: Rows<Double>, to sum: Rows<Double>) {
      ckernels_add_outer_f64(a.rows, a.columns, b.columns, a.pointer, b.pointer, sum.pointer)
    }
  }
}
