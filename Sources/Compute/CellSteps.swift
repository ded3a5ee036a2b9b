/// What a plain RNN does with its pre-activations.
public enum Nonlinearity: String, Sendable, CaseIterable {
  case tanh
  /// max(0, x).
  case relu
}

// The steps of the cells: sizes checked, then the C loops of the precision.
extension Kernels {
  public func lstmForward(
    gates: Rows<Real>, cell: Rows<Real>, nextCell: Rows<Real>, hidden: Rows<Operand>, units: Range<Int>
  ) {
    requireLSTM(gates: gates, cell: cell, nextCell: nextCell, hiddenSize: hidden.columns, rows: hidden.rows)
    requireUnits(units, hidden.columns)
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

  public func gruForward(
    gates: Rows<Real>, products: Rows<Real>, hidden: Rows<Operand>, candidate: Rows<Real>, nextHidden: Rows<Operand>,
    units: Range<Int>
  ) {
    requireGRU(
      gates: gates, candidate: candidate, hidden: hidden, hiddenSize: nextHidden.columns, rows: nextHidden.rows)
    precondition(
      products.count == gates.count,
      "a GRU step with gates [\(gates.rows), \(gates.columns)] and products [\(products.rows), \(products.columns)]")
    requireUnits(units, nextHidden.columns)
    Self.loops.gruForward(
      nextHidden.rows, nextHidden.columns, units.lowerBound, units.upperBound, gates.pointer, products.pointer,
      hidden.pointer, candidate.pointer, nextHidden.pointer)
  }

  public func gruBackward(
    gates: Rows<Real>, candidate: Rows<Real>, hidden: Rows<Operand>, dHidden: Rows<Real>, dPrevious: Rows<Real>,
    dProjection: Rows<Operand>, dProducts: Rows<Operand>
  ) {
    requireGRU(gates: gates, candidate: candidate, hidden: hidden, hiddenSize: dHidden.columns, rows: dHidden.rows)
    precondition(
      dPrevious.count == dHidden.count && dProjection.count == gates.count && dProducts.count == gates.count,
      "gradients at [\(dPrevious.rows), \(dPrevious.columns)] hidden units, \(dProjection.count) projections and "
        + "\(dProducts.count) products of a GRU step with gates [\(gates.rows), \(gates.columns)]")
    Self.loops.gruBackward(
      dHidden.rows, dHidden.columns, gates.pointer, candidate.pointer, hidden.pointer, dHidden.pointer,
      dPrevious.pointer, dProjection.pointer, dProducts.pointer)
  }

  public func rnnForward(
    _ nonlinearity: Nonlinearity, gates: Rows<Real>, hidden: Rows<Operand>, units: Range<Int>
  ) {
    requireRNN(gates: gates, hidden: hidden)
    requireUnits(units, hidden.columns)
    Self.loops.rnnForward(
      hidden.rows, hidden.columns, units.lowerBound, units.upperBound, nonlinearity == .relu, gates.pointer,
      hidden.pointer)
  }

  public func rnnBackward(
    _ nonlinearity: Nonlinearity, gates: Rows<Real>, dHidden: Rows<Real>, dGates: Rows<Operand>
  ) {
    precondition(
      gates.count == dHidden.count && dGates.count == dHidden.count,
      "an RNN step with \(gates.count) gates, and gradients at \(dHidden.count) hidden units and \(dGates.count) gates")
    Self.loops.rnnBackward(
      dHidden.rows, dHidden.columns, nonlinearity == .relu, gates.pointer, dHidden.pointer, dGates.pointer)
  }
}
