/// Operations that were asked for once, to be done again and again on the same memory.
///
/// What a reader does at every symbol is the same list of loops over the same matrices; only their contents change. So
/// the list is written down the first time, and played: without the checks, look-ups and references that writing costs.
public final class Tape: @unchecked Sendable {  // played by one thread, after it was written
  private var operations: [(phase: Phase, perform: () -> Void)] = []
  /// The memory that operations work on, once each.
  private var kept: [ObjectIdentifier: AnyObject] = [:]

  /// An empty tape.
  public init() {}

  func record(_ phase: Phase, on memory: AnyObject?..., operation: @escaping () -> Void) {
    operations.append((phase, operation))
    for object in memory.compactMap({ $0 }) { kept[ObjectIdentifier(object)] = object }
  }

  /// Does everything that was recorded, in order.
  public func play() {
    for operation in operations { operation.perform() }
  }

  /// The same, taking the time of every operation.
  public func play(times: inout PhaseTimes) {
    for operation in operations { times.measure(operation.phase) { operation.perform() } }
  }
}

/// Kernels for reading: what they are asked to do they write on their ``tape``. Its sizes are checked there and then,
/// its sums are those of ``PanelKernels``. The backward pass is not for reading.
public final class TapeKernels<Operand: PanelOperand>: ReadingKernels, @unchecked Sendable {  // one thread records
  public typealias Real = Operand.Real
  public typealias Packed = PanelWeight<Operand>
  public typealias Reading = TapeKernels<Operand>

  public static var loops: ElementLoops<Real, Operand> { Operand.loops }

  /// What is recorded on.
  public var tape = Tape()

  public init() {}

  /// Packs at once: weights do not change while they are read.
  public func pack(
    _ weight: Rows<Real>, transposed: Bool, gates: Int, reusing old: PanelWeight<Operand>?
  ) -> PanelWeight<Operand> {
    PanelKernels<Operand>().pack(weight, transposed: transposed, gates: gates, reusing: old)
  }

  public func multiply(
    _ a: Rows<Operand>, _ packed: PanelWeight<Operand>, bias: Rows<Real>?, into out: Rows<Real>, adding: Bool,
    units: Range<Int>?, sweep: Sweep
  ) {
    requireProduct(a, inner: packed.inner, outer: packed.outputs, bias, out)
    let product = packed.product(a, bias: bias, into: out, adding: adding, units: units, sweep: sweep)
    tape.record(.products, on: a.storage, packed, bias?.storage, out.storage) { product.perform() }
  }

  public func addOuter(_ a: Rows<Operand>, _ b: Rows<Operand>, to sum: Rows<Real>) {
    preconditionFailure("kernels for reading sum no gradients")
  }

  // MARK: Loops

  public func lstmForward(
    gates: Rows<Real>, cell: Rows<Real>, nextCell: Rows<Real>, hidden: Rows<Operand>, units: Range<Int>
  ) {
    requireLSTM(gates: gates, cell: cell, nextCell: nextCell, hiddenSize: hidden.columns, rows: hidden.rows)
    requireUnits(units, hidden.columns)
    let (loop, rows, columns, first, last) = (
      Operand.loops.lstmForward, hidden.rows, hidden.columns, units.lowerBound, units.upperBound
    )
    let memory = (gates.pointer, cell.pointer, nextCell.pointer, hidden.pointer)
    tape.record(.steps, on: gates.storage, cell.storage, nextCell.storage, hidden.storage) {
      loop(rows, columns, first, last, memory.0, memory.1, memory.2, memory.3)
    }
  }

  public func gruForward(
    gates: Rows<Real>, products: Rows<Real>, hidden: Rows<Operand>, candidate: Rows<Real>, nextHidden: Rows<Operand>,
    units: Range<Int>
  ) {
    requireGRU(
      gates: gates, candidate: candidate, hidden: hidden, hiddenSize: nextHidden.columns, rows: nextHidden.rows)
    precondition(products.count == gates.count, "\(products.count) products of a GRU step with \(gates.count) gates")
    requireUnits(units, nextHidden.columns)
    let (loop, rows, columns, first, last) = (
      Operand.loops.gruForward, nextHidden.rows, nextHidden.columns, units.lowerBound, units.upperBound
    )
    let memory = (gates.pointer, products.pointer, hidden.pointer, candidate.pointer, nextHidden.pointer)
    tape.record(.steps, on: gates.storage, products.storage, hidden.storage, candidate.storage, nextHidden.storage) {
      loop(rows, columns, first, last, memory.0, memory.1, memory.2, memory.3, memory.4)
    }
  }

  public func rnnForward(_ nonlinearity: Nonlinearity, gates: Rows<Real>, hidden: Rows<Operand>, units: Range<Int>) {
    requireRNN(gates: gates, hidden: hidden)
    requireUnits(units, hidden.columns)
    let (loop, rows, columns, first, last) = (
      Operand.loops.rnnForward, hidden.rows, hidden.columns, units.lowerBound, units.upperBound
    )
    let memory = (gates.pointer, hidden.pointer)
    tape.record(.steps, on: gates.storage, hidden.storage) {
      loop(rows, columns, first, last, nonlinearity == .relu, memory.0, memory.1)
    }
  }

  public func gather(_ symbols: Rows<Int32>, from table: Rows<Real>, into out: Rows<Real>, columns: Range<Int>) {
    requireSymbols(symbols, out, table)
    requireColumns(columns, of: out)
    let (loop, rows, width, first, last) = (
      Operand.loops.gather, out.rows, out.columns, columns.lowerBound, columns.upperBound
    )
    let memory = (table.pointer, symbols.pointer, out.pointer)
    tape.record(.symbols, on: table.storage, symbols.storage, out.storage) {
      loop(rows, width, first, last, memory.0, memory.1, memory.2)
    }
  }

  public func crossEntropy(
    _ logits: Rows<Real>, targets: Rows<Int32>, scale: Real, dLogits: Rows<Operand>?, losses: Rows<Double>
  ) {
    requireCrossEntropy(logits, targets, dLogits, losses)
    let (loop, rows, columns) = (Operand.loops.crossEntropy, logits.rows, logits.columns)
    let memory = (logits.pointer, targets.pointer, dLogits?.pointer, losses.pointer)
    tape.record(.softmax, on: logits.storage, targets.storage, dLogits?.storage, losses.storage) {
      loop(rows, columns, memory.0, memory.1, scale, memory.2, memory.3)
    }
  }

  public func describe(_ logits: Rows<Real>, targets: Rows<Int32>, into details: PredictionRows) {
    requireCrossEntropy(logits, targets, nil, details.losses)
    precondition(
      details.best.columns <= logits.columns,
      "\(details.best.columns) alternatives of a vocabulary of \(logits.columns)")
    let (loop, rows, columns, alternatives) = (
      Operand.loops.describe, logits.rows, logits.columns, details.best.columns
    )
    let (x, symbols, out) = (logits.pointer, targets.pointer, details)
    // The views keep their memory alive.
    tape.record(.softmax, on: logits.storage, targets.storage) {
      loop(
        rows, columns, alternatives, x, symbols, out.losses.pointer, out.entropies.pointer, out.ranks.pointer,
        out.best.pointer, out.bestLosses.pointer, out.totals?.pointer)
    }
  }

  public func narrow(_ a: Rows<Real>, into out: Rows<Operand>) {
    precondition(a.count == out.count, "\(a.count) elements narrowed into \(out.count)")
    let (loop, count, source, target) = (Operand.loops.narrow, a.count, a.pointer, out.pointer)
    tape.record(.copies, on: a.storage, out.storage) { loop(count, source, target) }
  }

  public func copy<Element>(_ a: Rows<Element>, into out: Rows<Element>, columns: Range<Int>) {
    tape.record(.copies) { out.copy(from: a, columns: columns) }
  }

  public func overwrite<Element>(
    _ rows: Rows<Element>, with row: Rows<Element>, columns: Range<Int>, where symbols: Rows<Int32>, are symbol: Int32
  ) {
    tape.record(.copies) { rows.overwrite(with: row, columns: columns, where: symbols, are: symbol) }
  }

  public func meet(_ share: Share) {
    guard share.count > 1 else { return }
    tape.record(.meetings) { share.meet() }
  }
}
