import CKernels

/// Gradients of weights from bfloat16: both matrices are packed, their rows two and two, and multiplied as panels are.
///
/// Each sum is taken in the order of the rows, in float32.
public final class BFloat16OuterProducts: OuterProducts, @unchecked Sendable {  // one thread at a time
  /// The packed matrices; they grow to the largest that came.
  private var first = Storage<UInt16>(count: 0)
  private var second = Storage<UInt16>(count: 0)

  public init() {}

  public func addOuter(_ a: Rows<UInt16>, _ b: Rows<UInt16>, to sum: Rows<Float>) {
    guard a.rows > 0 else { return }
    Self.pack(a, into: &first)
    Self.pack(b, into: &second)
    ckernels_add_outer_bf16(a.rows, a.columns, b.columns, first.base, second.base, sum.pointer)
  }

  private static func pack(_ matrix: Rows<UInt16>, into packed: inout Storage<UInt16>) {
    let count = ckernels_outer_count_bf16(matrix.rows, matrix.columns)
    if packed.count < count { packed = Storage(count: count) }
    ckernels_outer_pack_bf16(matrix.rows, matrix.columns, matrix.pointer, packed.base)
  }
}
