import Compute

/// The gated recurrent unit (Cho et al. 2014), with the reset gate after the product as in torch.nn.GRU.
///
///     r, z = σ(W_ih·x + b_ih + W_hh·h + b_hh)                      gate order r, z, n, as in torch.nn.GRU
///     n = tanh(W_in·x + b_in + r ⊙ (W_hn·h + b_hn))               h' = (1 − z) ⊙ n + z ⊙ h
///
/// The hidden state that z carries on is the operand: in bfloat16 it is rounded at every step. So a layer's state is
/// one matrix, and a run goes on from it to the bit. A float copy of h would bring little: scoring 6,000 characters with
/// a 2×128 trained in float32, the mean loss is 1.4e-4 nats from Double's, and 2e-5 with a copy, the root mean square of
/// a character's 4.3e-3 and 3.7e-3; the best validation losses of seven short bfloat16 trainings were 0.003 above
/// float32's on average, and 0.001 below with a copy, where seeds differ by 0.008.
///
/// Letters: T steps, B lanes, H hidden size.
public struct GRU<K: Kernels>: RecurrentLayer {
  public typealias Reading = GRU<K.Reading>

  public static var gateCount: Int { 3 }
  public static var hasCell: Bool { false }
  public static var separatesProducts: Bool { true }

  public let tensors: LayerTensors

  public init(_ shape: LayerShape, layout: inout ParameterLayout) {
    tensors = LayerTensors(shape, gates: Self.gateCount, layout: &layout)
  }

  // MARK: Activation record

  /// What the forward pass keeps of a window for the backward pass.
  public final class Record: RecurrentRecord {
    public let lanes: Int
    public let hidden: Rows<K.Operand>
    /// The inputs' projection, then activations r, z, n of each step, `[T·B, 3H]`.
    public let gates: Rows<K.Real>
    /// W_hn·h + b_hn of each step, `[T·B, H]`: what the reset gate multiplies.
    public let candidates: Rows<K.Real>
    /// The recurrent products of the step at hand, `[B, 3H]`.
    let products: Rows<K.Real>

    public var cell: Rows<K.Real>? { nil }
    public var projection: Rows<K.Real> { gates }
    public var byteCount: Int { hidden.byteCount + gates.byteCount + candidates.byteCount + products.byteCount }

    init(steps: Int, lanes: Int, hiddenSize: Int) {
      self.lanes = lanes
      hidden = Rows((steps + 1) * lanes, hiddenSize)
      gates = Rows(steps * lanes, 3 * hiddenSize)
      candidates = Rows(steps * lanes, hiddenSize)
      products = Rows(lanes, 3 * hiddenSize)
    }
  }

  public func makeRecord(steps: Int, lanes: Int) -> Record {
    Record(steps: steps, lanes: lanes, hiddenSize: hiddenSize)
  }

  // MARK: Forward

  public func forward(
    steps: Range<Int>, _ weights: PackedLayer<K>, record: Record, restarts: Restarts<K>?, share: Share, on kernels: K
  ) {
    let units = units(share)
    for t in steps {
      let (before, after) = (record.rows(t), record.rows(t + 1))
      let hidden = record.hidden[before]
      kernels.multiply(
        hidden, weights.recurrent, bias: weights.recurrentBias, into: record.products, adding: false, units: units,
        sweep: Sweep(step: t))
      kernels.gruForward(
        gates: record.gates[before], products: record.products, hidden: hidden, candidate: record.candidates[before],
        nextHidden: record.hidden[after], units: units ?? 0..<hiddenSize)
      restarts?.apply(to: record, before: t + 1, units: units, on: kernels)
      kernels.meet(share)
    }
  }

  // MARK: Backward

  /// Back through time (Werbos 1990): at each step the hidden state's gradient is what comes from above plus what the
  /// next step hands back, past its gates by z and through them by W_hh.
  public func backward(
    steps: Range<Int>, dHidden: Rows<K.Real>, state: LayerState<K.Real, K.Real>, _ weights: PackedLayer<K>,
    record: Record, restarts: Restarts<K>?, dGates: GateGradients<K.Operand>,
    gradients: inout ParameterSet<K.Real>, on kernels: K
  ) {
    guard let recurrentTransposed = weights.recurrentTransposed, dGates.areSeparate else {
      preconditionFailure("a GRU goes back only through weights packed for training, with separate gate gradients")
    }
    for t in steps.reversed() {
      let (before, place) = (record.rows(t), record.rows(t - steps.lowerBound))
      K.Real.add(state.hidden, to: dHidden[place])
      state.hidden.clear()
      kernels.gruBackward(
        gates: record.gates[before], candidate: record.candidates[before], hidden: record.hidden[before],
        dHidden: dHidden[place], dPrevious: state.hidden, dProjection: dGates.projection[place],
        dProducts: dGates.products[place])
      kernels.multiply(
        dGates.products[place], recurrentTransposed, bias: nil, into: state.hidden, adding: true, units: nil,
        sweep: Sweep(step: t))
      restarts?.takeGradient(at: t, hidden: state.hidden)
    }
    tensors.addRecurrentGradients(
      dGates, before: record.hidden[record.rows(steps)], to: &gradients, on: kernels)
  }
}
