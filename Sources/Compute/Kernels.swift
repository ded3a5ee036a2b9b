/// Compute: matrices, the kernels that work on them, random streams and threads. The only room with unsafe pointers.

/// The arithmetic that a model runs on: one precision, with its matrix products and its fused loops.
///
/// Everything above is written once against this protocol. ``DoubleKernels`` is the reference that finite differences
/// check; ``Float32Kernels`` does the work. An instance belongs to one lane group: it caches products by shape and must
/// not be used by two threads at once. Matrices are dense and row-major; sizes that do not fit are programmer errors.
///
/// Letters: B rows, H hidden size, V vocabulary size, K and N inner and outer size of a product.
public protocol Kernels: AnyObject, Sendable {
  /// Weights, cells, gates and gradients.
  associatedtype Real: KernelReal
  /// What matrix products multiply: hidden states and gradients at gates.
  associatedtype Operand: BitwiseCopyable & Sendable
  /// A weight matrix in the layout that products want.
  associatedtype Packed: Sendable

  /// Kernels of the same numbers for reading, where threads share a window.
  associatedtype Reading: ReadingKernels where Reading.Real == Real

  /// The element-wise loops of this precision, from which the functions below that need no product are made.
  static var loops: ElementLoops<Real, Operand> { get }

  /// Where the time went, in kernels that take it.
  var times: PhaseTimes? { get }

  init()
  /// Kernels that may pack on several threads.
  init(packingOn workers: Workers)

  // MARK: Matrix products

  /// Packs a weight matrix `[N, K]` for ``multiply(_:_:bias:into:adding:units:sweep:)``: as x·Wᵀ, or with `transposed` as
  /// x·W. An older packing of the same matrix is reused as memory.
  ///
  /// - Parameter gates: G, where the outputs are G·H gates, gate after gate, of H units that threads may share.
  func pack(_ weight: Rows<Real>, transposed: Bool, gates: Int, reusing old: Packed?) -> Packed
  /// `out [M, N] = a [M, K]·packed [K, N] + bias [1, N]`; with `adding`, added to what `out` holds.
  ///
  /// - Parameters:
  ///   - units: Where given, only the outputs of these units (of all their gates), as ``Share/units(of:)`` cuts them.
  ///   - sweep: Which way through the weight's memory.
  func multiply(
    _ a: Rows<Operand>, _ packed: Packed, bias: Rows<Real>?, into out: Rows<Real>, adding: Bool, units: Range<Int>?,
    sweep: Sweep)
  /// `sum [N, K] += aᵀ·b` with `a [M, N]`, `b [M, K]`: the gradient of a weight.
  func addOuter(_ a: Rows<Operand>, _ b: Rows<Operand>, to sum: Rows<Real>)

  // MARK: Recurrence

  // A step forward works on `units` of every row and touches no others, so that threads can share a step.

  /// One LSTM step. `gates [B, 4H]`: pre-activations in, activations i, f, g, o out. `nextCell`, `hidden`: overwritten.
  func lstmForward(
    gates: Rows<Real>, cell: Rows<Real>, nextCell: Rows<Real>, hidden: Rows<Operand>, units: Range<Int>)
  /// Back through one LSTM step. `dHidden`: the whole gradient at its hidden state; `dCell`: gradient at `nextCell`
  /// in, at `cell` out; `dGates`: overwritten with the gradient at the pre-activations.
  func lstmBackward(
    gates: Rows<Real>, cell: Rows<Real>, nextCell: Rows<Real>, dHidden: Rows<Real>, dCell: Rows<Real>,
    dGates: Rows<Operand>)

  /// One step of an LSTM with layer normalization, of the step's rows; `hidden [B, H]`: overwritten. A row looks at all
  /// units.
  func lstmNormForward(_ step: LSTMNormStep<Real>, hidden: Rows<Operand>)
  /// Back through one. `dHidden`, `dCell`: as in an LSTM; `dNorms [14, H]`: accumulated into; `scratch [5, H]`: lost;
  /// `dProjection`, `dProducts`: overwritten with the gradients at projection and products.
  func lstmNormBackward(
    _ step: LSTMNormStep<Real>, dHidden: Rows<Real>, dCell: Rows<Real>, dNorms: Rows<Real>, scratch: Rows<Real>,
    dProjection: Rows<Operand>, dProducts: Rows<Operand>)

  /// One GRU step. `gates [B, 3H]`: the inputs' projection in, activations r, z, n out; `products [B, 3H]`: the
  /// recurrent ones, bias included; `candidate [B, H]`: overwritten with those of n, for the way back; `nextHidden`:
  /// overwritten.
  func gruForward(
    gates: Rows<Real>, products: Rows<Real>, hidden: Rows<Operand>, candidate: Rows<Real>, nextHidden: Rows<Operand>,
    units: Range<Int>)
  /// Back through one GRU step. `dHidden`: the whole gradient at `nextHidden`; `dPrevious`: what flows to `hidden` past
  /// the gates is added; `dProjection`, `dProducts`: overwritten with the gradients at projection and products.
  func gruBackward(
    gates: Rows<Real>, candidate: Rows<Real>, hidden: Rows<Operand>, dHidden: Rows<Real>, dPrevious: Rows<Real>,
    dProjection: Rows<Operand>, dProducts: Rows<Operand>)
  /// One step of a plain RNN. `gates [B, H]`: pre-activations in, activations out; `hidden`: overwritten with them.
  func rnnForward(_ nonlinearity: Nonlinearity, gates: Rows<Real>, hidden: Rows<Operand>, units: Range<Int>)
  /// Back through one step of a plain RNN. `dHidden`: the whole gradient at its hidden state; `dGates`: overwritten with
  /// the gradient at the pre-activations.
  func rnnBackward(_ nonlinearity: Nonlinearity, gates: Rows<Real>, dHidden: Rows<Real>, dGates: Rows<Operand>)

  // MARK: Symbols

  /// `out[r] = table[symbols[r]]`, in some columns.
  func gather(_ symbols: Rows<Int32>, from table: Rows<Real>, into out: Rows<Real>, columns: Range<Int>)
  /// `table[symbols[r]] += a[r]`, from the last r to the first.
  func scatterAdd(_ a: Rows<Operand>, at symbols: Rows<Int32>, to table: Rows<Real>)
  /// `sums [1, N] += Σ_r a[r]`, from the last r to the first.
  func addColumnSums(_ a: Rows<Operand>, to sums: Rows<Real>)
  /// Softmax cross-entropy of each row in nats, into `losses [rows, 1]`. `logits` are destroyed; `dLogits`, where
  /// given, is overwritten with `scale·(softmax − one-hot)`.
  func crossEntropy(
    _ logits: Rows<Real>, targets: Rows<Int32>, scale: Real, dLogits: Rows<Operand>?, losses: Rows<Double>)
  /// `out = a`, rounded to operands.
  func narrow(_ a: Rows<Real>, into out: Rows<Operand>)

  // MARK: Regularisers

  /// `out [T·B, H] = a [T·B, H] ⊙ mask [B, H]`: one mask for every step.
  func mask(_ a: Rows<Operand>, by mask: Rows<Real>, into out: Rows<Operand>)
  /// `sum += factor·a`.
  func addScaled(_ a: Rows<Operand>, by factor: Real, to sum: Rows<Real>)
  /// Adds `factor·(next − previous)` to `dNext` and takes it from `dPrevious`.
  func addDifference(
    _ next: Rows<Operand>, _ previous: Rows<Operand>, by factor: Real, to dNext: Rows<Real>, from dPrevious: Rows<Real>)

  // MARK: Order

  /// `out = a` in some columns.
  func copy<Element>(_ a: Rows<Element>, into out: Rows<Element>, columns: Range<Int>)
  /// `rows[r] = row` in some columns, wherever `symbols[r]` is `symbol`.
  func overwrite<Element>(
    _ rows: Rows<Element>, with row: Rows<Element>, columns: Range<Int>, where symbols: Rows<Int32>, are symbol: Int32)
  /// Waits for the other threads that share a window; see ``Share/meet()``.
  func meet(_ share: Share)
}

/// Which way a product goes through a weight's memory; its sums do not depend on it.
///
/// Steps that read the same weight one after another go to and fro: so they begin with what was read last and is still
/// in a near cache. A cache that is a little too small would otherwise hold nothing of use.
public enum Sweep: Sendable {
  case forth, back

  /// The way of step `t` of a window.
  public init(step t: Int) { self = t.isMultiple(of: 2) ? .forth : .back }
}

/// Kernels that write what they are asked to do on a tape, except packing; see ``TapeKernels``.
public protocol ReadingKernels: Kernels {
  var tape: Tape { get set }
  /// What the softmax of each row of logits says; `logits` are destroyed, `details` overwritten.
  func describe(_ logits: Rows<Real>, targets: Rows<Int32>, into details: PredictionRows)
}

extension Kernels {
  public var times: PhaseTimes? { nil }

  /// Most pack on one.
  public init(packingOn workers: Workers) { self.init() }

  /// Packs a weight matrix whose outputs have one gate each.
  public func pack(_ weight: Rows<Real>, transposed: Bool, reusing old: Packed?) -> Packed {
    pack(weight, transposed: transposed, gates: 1, reusing: old)
  }

  /// A product that stands alone, with all outputs or with those of some units.
  public func multiply(
    _ a: Rows<Operand>, _ packed: Packed, bias: Rows<Real>?, into out: Rows<Real>, adding: Bool,
    units: Range<Int>? = nil
  ) {
    multiply(a, packed, bias: bias, into: out, adding: adding, units: units, sweep: .forth)
  }

  public func copy<Element>(_ a: Rows<Element>, into out: Rows<Element>, columns: Range<Int>) {
    out.copy(from: a, columns: columns)
  }

  public func overwrite<Element>(
    _ rows: Rows<Element>, with row: Rows<Element>, columns: Range<Int>, where symbols: Rows<Int32>, are symbol: Int32
  ) {
    rows.overwrite(with: row, columns: columns, where: symbols, are: symbol)
  }

  public func meet(_ share: Share) { share.meet() }
}
