import Compute

/// Long short-term memory with layer normalization, in the form of Ba, Kiros & Hinton 2016 ("Layer normalization",
/// supplement, equations 20 to 22).
///
///     i, f, g, o = LN(W_hh·h; α₁, β₁) + LN(W_ih·x; α₂, β₂) + b          gate order i, f, g, o
///     c' = σ(f) ⊙ c + σ(i) ⊙ tanh g                                    h' = σ(o) ⊙ tanh LN(c'; α₃, β₃)
///     LN(z; α, β) = α ⊙ (z − mean z) / √(variance z + 10⁻⁵) + β
///
/// Mean and variance are over all 4H numbers of a lane's product, not gate by gate, and over the H of its cell; the cell
/// is carried on as it is. (Other programs' cells of this name normalise gate by gate, the sum of the two products, or
/// the cell that is carried.) The paper leaves ε out; 10⁻⁵ is its authors' program's and torch.nn.LayerNorm's. At the zero
/// state W_hh·h has no variance: LN is β there.
///
/// The input enters as W_ih·x without a bias, and is normalised here, step by step: so a table of projected symbols, whose
/// gradients are sums by symbol, is as good as ever. A lane's normalization looks at all its units: threads that share a
/// step divide the units of its product, then meet, then divide its lanes.
///
/// Letters: T steps, B lanes, H hidden size.
public struct LayerNormLSTM<K: Kernels>: RecurrentLayer {
  public typealias Reading = LayerNormLSTM<K.Reading>

  public static var gateCount: Int { 4 }
  public static var hasCell: Bool { true }
  public static var separatesProducts: Bool { true }
  public static var numbersKept: Int { 14 }

  public let tensors: LayerTensors
  private let norms: LSTMNormTensors

  public init(_ shape: LayerShape, layout: inout ParameterLayout) {
    tensors = LayerTensors(shape, gates: Self.gateCount, hasBiases: false, layout: &layout)
    norms = LSTMNormTensors(shape, layout: &layout)
  }

  /// Weights uniform in ±1/√H, gains 1, biases 0, as in the paper; but the forget gates' is `forgetBias`.
  public func initialize(_ parameters: inout ParameterSet<K.Real>, seed: UInt64, forgetBias: Double) {
    tensors.initialize(&parameters, seed: seed)
    norms.initialize(&parameters, forgetBias: forgetBias)
  }

  public func pack(
    _ parameters: ParameterSet<K.Real>, recurrentWeight: Rows<K.Real>?, forTraining: Bool, reusing old: Weights?,
    on kernels: K
  ) -> Weights {
    var packed = tensors.pack(
      parameters, recurrentWeight: recurrentWeight, joinsBiases: false, forTraining: forTraining, reusing: old,
      on: kernels)
    packed.norms = norms.pack(parameters, reusing: old?.norms)
    return packed
  }

  // MARK: Activation record

  /// What the forward pass keeps of a window for the backward pass.
  public final class Record: RecurrentRecord {
    public let lanes: Int
    public let hidden: Rows<K.Operand>
    /// The cell before each step and after the last, `[(T+1)·B, H]`.
    public let cells: Rows<K.Real>
    /// W_ih·x and W_hh·h of each step, `[T·B, 4H]`.
    public let projection, products: Rows<K.Real>
    /// Activations i, f, g, o of each step, `[T·B, 4H]`.
    public let gates: Rows<K.Real>
    /// Means and 1 / deviations of each step, `[T·B, 6]`.
    let moments: Rows<K.Real>
    /// For the way back: gradients at the norms, `[14, H]`, and one lane's numbers, `[5, H]`.
    let dNorms, scratch: Rows<K.Real>

    public var cell: Rows<K.Real>? { cells }
    public var byteCount: Int {
      hidden.byteCount
        + [cells, projection, products, gates, moments, dNorms, scratch].reduce(0) { $0 + $1.byteCount }
    }

    init(steps: Int, lanes: Int, hiddenSize: Int) {
      self.lanes = lanes
      hidden = Rows((steps + 1) * lanes, hiddenSize)
      cells = Rows((steps + 1) * lanes, hiddenSize)
      projection = Rows(steps * lanes, 4 * hiddenSize)
      products = Rows(steps * lanes, 4 * hiddenSize)
      gates = Rows(steps * lanes, 4 * hiddenSize)
      moments = Rows(steps * lanes, LSTMNormStep<K.Real>.momentColumns)
      dNorms = Rows(LSTMNormStep<K.Real>.normRows, hiddenSize)
      scratch = Rows(5, hiddenSize)
    }

    /// Some lanes of step t.
    func step(_ t: Int, lanes part: Range<Int>, _ norms: Rows<K.Real>) -> LSTMNormStep<K.Real> {
      let before = t * lanes + part.lowerBound..<t * lanes + part.upperBound
      let after = before.lowerBound + lanes..<before.upperBound + lanes
      return LSTMNormStep(
        norms: norms, projection: projection[before], products: products[before], gates: gates[before],
        cell: cells[before], nextCell: cells[after], moments: moments[before])
    }
  }

  public func makeRecord(steps: Int, lanes: Int) -> Record {
    Record(steps: steps, lanes: lanes, hiddenSize: hiddenSize)
  }

  // MARK: Forward

  public func forward(
    steps: Range<Int>, _ weights: PackedLayer<K>, record: Record, restarts: Restarts<K>?, share: Share, on kernels: K
  ) {
    guard let norms = weights.norms else { preconditionFailure("weights without the norms of their layer") }
    let (units, lanes) = (units(share), share.rows(of: record.lanes))
    for t in steps {
      let before = record.rows(t)
      kernels.multiply(
        record.hidden[before], weights.recurrent, bias: nil, into: record.products[before], adding: false, units: units,
        sweep: Sweep(step: t))
      kernels.meet(share)
      let after = before.upperBound + lanes.lowerBound..<before.upperBound + lanes.upperBound
      kernels.lstmNormForward(record.step(t, lanes: lanes, norms), hidden: record.hidden[after])
      restarts?.apply(to: record, before: t + 1, lanes: lanes, on: kernels)
      kernels.meet(share)
    }
  }

  // MARK: Backward

  /// Back through time (Werbos 1990), as in an LSTM; each normalization takes out of its row's gradient what would move
  /// the row's mean or variance.
  public func backward(
    steps: Range<Int>, dHidden: Rows<K.Real>, state: LayerState<K.Real, K.Real>, _ weights: PackedLayer<K>,
    record: Record, restarts: Restarts<K>?, dGates: GateGradients<K.Operand>,
    gradients: inout ParameterSet<K.Real>, on kernels: K
  ) {
    guard let last = steps.last else { return }
    guard let recurrentTransposed = weights.recurrentTransposed, let norms = weights.norms, let dCell = state.cell,
      dGates.areSeparate
    else {
      preconditionFailure(
        "an LSTM with layer normalization goes back only through weights packed for training, with separate gate "
          + "gradients and a state with a cell")
    }
    self.norms.begin(record.dNorms, gradients)
    K.Real.add(state.hidden, to: dHidden[record.rows(last - steps.lowerBound)])
    for t in steps.reversed() {
      let place = record.rows(t - steps.lowerBound)
      kernels.lstmNormBackward(
        record.step(t, lanes: 0..<record.lanes, norms), dHidden: dHidden[place], dCell: dCell, dNorms: record.dNorms,
        scratch: record.scratch, dProjection: dGates.projection[place], dProducts: dGates.products[place])
      let dPrevious = t > steps.lowerBound ? dHidden[record.rows(t - 1 - steps.lowerBound)] : state.hidden
      kernels.multiply(
        dGates.products[place], recurrentTransposed, bias: nil, into: dPrevious, adding: t > steps.lowerBound,
        units: nil, sweep: Sweep(step: t))
      restarts?.takeGradient(at: t, hidden: dPrevious, cell: dCell)
    }
    self.norms.end(record.dNorms, &gradients)
    tensors.addRecurrentGradients(
      dGates, before: record.hidden[record.rows(steps)], to: &gradients, on: kernels)
  }
}
