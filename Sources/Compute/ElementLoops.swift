/// The C loops of one precision: what ``Kernels`` does besides matrix products.
///
/// A precision names its loops once; the checks of sizes and the calls are the same for all.
public struct ElementLoops<Real, Operand>: Sendable {
  typealias In<Element> = UnsafePointer<Element>
  typealias Out<Element> = UnsafeMutablePointer<Element>

  let lstmForward: @Sendable (Int, Int, Int, Int, Out<Real>, In<Real>, Out<Real>, Out<Operand>) -> Void
  let lstmBackward: @Sendable (Int, Int, In<Real>, In<Real>, In<Real>, In<Real>, Out<Real>, Out<Operand>) -> Void
  let gather: @Sendable (Int, Int, Int, Int, In<Real>, In<Int32>, Out<Real>) -> Void
  let scatterAdd: @Sendable (Int, Int, In<Operand>, In<Int32>, Out<Real>) -> Void
  let columnSums: @Sendable (Int, Int, In<Operand>, Out<Real>) -> Void
  let crossEntropy: @Sendable (Int, Int, Out<Real>, In<Int32>, Real, Out<Operand>?, Out<Double>) -> Void
  let narrow: @Sendable (Int, In<Real>, Out<Operand>) -> Void
}

extension Kernels {
  public func lstmForward(
    gates: Rows<Real>, cell: Rows<Real>, nextCell: Rows<Real>, hidden: Rows<Operand>, units: Range<Int>
  ) {
    requireLSTM(gates: gates, cell: cell, nextCell: nextCell, hiddenSize: hidden.columns, rows: hidden.rows)
    requireColumns(units, of: hidden)
    Self.loops.lstmForward(
      hidden.rows, hidden.columns, units.lowerBound, units.upperBound, gates.pointer, cell.pointer, nextCell.pointer,
      hidden.pointer)
  }

  public func lstmBackward(
    gates: Rows<Real>, cell: Rows<Real>, nextCell: Rows<Real>, dHidden: Rows<Real>, dCell: Rows<Real>,
    dGates: Rows<Operand>
  ) {
    requireLSTM(gates: gates, cell: cell, nextCell: nextCell, hiddenSize: dHidden.columns, rows: dHidden.rows)
    precondition(
      dCell.count == dHidden.count && dGates.count == gates.count,
      "gradients at [\(dCell.rows), \(dCell.columns)] cells and [\(dGates.rows), \(dGates.columns)] gates of an LSTM "
        + "step with gates [\(gates.rows), \(gates.columns)]")
    Self.loops.lstmBackward(
      dHidden.rows, dHidden.columns, gates.pointer, cell.pointer, nextCell.pointer, dHidden.pointer, dCell.pointer,
      dGates.pointer)
  }

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
}
