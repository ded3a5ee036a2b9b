import CKernels

/// The workhorse without special hardware: float32 throughout, matrix products by oneDNN on packed weights.
public final class Float32Kernels: Kernels, @unchecked Sendable {  // one lane group, one thread at a time
  public typealias Real = Float
  public typealias Operand = Float
  public typealias Packed = PackedWeight

  private let products = MatrixProducts()

  public static let loops = ElementLoops<Float, Float>(
    lstmForward: ckernels_lstm_forward_f32, lstmBackward: ckernels_lstm_backward_f32, gather: ckernels_gather_f32,
    scatterAdd: ckernels_scatter_add_f32, columnSums: ckernels_column_sums_f32,
    crossEntropy: ckernels_cross_entropy_f32, narrow: ckernels_narrow_f32)

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
}
