import COneDNN

/// oneDNN's view of the processor, made once.
private final class Engine: @unchecked Sendable {  // oneDNN's engines may be shared by threads
  static let shared = Engine()
  let engine: dnnl_engine_t

  private init() {
    unroll_single_threaded_products()
    var engine: dnnl_engine_t?
    requireSuccess(dnnl_engine_create(&engine, dnnl_cpu, 0), "make an engine")
    guard let engine else { preconditionFailure("oneDNN made no engine") }
    self.engine = engine
  }
}

private func requireSuccess(_ status: dnnl_status_t, _ what: @autoclosure () -> String) {
  requireSuccess(Int32(status.rawValue), what())
}

/// oneDNN refuses only what is a programmer's error, or memory that the machine does not have.
private func requireSuccess(_ status: Int32, _ what: @autoclosure () -> String) {
  precondition(status == 0, "oneDNN could not \(what()) (status \(status))")
}

/// A weight matrix in oneDNN's blocked layout, as the right-hand side `[inner, columns]` of products.
public final class PackedWeight: @unchecked Sendable {  // written by `pack` only, between two meetings of the threads
  let inner: Int
  let columns: Int
  let transposed: Bool
  fileprivate let layout: unroll_layout
  fileprivate let memory: Storage<UInt8>

  fileprivate init(inner: Int, columns: Int, transposed: Bool, layout: unroll_layout) {
    self.inner = inner
    self.columns = columns
    self.transposed = transposed
    self.layout = layout
    self.memory = Storage(count: unroll_layout_bytes(layout))
  }

  deinit { unroll_layout_free(layout) }
}

/// The matrix products of one lane group: made once for each shape, then reused.
///
/// The blocked layout that oneDNN prefers for a weight is asked for at ``typicalRows`` rows and then kept for every
/// number of rows.
public final class MatrixProducts<Operand: OneDNNOperand>: OuterProducts, @unchecked Sendable {  // one thread at a time
  private struct Shape: Hashable {
    enum Weights: Hashable { case packed, plain }
    var rows, inner, columns: Int
    var weights: Weights
    var hasBias: Bool
    var adding: Bool

    func described(bfloat16: Bool) -> unroll_product_shape {
      unroll_product_shape(
        rows: Int64(rows), inner: Int64(inner), columns: Int64(columns), bfloat16: bfloat16,
        sourceTransposed: weights == .plain, accumulate: adding, bias: hasBias, weightsPlain: weights == .plain)
    }
  }

  private final class Product {
    var product = unroll_product()
    deinit { unroll_product_free(&product) }
  }

  private static var typicalRows: Int { 32 }
  /// Whether operands are bfloat16; otherwise they are float32.
  private let bfloat16 = Operand.self == UInt16.self
  private var products: [Shape: Product] = [:]
  private let stream: dnnl_stream_t

  public init() {
    var stream: dnnl_stream_t?
    requireSuccess(
      dnnl_stream_create(&stream, Engine.shared.engine, dnnl_stream_default_flags.rawValue), "make a stream")
    guard let stream else { preconditionFailure("oneDNN made no stream") }
    self.stream = stream
  }

  deinit { dnnl_stream_destroy(stream) }

  func pack(_ weight: Rows<Float>, transposed: Bool, reusing old: PackedWeight?) -> PackedWeight {
    unroll_single_threaded_products()
    let inner = transposed ? weight.rows : weight.columns
    let columns = transposed ? weight.columns : weight.rows
    let packed = old ?? emptyPacking(inner: inner, columns: columns, transposed: transposed)
    precondition(
      packed.inner == inner && packed.columns == columns && packed.transposed == transposed,
      "a packing of [\(packed.inner), \(packed.columns)] is reused for [\(inner), \(columns)]")
    requireSuccess(
      unroll_pack(
        Engine.shared.engine, stream, Int64(inner), Int64(columns), !transposed, weight.pointer, packed.layout,
        packed.memory.base),
      "pack a weight [\(inner), \(columns)]")
    return packed
  }

  private func emptyPacking(inner: Int, columns: Int, transposed: Bool) -> PackedWeight {
    var shape = unroll_product_shape(
      rows: Int64(Self.typicalRows), inner: Int64(inner), columns: Int64(columns), bfloat16: bfloat16,
      sourceTransposed: false,
      accumulate: false, bias: false, weightsPlain: false)
    var layout: unroll_layout?
    var probe = unroll_product()
    requireSuccess(
      unroll_product_make(&probe, Engine.shared.engine, &shape, nil, &layout), "choose a layout [\(inner), \(columns)]")
    unroll_product_free(&probe)
    guard let layout else { preconditionFailure("oneDNN chose no layout") }
    return PackedWeight(inner: inner, columns: columns, transposed: transposed, layout: layout)
  }

  func multiply(_ a: Rows<Operand>, _ packed: PackedWeight, bias: Rows<Float>?, into out: Rows<Float>, adding: Bool) {
    guard a.rows > 0 else { return }
    let shape = Shape(
      rows: a.rows, inner: a.columns, columns: out.columns, weights: .packed, hasBias: bias != nil, adding: adding)
    run(shape, packed.layout, a.pointer, packed.memory.base, bias?.pointer, out.pointer)
  }

  /// `sum += aᵀ·b`, both as they lie in memory.
  public func addOuter(_ a: Rows<Operand>, _ b: Rows<Operand>, to sum: Rows<Float>) {
    guard a.rows > 0 else { return }
    let shape = Shape(
      rows: a.columns, inner: a.rows, columns: b.columns, weights: .plain, hasBias: false, adding: true)
    run(shape, nil, a.pointer, UnsafeMutableRawPointer(b.pointer), nil, sum.pointer)
  }

  private func run(
    _ shape: Shape, _ packed: unroll_layout?, _ source: UnsafePointer<Operand>, _ weights: UnsafeRawPointer,
    _ bias: UnsafePointer<Float>?, _ destination: UnsafeMutablePointer<Float>
  ) {
    unroll_single_threaded_products()
    let product = products[shape] ?? make(shape, packed)
    requireSuccess(
      unroll_product_run(&product.product, stream, source, weights, bias, destination),
      "multiply [\(shape.rows), \(shape.inner)] by [\(shape.inner), \(shape.columns)]")
  }

  private func make(_ shape: Shape, _ packed: unroll_layout?) -> Product {
    let product = Product()
    var description = shape.described(bfloat16: bfloat16)
    requireSuccess(
      unroll_product_make(&product.product, Engine.shared.engine, &description, packed, nil),
      "make a product [\(shape.rows), \(shape.inner), \(shape.columns)]")
    products[shape] = product
    return product
  }
}
