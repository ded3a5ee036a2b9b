/// Kernels that take the time of what other kernels do, phase by phase.
public final class ProfiledKernels<Base: Kernels>: Kernels, @unchecked Sendable {  // one thread at a time
  public typealias Real = Base.Real
  public typealias Operand = Base.Operand
  public typealias Packed = Base.Packed
  public typealias Reading = Base.Reading

  public static var loops: ElementLoops<Real, Operand> { Base.loops }

  private let base: Base
  private var spent = PhaseTimes()
  public var times: PhaseTimes? { spent }

  public init() { base = Base() }
  public init(packingOn workers: Workers) { base = Base(packingOn: workers) }

  public func pack(_ weight: Rows<Real>, transposed: Bool, gates: Int, reusing old: Packed?) -> Packed {
    spent.measure(.packing) { base.pack(weight, transposed: transposed, gates: gates, reusing: old) }
  }

  public func multiply(
    _ a: Rows<Operand>, _ packed: Packed, bias: Rows<Real>?, into out: Rows<Real>, adding: Bool, units: Range<Int>?,
    sweep: Sweep
  ) {
    spent.measure(.products) {
      base.multiply(a, packed, bias: bias, into: out, adding: adding, units: units, sweep: sweep)
    }
  }

  public func addOuter(_ a: Rows<Operand>, _ b: Rows<Operand>, to sum: Rows<Real>) {
    spent.measure(.weightGradients) { base.addOuter(a, b, to: sum) }
  }

  // MARK: Steps

  public func lstmForward(
    gates: Rows<Real>, cell: Rows<Real>, nextCell: Rows<Real>, hidden: Rows<Operand>, units: Range<Int>
  ) {
    spent.measure(.steps) {
      base.lstmForward(gates: gates, cell: cell, nextCell: nextCell, hidden: hidden, units: units)
    }
  }

  public func lstmBackward(
    gates: Rows<Real>, cell: Rows<Real>, nextCell: Rows<Real>, dHidden: Rows<Real>, dCell: Rows<Real>,
    dGates: Rows<Operand>
  ) {
    spent.measure(.steps) {
      base.lstmBackward(
        gates: gates, cell: cell, nextCell: nextCell, dHidden: dHidden, dCell: dCell, dGates: dGates)
    }
  }

  public func lstmNormForward(_ step: LSTMNormStep<Real>, hidden: Rows<Operand>) {
    spent.measure(.steps) { base.lstmNormForward(step, hidden: hidden) }
  }

  public func lstmNormBackward(
    _ step: LSTMNormStep<Real>, dHidden: Rows<Real>, dCell: Rows<Real>, dNorms: Rows<Real>, scratch: Rows<Real>,
    dProjection: Rows<Operand>, dProducts: Rows<Operand>
  ) {
    spent.measure(.steps) {
      base.lstmNormBackward(
        step, dHidden: dHidden, dCell: dCell, dNorms: dNorms, scratch: scratch, dProjection: dProjection,
        dProducts: dProducts)
    }
  }

  public func gruForward(
    gates: Rows<Real>, products: Rows<Real>, hidden: Rows<Operand>, candidate: Rows<Real>, nextHidden: Rows<Operand>,
    units: Range<Int>
  ) {
    spent.measure(.steps) {
      base.gruForward(
        gates: gates, products: products, hidden: hidden, candidate: candidate, nextHidden: nextHidden, units: units)
    }
  }

  public func gruBackward(
    gates: Rows<Real>, candidate: Rows<Real>, hidden: Rows<Operand>, dHidden: Rows<Real>, dPrevious: Rows<Real>,
    dProjection: Rows<Operand>, dProducts: Rows<Operand>
  ) {
    spent.measure(.steps) {
      base.gruBackward(
        gates: gates, candidate: candidate, hidden: hidden, dHidden: dHidden, dPrevious: dPrevious,
        dProjection: dProjection, dProducts: dProducts)
    }
  }

  public func rnnForward(_ nonlinearity: Nonlinearity, gates: Rows<Real>, hidden: Rows<Operand>, units: Range<Int>) {
    spent.measure(.steps) { base.rnnForward(nonlinearity, gates: gates, hidden: hidden, units: units) }
  }

  public func rnnBackward(
    _ nonlinearity: Nonlinearity, gates: Rows<Real>, dHidden: Rows<Real>, dGates: Rows<Operand>
  ) {
    spent.measure(.steps) { base.rnnBackward(nonlinearity, gates: gates, dHidden: dHidden, dGates: dGates) }
  }

  // MARK: Symbols

  public func gather(_ symbols: Rows<Int32>, from table: Rows<Real>, into out: Rows<Real>, columns: Range<Int>) {
    spent.measure(.symbols) { base.gather(symbols, from: table, into: out, columns: columns) }
  }

  public func scatterAdd(_ a: Rows<Operand>, at symbols: Rows<Int32>, to table: Rows<Real>) {
    spent.measure(.symbols) { base.scatterAdd(a, at: symbols, to: table) }
  }

  public func addColumnSums(_ a: Rows<Operand>, to sums: Rows<Real>) {
    spent.measure(.weightGradients) { base.addColumnSums(a, to: sums) }
  }

  public func crossEntropy(
    _ logits: Rows<Real>, targets: Rows<Int32>, scale: Real, dLogits: Rows<Operand>?, losses: Rows<Double>
  ) {
    spent.measure(.softmax) {
      base.crossEntropy(logits, targets: targets, scale: scale, dLogits: dLogits, losses: losses)
    }
  }

  public func narrow(_ a: Rows<Real>, into out: Rows<Operand>) {
    spent.measure(.copies) { base.narrow(a, into: out) }
  }

  // MARK: Regularisers

  public func mask(_ a: Rows<Operand>, by mask: Rows<Real>, into out: Rows<Operand>) {
    spent.measure(.copies) { base.mask(a, by: mask, into: out) }
  }

  public func addScaled(_ a: Rows<Operand>, by factor: Real, to sum: Rows<Real>) {
    spent.measure(.copies) { base.addScaled(a, by: factor, to: sum) }
  }

  public func addDifference(
    _ next: Rows<Operand>, _ previous: Rows<Operand>, by factor: Real, to dNext: Rows<Real>, from dPrevious: Rows<Real>
  ) {
    spent.measure(.copies) { base.addDifference(next, previous, by: factor, to: dNext, from: dPrevious) }
  }
}
