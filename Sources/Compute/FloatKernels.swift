import CKernels

/// Float32 throughout.
public typealias Float32Kernels = PanelKernels<Float>

/// bfloat16 operands with float32 sums: hidden states, gate gradients and packed weights are bfloat16 (the bits of one
/// are a `UInt16`); cells, gates, gradients and the weights themselves stay float32. For processors that multiply
/// bfloat16 in hardware.
public typealias BFloat16Kernels = PanelKernels<UInt16>

/// For reading only: weights and hidden states as bytes, sums exact in 32 bits, everything else float32.
///
/// A weight is a byte times a scale of its output; a hidden state, which lies in (−1, 1), is (byte − 128) / 127.
public typealias Int8Kernels = PanelKernels<UInt8>

extension Float: PanelOperand {
  public typealias Outer = MatrixProducts<Float>
  public static let loops = ElementLoops<Float, Float>(
    lstmForward: ckernels_lstm_forward_f32, lstmBackward: ckernels_lstm_backward_f32,
    lstmNormForward: ckernels_lstm_norm_forward_f32, lstmNormBackward: ckernels_lstm_norm_backward_f32,
    gruForward: ckernels_gru_forward_f32, gruBackward: ckernels_gru_backward_f32, rnnForward: ckernels_rnn_forward_f32,
    rnnBackward: ckernels_rnn_backward_f32, gather: ckernels_gather_f32,
    scatterAdd: ckernels_scatter_add_f32, columnSums: ckernels_column_sums_f32,
    crossEntropy: ckernels_cross_entropy_f32, describe: ckernels_describe_f32, narrow: ckernels_narrow_f32,
    mask: ckernels_mask_f32,
    addScaled: ckernels_add_scaled_f32, addDifference: ckernels_add_difference_f32)
  public static let panelLoops = PanelLoops<Float, Float>(
    stride: ckernels_panel_stride_f32, pack: ckernels_panel_pack_f32, multiply: ckernels_panel_multiply_f32)
}

extension UInt16: PanelOperand {
  public typealias Outer = BFloat16OuterProducts
  public static let loops = ElementLoops<Float, UInt16>(
    lstmForward: ckernels_lstm_forward_bf16, lstmBackward: ckernels_lstm_backward_bf16,
    lstmNormForward: ckernels_lstm_norm_forward_bf16, lstmNormBackward: ckernels_lstm_norm_backward_bf16,
    gruForward: ckernels_gru_forward_bf16, gruBackward: ckernels_gru_backward_bf16,
    rnnForward: ckernels_rnn_forward_bf16, rnnBackward: ckernels_rnn_backward_bf16, gather: ckernels_gather_bf16,
    scatterAdd: ckernels_scatter_add_bf16, columnSums: ckernels_column_sums_bf16,
    crossEntropy: ckernels_cross_entropy_bf16, describe: ckernels_describe_bf16, narrow: ckernels_narrow_bf16,
    mask: ckernels_mask_bf16,
    addScaled: ckernels_add_scaled_bf16, addDifference: ckernels_add_difference_bf16)
  public static let panelLoops = PanelLoops<Float, UInt16>(
    stride: ckernels_panel_stride_bf16, pack: ckernels_panel_pack_bf16, multiply: ckernels_panel_multiply_bf16)
}

extension UInt8: PanelOperand {
  public static let loops = ElementLoops<Float, UInt8>(
    lstmForward: ckernels_lstm_forward_int8, lstmBackward: ckernels_lstm_backward_int8,
    lstmNormForward: ckernels_lstm_norm_forward_int8, lstmNormBackward: ckernels_lstm_norm_backward_int8,
    gruForward: ckernels_gru_forward_int8, gruBackward: ckernels_gru_backward_int8,
    rnnForward: ckernels_rnn_forward_int8, rnnBackward: ckernels_rnn_backward_int8, gather: ckernels_gather_int8,
    scatterAdd: ckernels_scatter_add_int8, columnSums: ckernels_column_sums_int8,
    crossEntropy: ckernels_cross_entropy_int8, describe: ckernels_describe_int8, narrow: ckernels_narrow_int8,
    mask: ckernels_mask_int8,
    addScaled: ckernels_add_scaled_int8, addDifference: ckernels_add_difference_int8)
  public static let panelLoops = PanelLoops<Float, UInt8>(
    stride: ckernels_panel_stride_int8, pack: ckernels_panel_pack_int8, multiply: ckernels_panel_multiply_int8)

  /// Gradients do not fit into bytes.
  public final class Outer: OuterProducts {
    public init() {}
    public func addOuter(_: Rows<UInt8>, _: Rows<UInt8>, to _: Rows<Float>) {
      preconditionFailure("int8 weights are for reading; nothing is trained with them")
    }
  }
}
