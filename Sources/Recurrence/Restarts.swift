import Compute

/// Where lanes begin anew within a window: a step whose symbol begins a document starts from the beginning state, and no
/// gradient flows on to the step before it.
///
/// The state that such a step starts from takes the place of what the step before it left, in the layer's record. That
/// was its output too; but nothing hangs on it, since its target is the symbol that begins the document, which nobody
/// predicts: no gradient comes to it either.
///
/// Letters: T steps, B lanes, H hidden size.
public struct Restarts<K: Kernels>: Sendable {
  /// `[T·B, 1]`.
  private let symbols: Rows<Int32>
  private let lanes: Int
  private let symbol: Int32
  private let beginning: LayerState<K.Operand, K.Real>
  private let gradient: LayerState<K.Real, K.Real>?

  /// - Parameters:
  ///   - symbols: What is read at each step, `[T·B, 1]`.
  ///   - symbol: The one that begins a document.
  ///   - beginning: The layer's state at a beginning, of one lane.
  ///   - gradient: Where the gradient at that state is added up, of one lane; nil where the state is not trained.
  public init(
    symbols: Rows<Int32>, lanes: Int, symbol: Int32, beginning: LayerState<K.Operand, K.Real>,
    gradient: LayerState<K.Real, K.Real>? = nil
  ) {
    self.symbols = symbols
    self.lanes = lanes
    self.symbol = symbol
    self.beginning = beginning
    self.gradient = gradient
  }

  private func symbols(at step: Int) -> Rows<Int32> { symbols[step * lanes..<(step + 1) * lanes] }

  /// Sets the state before a step to the beginning in the lanes that begin anew there; beyond the window does nothing.
  ///
  /// - Parameters:
  ///   - units: Those of the thread at hand; nil means all.
  ///   - part: Its lanes; nil means all.
  public func apply(
    to record: some RecurrentRecord<K>, before step: Int, units: Range<Int>? = nil, lanes part: Range<Int>? = nil,
    on kernels: K
  ) {
    guard (step + 1) * lanes <= symbols.count else { return }
    let part = part ?? 0..<lanes
    let rows = step * lanes + part.lowerBound..<step * lanes + part.upperBound
    func overwrite<Element>(_ state: Rows<Element>, with beginning: Rows<Element>) {
      kernels.overwrite(
        state[rows], with: beginning, columns: units ?? 0..<state.columns, where: symbols[rows], are: symbol)
    }
    overwrite(record.hidden, with: beginning.hidden)
    if let cell = record.cell, let value = beginning.cell { overwrite(cell, with: value) }
  }

  /// Takes the gradient at the state before a step, `[B, H]`, out of the lanes that began anew there, and adds it to the
  /// beginning's.
  func takeGradient(at step: Int, hidden: Rows<K.Real>, cell: Rows<K.Real>? = nil) {
    symbols(at: step).forEachRow(holding: symbol) { lane in
      take(hidden[lane..<lane + 1], to: gradient?.hidden)
      if let cell { take(cell[lane..<lane + 1], to: gradient?.cell) }
    }
  }

  private func take(_ lane: Rows<K.Real>, to sum: Rows<K.Real>?) {
    if let sum { K.Real.add(lane, to: sum) }
    lane.clear()
  }
}
