import CKernels

/// What panels multiply: the operands of one precision, with its C loops.
public protocol PanelOperand: BitwiseCopyable & Sendable {
  associatedtype Real: KernelReal
  associatedtype Outer: OuterProducts<Self>
  static var loops: ElementLoops<Real, Self> { get }
  static var panelLoops: PanelLoops<Real, Self> { get }
}

/// Gradients of weights: sums of outer products.
public protocol OuterProducts<Operand>: AnyObject, Sendable {
  associatedtype Operand: PanelOperand
  init()
  /// `sum [N, K] += aᵀ·b` with `a [M, N]`, `b [M, K]`.
  func addOuter(_ a: Rows<Operand>, _ b: Rows<Operand>, to sum: Rows<Operand.Real>)
}

/// Kernels whose weights lie in panels.
public final class PanelKernels<Operand: PanelOperand>: Kernels {
  public typealias Real = Operand.Real
  public typealias Packed = PanelWeight<Operand>
  public typealias Reading = TapeKernels<Operand>

  public static var loops: ElementLoops<Real, Operand> { Operand.loops }

  private let outer = Operand.Outer()
  private let packers: Workers?

  public init() { packers = nil }
  public init(packingOn workers: Workers) { packers = workers }

  public func pack(
    _ weight: Rows<Real>, transposed: Bool, gates: Int, reusing old: PanelWeight<Operand>?
  ) -> PanelWeight<Operand> {
    let (inner, outputs) = transposed ? (weight.rows, weight.columns) : (weight.columns, weight.rows)
    let packed = old ?? PanelWeight(inner: inner, outputs: outputs, gates: gates)
    packed.pack(weight, transposed: transposed, on: packers)
    return packed
  }

  public func multiply(
    _ a: Rows<Operand>, _ packed: PanelWeight<Operand>, bias: Rows<Real>?, into out: Rows<Real>, adding: Bool,
    units: Range<Int>?, sweep: Sweep
  ) {
    requireProduct(a, inner: packed.inner, outer: packed.outputs, bias, out)
    packed.multiply(a, bias: bias, into: out, adding: adding, units: units, sweep: sweep)
  }

  public func addOuter(_ a: Rows<Operand>, _ b: Rows<Operand>, to sum: Rows<Real>) {
    requireOuter(a, b, sum)
    outer.addOuter(a, b, to: sum)
  }
}
