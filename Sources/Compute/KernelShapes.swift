// The sizes that every precision's kernels demand, said once.

extension Kernels {
  func requireLSTM(gates: Rows<Real>, cell: Rows<Real>, nextCell: Rows<Real>, hiddenSize: Int, rows: Int) {
    precondition(
      gates.rows == rows && gates.columns == 4 * hiddenSize && cell.count == rows * hiddenSize
        && nextCell.count == rows * hiddenSize,
      "an LSTM step wants gates [B, 4H], cell [B, H] and next cell [B, H] with B \(rows), H \(hiddenSize); got "
        + "[\(gates.rows), \(gates.columns)], [\(cell.rows), \(cell.columns)], [\(nextCell.rows), \(nextCell.columns)]")
  }

  func requireColumns<Element>(_ columns: Range<Int>, of matrix: Rows<Element>) {
    precondition(
      columns.lowerBound >= 0 && columns.upperBound <= matrix.columns,
      "columns \(columns) of a matrix [\(matrix.rows), \(matrix.columns)]")
  }

  func requireRNN(gates: Rows<Real>, hidden: Rows<Operand>) {
    precondition(
      gates.rows == hidden.rows && gates.columns == hidden.columns,
      "an RNN step with gates [\(gates.rows), \(gates.columns)] and hidden [\(hidden.rows), \(hidden.columns)]")
  }

  func requireGRU(gates: Rows<Real>, candidate: Rows<Real>, hidden: Rows<Operand>, hiddenSize: Int, rows: Int) {
    precondition(
      gates.rows == rows && gates.columns == 3 * hiddenSize && candidate.count == rows * hiddenSize
        && hidden.count == rows * hiddenSize,
      "a GRU step wants gates [B, 3H], candidate [B, H] and hidden [B, H] with B \(rows), H \(hiddenSize); got "
        + "[\(gates.rows), \(gates.columns)], [\(candidate.rows), \(candidate.columns)], "
        + "[\(hidden.rows), \(hidden.columns)]")
  }

  func requireUnits(_ units: Range<Int>, _ hiddenSize: Int) {
    precondition(
      units.lowerBound >= 0 && units.upperBound <= hiddenSize, "units \(units) of a step with \(hiddenSize)")
  }

  func requireSymbols<Element>(_ symbols: Rows<Int32>, _ rows: Rows<Element>, _ table: Rows<Real>) {
    precondition(
      symbols.count == rows.rows && rows.columns == table.columns,
      "\(symbols.count) symbols and a table [\(table.rows), \(table.columns)] for [\(rows.rows), \(rows.columns)]")
  }

  func requireCrossEntropy(
    _ logits: Rows<Real>, _ targets: Rows<Int32>, _ dLogits: Rows<Operand>?, _ losses: Rows<Double>
  ) {
    precondition(
      targets.count == logits.rows && losses.count == logits.rows && dLogits.map { $0.count == logits.count } ?? true,
      "cross-entropy of [\(logits.rows), \(logits.columns)] with \(targets.count) targets, \(losses.count) losses")
  }

  func requireOuter(_ a: Rows<Operand>, _ b: Rows<Operand>, _ sum: Rows<Real>) {
    precondition(
      a.rows == b.rows && sum.rows == a.columns && sum.columns == b.columns,
      "the outer sum of [\(a.rows), \(a.columns)] and [\(b.rows), \(b.columns)] is not [\(sum.rows), \(sum.columns)]")
  }

  func requireProduct(_ a: Rows<Operand>, inner: Int, outer: Int, _ bias: Rows<Real>?, _ out: Rows<Real>) {
    precondition(
      a.columns == inner && out.columns == outer && out.rows == a.rows && bias.map { $0.count == outer } ?? true,
      "[\(a.rows), \(a.columns)] times a weight [\(inner), \(outer)] is not [\(out.rows), \(out.columns)]")
  }
}
