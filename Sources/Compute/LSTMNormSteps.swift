/// What a step of an LSTM with layer normalization reads and keeps, of some lanes: B rows.
public struct LSTMNormStep<Real: BitwiseCopyable & Sendable>: Sendable {
  /// Rows of ``norms``: the gains of the projection and of the products, four each; the sum of all biases at the gates,
  /// four; the gain and the bias of the cell.
  public static var normRows: Int { 14 }
  /// Columns of ``moments``: mean and 1 / deviation of the projection, of the products and of the cell.
  public static var momentColumns: Int { 6 }

  /// `[14, H]`.
  public let norms: Rows<Real>
  /// W_ih·x and W_hh·h, `[B, 4H]`.
  public let projection, products: Rows<Real>
  /// Activations i, f, g, o, `[B, 4H]`; overwritten on the way forward.
  public let gates: Rows<Real>
  /// `[B, H]`; the next one is overwritten on the way forward.
  public let cell, nextCell: Rows<Real>
  /// `[B, 6]`; overwritten on the way forward.
  public let moments: Rows<Real>

  public init(
    norms: Rows<Real>, projection: Rows<Real>, products: Rows<Real>, gates: Rows<Real>, cell: Rows<Real>,
    nextCell: Rows<Real>, moments: Rows<Real>
  ) {
    self.norms = norms
    self.projection = projection
    self.products = products
    self.gates = gates
    self.cell = cell
    self.nextCell = nextCell
    self.moments = moments
  }

  func require(rows: Int, hiddenSize: Int) {
    precondition(
      norms.count == Self.normRows * hiddenSize && moments.count == Self.momentColumns * rows
        && [projection, products, gates].allSatisfy { $0.rows == rows && $0.columns == 4 * hiddenSize }
        && [cell, nextCell].allSatisfy { $0.count == rows * hiddenSize },
      "an LSTM step with layer normalization wants norms [14, H], projection, products and gates [B, 4H], two cells "
        + "[B, H] and moments [B, 6] with B \(rows), H \(hiddenSize); got \(norms.count), \(projection.count), "
        + "\(products.count), \(gates.count), \(cell.count), \(nextCell.count), \(moments.count)")
  }
}

extension Kernels {
  public func lstmNormForward(_ step: LSTMNormStep<Real>, hidden: Rows<Operand>) {
    step.require(rows: hidden.rows, hiddenSize: hidden.columns)
    Self.loops.lstmNormForward(
      hidden.rows, hidden.columns, step.norms.pointer, step.projection.pointer, step.products.pointer,
      step.gates.pointer, step.cell.pointer, step.nextCell.pointer, step.moments.pointer, hidden.pointer)
  }

  public func lstmNormBackward(
    _ step: LSTMNormStep<Real>, dHidden: Rows<Real>, dCell: Rows<Real>, dNorms: Rows<Real>, scratch: Rows<Real>,
    dProjection: Rows<Operand>, dProducts: Rows<Operand>
  ) {
    step.require(rows: dHidden.rows, hiddenSize: dHidden.columns)
    precondition(
      dCell.count == dHidden.count && dNorms.count == step.norms.count && scratch.count >= 5 * dHidden.columns
        && dProjection.count == step.gates.count && dProducts.count == step.gates.count,
      "gradients at \(dCell.count) cells, \(dNorms.count) norms, \(dProjection.count) projections, "
        + "\(dProducts.count) products and scratch of \(scratch.count) of an LSTM step with gates "
        + "[\(step.gates.rows), \(step.gates.columns)]")
    Self.loops.lstmNormBackward(
      dHidden.rows, dHidden.columns, step.norms.pointer, step.projection.pointer, step.products.pointer,
      step.gates.pointer, step.cell.pointer, step.nextCell.pointer, step.moments.pointer, dHidden.pointer,
      dCell.pointer, dNorms.pointer, scratch.pointer, dProjection.pointer, dProducts.pointer)
  }
}

extension TapeKernels {
  public func lstmNormForward(_ step: LSTMNormStep<Real>, hidden: Rows<Operand>) {
    step.require(rows: hidden.rows, hiddenSize: hidden.columns)
    let (loop, rows, columns) = (Operand.loops.lstmNormForward, hidden.rows, hidden.columns)
    let (norms, projection, products) = (step.norms.pointer, step.projection.pointer, step.products.pointer)
    let (gates, cell, nextCell) = (step.gates.pointer, step.cell.pointer, step.nextCell.pointer)
    let (moments, out) = (step.moments.pointer, hidden.pointer)
    tape.record(
      .steps, on: step.norms.storage, step.projection.storage, step.products.storage, step.gates.storage,
      step.cell.storage, step.nextCell.storage, step.moments.storage, hidden.storage
    ) {
      loop(rows, columns, norms, projection, products, gates, cell, nextCell, moments, out)
    }
  }
}
