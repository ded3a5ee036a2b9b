import Compute

/// The plain recurrent network (Elman 1990), with tanh or relu.
///
///     h' = φ(W_ih·x + b_ih + W_hh·h + b_hh)      φ = tanh or max(0, ·), as in torch.nn.RNN
///
/// Letters: T steps, B lanes, H hidden size.
public struct RNN<K: Kernels>: RecurrentLayer {
  public typealias Reading = RNN<K.Reading>

  public static var gateCount: Int { 1 }
  public static var hasCell: Bool { false }
  public static var separatesProducts: Bool { false }

  private let nonlinearity: Nonlinearity
  public let tensors: LayerTensors

  public init(_ shape: LayerShape, layout: inout ParameterLayout) {
    nonlinearity = shape.nonlinearity
    tensors = LayerTensors(shape, gates: Self.gateCount, layout: &layout)
  }

  // MARK: Activation record

  /// What the forward pass keeps of a window for the backward pass.
  public final class Record: RecurrentRecord {
    public let lanes: Int
    public let hidden: Rows<K.Operand>
    /// Pre-activations, then activations of each step, `[T·B, H]`: the hidden states before they are rounded to operands.
    public let gates: Rows<K.Real>

    public var cell: Rows<K.Real>? { nil }
    public var projection: Rows<K.Real> { gates }
    public var byteCount: Int { hidden.byteCount + gates.byteCount }

    init(steps: Int, lanes: Int, hiddenSize: Int) {
      self.lanes = lanes
      hidden = Rows((steps + 1) * lanes, hiddenSize)
      gates = Rows(steps * lanes, hiddenSize)
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
      let gates = record.gates[before]
      kernels.multiply(
        record.hidden[before], weights.recurrent, bias: nil, into: gates, adding: true, units: units,
        sweep: Sweep(step: t))
      kernels.rnnForward(nonlinearity, gates: gates, hidden: record.hidden[after], units: units ?? 0..<hiddenSize)
      restarts?.apply(to: record, before: t + 1, units: units, on: kernels)
      kernels.meet(share)
    }
  }

  // MARK: Backward

  /// Back through time (Werbos 1990): at each step the hidden state's gradient is what comes from above plus what the
  /// next step hands back through W_hh.
  public func backward(
    steps: Range<Int>, dHidden: Rows<K.Real>, state: LayerState<K.Real, K.Real>, _ weights: PackedLayer<K>,
    record: Record, restarts: Restarts<K>?, dGates: GateGradients<K.Operand>,
    gradients: inout ParameterSet<K.Real>, on kernels: K
  ) {
    guard let last = steps.last else { return }
    guard let recurrentTransposed = weights.recurrentTransposed else {
      preconditionFailure("an RNN goes back only through weights packed for training")
    }
    K.Real.add(state.hidden, to: dHidden[record.rows(last - steps.lowerBound)])
    for t in steps.reversed() {
      let before = record.rows(t)
      let place = record.rows(t - steps.lowerBound)
      let dGates = dGates.projection[place]
      kernels.rnnBackward(nonlinearity, gates: record.gates[before], dHidden: dHidden[place], dGates: dGates)
      let dPrevious = t > steps.lowerBound ? dHidden[record.rows(t - 1 - steps.lowerBound)] : state.hidden
      kernels.multiply(
        dGates, recurrentTransposed, bias: nil, into: dPrevious, adding: t > steps.lowerBound, units: nil,
        sweep: Sweep(step: t))
      restarts?.takeGradient(at: t, hidden: dPrevious)
    }
    tensors.addRecurrentGradients(
      dGates, before: record.hidden[record.rows(steps)], to: &gradients, on: kernels)
  }
}
