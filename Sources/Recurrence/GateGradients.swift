import Compute

/// The gradients at the pre-activations of some steps, `[T·B, G·H]`: at the inputs' projection and at the recurrent products.
///
/// Both are the same numbers, in the same memory, in a cell that adds the two; a GRU's reset gate stands between them.
public struct GateGradients<Operand: BitwiseCopyable & Sendable>: Sendable {
  /// At x·W_ihᵀ + b_ih.
  public let projection: Rows<Operand>
  /// At h·W_hhᵀ + b_hh.
  public let products: Rows<Operand>
  /// Whether the two differ.
  public let areSeparate: Bool

  /// Memory for `rows` of T·B rows.
  public init(rows: Int, columns: Int, separate: Bool) {
    projection = Rows(rows, columns)
    products = separate ? Rows(rows, columns) : projection
    areSeparate = separate
  }

  private init(projection: Rows<Operand>, products: Rows<Operand>, areSeparate: Bool) {
    self.projection = projection
    self.products = products
    self.areSeparate = areSeparate
  }

  /// The rows of `range`, as a view.
  public subscript(range: Range<Int>) -> GateGradients {
    GateGradients(projection: projection[range], products: products[range], areSeparate: areSeparate)
  }
}
