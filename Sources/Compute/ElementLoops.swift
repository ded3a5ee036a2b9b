/// The C loops of one precision: what ``Kernels`` does besides matrix products.
///
/// A precision names its loops once; the checks of sizes and the calls are the same for all.
public struct ElementLoops<Real, Operand>: Sendable {
  typealias In<Element> = UnsafePointer<Element>
  typealias Out<Element> = UnsafeMutablePointer<Element>

  let lstmForward: @Sendable (Int, Int, Int, Int, Out<Real>, In<Real>, Out<Real>, Out<Operand>) -> Void
  let lstmBackward: @Sendable (Int, Int, In<Real>, In<Real>, In<Real>, In<Real>, Out<Real>, Out<Operand>) -> Void
  let lstmNormForward:
    @Sendable (
      Int, Int, In<Real>, In<Real>, In<Real>, Out<Real>, In<Real>, Out<Real>, Out<Real>, Out<Operand>
    ) -> Void
  let lstmNormBackward:
    @Sendable (
      Int, Int, In<Real>, In<Real>, In<Real>, In<Real>, In<Real>, In<Real>, In<Real>, In<Real>, Out<Real>, Out<Real>,
      Out<Real>, Out<Operand>, Out<Operand>
    ) -> Void
  let gruForward: @Sendable (Int, Int, Int, Int, Out<Real>, In<Real>, In<Operand>, Out<Real>, Out<Operand>) -> Void
  let gruBackward:
    @Sendable (
      Int, Int, In<Real>, In<Real>, In<Operand>, In<Real>, Out<Real>, Out<Operand>, Out<Operand>
    ) -> Void
  let rnnForward: @Sendable (Int, Int, Int, Int, Bool, Out<Real>, Out<Operand>) -> Void
  let rnnBackward: @Sendable (Int, Int, Bool, In<Real>, In<Real>, Out<Operand>) -> Void
  let gather: @Sendable (Int, Int, Int, Int, In<Real>, In<Int32>, Out<Real>) -> Void
  let scatterAdd: @Sendable (Int, Int, In<Operand>, In<Int32>, Out<Real>) -> Void
  let columnSums: @Sendable (Int, Int, In<Operand>, Out<Real>) -> Void
  let crossEntropy: @Sendable (Int, Int, Out<Real>, In<Int32>, Real, Out<Operand>?, Out<Double>) -> Void
  let describe:
    @Sendable (
      Int, Int, Int, Out<Real>, In<Int32>, Out<Double>, Out<Double>, Out<Int32>, Out<Int32>, Out<Double>, Out<Double>?
    ) -> Void
  let narrow: @Sendable (Int, In<Real>, Out<Operand>) -> Void
  let mask: @Sendable (Int, Int, In<Operand>, In<Real>, Out<Operand>) -> Void
  let addScaled: @Sendable (Int, Real, In<Operand>, Out<Real>) -> Void
  let addDifference: @Sendable (Int, Real, In<Operand>, In<Operand>, Out<Real>, Out<Real>) -> Void
}

extension Kernels {
  public func gather(_ symbols: Rows<Int32>, from table: Rows<Real>, into out: Rows<Real>, columns: Range<Int>) {
    requireSymbols(symbols, out, table)
    requireColumns(columns, of: out)
    Self.loops.gather(
      out.rows, out.columns, columns.lowerBound, columns.upperBound, table.pointer, symbols.pointer, out.pointer)
  }

  public func scatterAdd(_ a: Rows<Operand>, at symbols: Rows<Int32>, to table: Rows<Real>) {
    requireSymbols(symbols, a, table)
    Self.loops.scatterAdd(a.rows, a.columns, a.pointer, symbols.pointer, table.pointer)
  }

  public func addColumnSums(_ a: Rows<Operand>, to sums: Rows<Real>) {
    precondition(sums.count == a.columns, "\(a.columns) column sums into \(sums.count)")
    Self.loops.columnSums(a.rows, a.columns, a.pointer, sums.pointer)
  }

  public func crossEntropy(
    _ logits: Rows<Real>, targets: Rows<Int32>, scale: Real, dLogits: Rows<Operand>?, losses: Rows<Double>
  ) {
    requireCrossEntropy(logits, targets, dLogits, losses)
    Self.loops.crossEntropy(
      logits.rows, logits.columns, logits.pointer, targets.pointer, scale, dLogits?.pointer, losses.pointer)
  }

  public func narrow(_ a: Rows<Real>, into out: Rows<Operand>) {
    precondition(a.count == out.count, "\(a.count) elements narrowed into \(out.count)")
    Self.loops.narrow(a.count, a.pointer, out.pointer)
  }

  public func mask(_ a: Rows<Operand>, by mask: Rows<Real>, into out: Rows<Operand>) {
    precondition(
      a.count == out.count && mask.count > 0 && a.count % mask.count == 0,
      "a mask of \(mask.count) elements on \(a.count), into \(out.count)")
    Self.loops.mask(a.count / mask.count, mask.count, a.pointer, mask.pointer, out.pointer)
  }

  public func addScaled(_ a: Rows<Operand>, by factor: Real, to sum: Rows<Real>) {
    precondition(a.count == sum.count, "\(a.count) elements added to \(sum.count)")
    Self.loops.addScaled(a.count, factor, a.pointer, sum.pointer)
  }

  public func addDifference(
    _ next: Rows<Operand>, _ previous: Rows<Operand>, by factor: Real, to dNext: Rows<Real>, from dPrevious: Rows<Real>
  ) {
    precondition(
      [previous.count, dNext.count, dPrevious.count].allSatisfy { $0 == next.count },
      "the difference of \(next.count) and \(previous.count) elements into \(dNext.count) and \(dPrevious.count)")
    Self.loops.addDifference(
      next.count, factor, next.pointer, previous.pointer, dNext.pointer, dPrevious.pointer)
  }
}
