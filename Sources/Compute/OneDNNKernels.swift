import COneDNN

/// What oneDNN's products multiply: float32, or bfloat16 as `UInt16`.
public protocol OneDNNOperand: PanelOperand where Real == Float {}
extension Float: OneDNNOperand {}
extension UInt16: OneDNNOperand {}

/// Kernels whose products are all oneDNN's: for processors with matrix units, and those without AVX-512, where its
/// products of many rows are faster than panels.
public final class OneDNNKernels<Operand: OneDNNOperand>: Kernels, @unchecked Sendable {  // one thread at a time
  public typealias Real = Float
  public typealias Packed = PackedWeight
  public typealias Reading = TapeKernels<Operand>

  public static var loops: ElementLoops<Float, Operand> { Operand.loops }

  private let products = MatrixProducts<Operand>()

  public init() {}

  public func pack(
    _ weight: Rows<Float>, transposed: Bool, gates: Int, reusing old: PackedWeight?
  ) -> PackedWeight {
    products.pack(weight, transposed: transposed, reusing: old)
  }

  public func multiply(
    _ a: Rows<Operand>, _ packed: PackedWeight, bias: Rows<Float>?, into out: Rows<Float>, adding: Bool,
    units: Range<Int>?, sweep: Sweep
  ) {
    precondition(units == nil, "oneDNN's layout of a weight cannot be cut into units")
    requireProduct(a, inner: packed.inner, outer: packed.columns, bias, out)
    products.multiply(a, packed, bias: bias, into: out, adding: adding)
  }

  public func addOuter(_ a: Rows<Operand>, _ b: Rows<Operand>, to sum: Rows<Float>) {
    requireOuter(a, b, sum)
    products.addOuter(a, b, to: sum)
  }
}

/// Whether this processor has bfloat16 products in hardware and oneDNN may use them: `ONEDNN_MAX_CPU_ISA` in the
/// environment can hold it back.
public let hasBFloat16Hardware = unroll_has_bfloat16()

/// Whether oneDNN's products of many rows are faster here than panels: where bfloat16 has matrix units, and in float32
/// where vectors are narrow. On a Zen 5, with neither, panels reach 520 GFLOP/s in bfloat16 on one thread, oneDNN 2.6 430.
public let prefersOneDNN = (bfloat16: unroll_has_matrix_units(), float32: !unroll_has_wide_vectors())
