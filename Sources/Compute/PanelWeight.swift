import CKernels

/// The C loops of products with weights in panels, for one precision.
public struct PanelLoops<Real, Operand>: Sendable {
  typealias In<Element> = UnsafePointer<Element>
  typealias Out<Element> = UnsafeMutablePointer<Element>

  /// Bytes of a group of panels.
  let stride: @Sendable (Int) -> Int
  let pack: @Sendable (Int, In<Real>, Int, Int, Int, Int, In<Int32>, In<Int32>, Out<UInt8>) -> Void
  let multiply:
    @Sendable (
      Int, Int, In<Operand>, In<UInt8>, Int, Int, In<Int32>, In<Int32>, In<Real>?, Bool, Bool, Out<Real>, Int
    ) -> Void
}

/// A weight matrix in panels of 16 outputs, the right-hand side of products whose sums do not depend on the number of
/// rows or threads.
///
/// Panels are in the order of units, the gates of 16 units side by side: so a thread can compute some units alone.
public final class PanelWeight<Operand: PanelOperand>: @unchecked Sendable {  // written between meetings of threads
  typealias Real = Operand.Real

  let inner, outputs: Int
  private let gates: Int
  private let groups: Int
  /// The outputs of each panel: the first, and how many.
  private let columns, counts: Storage<Int32>
  private let memory: Storage<UInt8>

  private static var panelSize: Int { 16 }
  private static var groupSize: Int { 4 }

  init(inner: Int, outputs: Int, gates: Int) {
    precondition(gates >= 1 && outputs % gates == 0, "\(outputs) outputs are not those of \(gates) gates")
    self.inner = inner
    self.outputs = outputs
    self.gates = gates
    let units = outputs / gates
    let panels = (units + Self.panelSize - 1) / Self.panelSize * gates
    groups = (panels + Self.groupSize - 1) / Self.groupSize
    columns = Storage(count: groups * Self.groupSize)
    counts = Storage(count: groups * Self.groupSize)
    for panel in 0..<panels {
      let (unit, gate) = (panel / gates * Self.panelSize, panel % gates)
      columns.base[panel] = Int32(gate * units + unit)
      counts.base[panel] = Int32(min(Self.panelSize, units - unit))
    }
    memory = Storage(count: groups * Operand.panelLoops.stride(inner))
  }

  /// Overwrites the panels with `weight [N, K]` as x·Wᵀ, or with `transposed` as x·W.
  func pack(_ weight: Rows<Real>, transposed: Bool, on workers: Workers?) {
    let (outputStride, innerStride) = transposed ? (1, weight.columns) : (weight.columns, 1)
    precondition(
      weight.count == inner * outputs && (transposed ? weight.rows : weight.columns) == inner,
      "a weight [\(weight.rows), \(weight.columns)] in panels of [\(outputs), \(inner)]")
    @Sendable func pack(_ groups: Range<Int>) {
      Operand.panelLoops.pack(
        inner, weight.pointer, outputStride, innerStride, groups.lowerBound, groups.upperBound, columns.base,
        counts.base, memory.base)
    }
    guard let workers else { return pack(0..<groups) }
    workers.together { pack($0.rows(of: groups)) }
  }

  func multiply(
    _ a: Rows<Operand>, bias: Rows<Real>?, into out: Rows<Real>, adding: Bool, units: Range<Int>?, sweep: Sweep
  ) {
    product(a, bias: bias, into: out, adding: adding, units: units, sweep: sweep).perform()
    withExtendedLifetime((self, a, bias, out)) {}
  }

  /// The same product, to be done later. Whoever does it keeps the weight and the matrices until then.
  func product(
    _ a: Rows<Operand>, bias: Rows<Real>?, into out: Rows<Real>, adding: Bool, units: Range<Int>?, sweep: Sweep
  ) -> PanelProduct<Operand> {
    PanelProduct(
      a: a.pointer, rows: a.rows, inner: inner, panels: memory.base, groups: units.map(groups(of:)) ?? 0..<groups,
      columns: columns.base, counts: counts.base, bias: bias?.pointer, isAdding: adding, sweep: sweep,
      out: out.pointer, width: out.columns)
  }

  private func groups(of units: Range<Int>) -> Range<Int> {
    let all = outputs / gates
    let blocks = Self.panelSize * Self.groupSize
    precondition(
      units.lowerBound % blocks == 0 && units.upperBound <= all
        && (units.upperBound % blocks == 0 || units.upperBound == all),
      "units \(units) of \(all) are not whole blocks of \(blocks)")
    return units.lowerBound * gates / blocks..<(units.upperBound == all ? groups : units.upperBound * gates / blocks)
  }
}

/// A product with a ``PanelWeight`` by its addresses: what they point to must outlive it.
struct PanelProduct<Operand: PanelOperand> {
  let a: UnsafePointer<Operand>
  let rows, inner: Int
  let panels: UnsafePointer<UInt8>
  let groups: Range<Int>
  let columns, counts: UnsafePointer<Int32>
  let bias: UnsafePointer<Operand.Real>?
  let isAdding: Bool
  let sweep: Sweep
  let out: UnsafeMutablePointer<Operand.Real>
  let width: Int

  func perform() {
    Operand.panelLoops.multiply(
      rows, inner, a, panels, groups.lowerBound, groups.upperBound, columns, counts, bias, isAdding, sweep == .back,
      out, width)
  }
}
