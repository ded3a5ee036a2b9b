import CKernels
import COneDNN

/// Float32 throughout.
public typealias Float32Kernels = OneDNNKernels<Float>

/// bfloat16 operands with float32 sums: hidden states, gate gradients and packed weights are bfloat16 (the bits of one
/// are a `UInt16`); cells, gates, gradients and the weights themselves stay float32. For processors that multiply
/// bfloat16 in hardware.
public typealias BFloat16Kernels = OneDNNKernels<UInt16>

/// What matrix products multiply on oneDNN: float32, or bfloat16 as `UInt16`.
public protocol OneDNNOperand: BitwiseCopyable & Sendable {
  static var loops: ElementLoops<Float, Self> { get }
}

extension Float: OneDNNOperand {
  public static let loops = ElementLoops<Float, Float>(
    lstmForward: ckernels_lstm_forward_f32, lstmBackward: ckernels_lstm_backward_f32,
    gruForward: ckernels_gru_forward_f32, gruBackward: ckernels_gru_backward_f32,
    rnnForward: ckernels_rnn_forward_f32, rnnBackward: ckernels_rnn_backward_f32, gather: ckernels_gather_f32,
    scatterAdd: ckernels_scatter_add_f32, columnSums: ckernels_column_sums_f32,
    crossEntropy: ckernels_cross_entropy_f32, narrow: ckernels_narrow_f32)
}

extension UInt16: OneDNNOperand {
  public static let loops = ElementLoops<Float, UInt16>(
    lstmForward: ckernels_lstm_forward_bf16, lstmBackward: ckernels_lstm_backward_bf16,
    gruForward: ckernels_gru_forward_bf16, gruBackward: ckernels_gru_backward_bf16,
    rnnForward: ckernels_rnn_forward_bf16, rnnBackward: ckernels_rnn_backward_bf16, gather: ckernels_gather_bf16,
    scatterAdd: ckernels_scatter_add_bf16, columnSums: ckernels_column_sums_bf16,
    crossEntropy: ckernels_cross_entropy_bf16, narrow: ckernels_narrow_bf16)
}

/// The workhorses: weights and gradients in float32, matrix products by oneDNN on packed weights.
public final class OneDNNKernels<Operand: OneDNNOperand>: Kernels, @unchecked Sendable {  // one thread at a time
  public typealias Real = Float
  public typealias Packed = PackedWeight

  public static var loops: ElementLoops<Float, Operand> { Operand.loops }

  private let products = MatrixProducts<Operand>()

  public init() {}

  public func pack(_ weight: Rows<Float>, transposed: Bool, reusing old: PackedWeight?) -> PackedWeight {
    products.pack(weight, transposed: transposed, reusing: old)
  }

  public func multiply(
    _ a: Rows<Operand>, _ packed: PackedWeight, bias: Rows<Float>?, into out: Rows<Float>, adding: Bool
  ) {
    requireProduct(a, inner: packed.inner, outer: packed.columns, bias, out)
    products.multiply(a, packed, bias: bias, into: out, adding: adding)
  }

  public func addOuter(_ a: Rows<Operand>, _ b: Rows<Operand>, to sum: Rows<Float>) {
    requireOuter(a, b, sum)
    products.addOuter(a, b, to: sum)
  }
}

/// Whether this processor has bfloat16 products in hardware.
public let hasBFloat16Hardware = unroll_has_bfloat16()
