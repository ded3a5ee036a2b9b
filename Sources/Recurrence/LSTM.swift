import Compute

/// Long short-term memory (Hochreiter & Schmidhuber 1997) with the forget gate of Gers et al. 2000.
///
///     i, f, o = σ(W_ih·x + b_ih + W_hh·h + b_hh)      g = tanh(…)          gate order i, f, g, o, as in torch.nn.LSTM
///     c' = f ⊙ c + i ⊙ g                             h' = o ⊙ tanh c'
///
/// Letters: T steps, B lanes, H hidden size.
public struct LSTM<K: Kernels>: RecurrentLayer {
  public typealias Reading = LSTM<K.Reading>

  public static var gateCount: Int { 4 }
  public static var hasCell: Bool { true }
  public static var separatesProducts: Bool { false }

  public let tensors: LayerTensors

  public init(_ shape: LayerShape, layout: inout ParameterLayout) {
    tensors = LayerTensors(shape, gates: Self.gateCount, layout: &layout)
  }

  /// Uniform in ±1/√H as in torch.nn.LSTM, but the two forget biases add up to `forgetBias` (1 in Jozefowicz et al.
  /// 2015): what the cell holds is kept until training says otherwise.
  public func initialize(_ parameters: inout ParameterSet<K.Real>, seed: UInt64, forgetBias: Double) {
    tensors.initialize(&parameters, seed: seed)
    guard let biases = tensors.biases else { return }
    let (input, recurrent) = (parameters.writable(biases.input), parameters.writable(biases.recurrent))
    for j in hiddenSize..<2 * hiddenSize {
      input[0, j] = K.Real(forgetBias)
      recurrent[0, j] = 0
    }
  }

  // MARK: Activation record

  /// What the forward pass keeps of a window for the backward pass.
  public final class Record: RecurrentRecord {
    public let lanes: Int
    public let hidden: Rows<K.Operand>
    /// The cell before each step and after the last, `[(T+1)·B, H]`.
    public let cells: Rows<K.Real>
    /// Pre-activations, then activations i, f, g, o of each step, `[T·B, 4H]`.
    public let gates: Rows<K.Real>

    public var cell: Rows<K.Real>? { cells }
    public var projection: Rows<K.Real> { gates }
    public var byteCount: Int { hidden.byteCount + cells.byteCount + gates.byteCount }

    init(steps: Int, lanes: Int, hiddenSize: Int) {
      self.lanes = lanes
      hidden = Rows((steps + 1) * lanes, hiddenSize)
      cells = Rows((steps + 1) * lanes, hiddenSize)
      gates = Rows(steps * lanes, 4 * hiddenSize)
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
      kernels.lstmForward(
        gates: gates, cell: record.cells[before], nextCell: record.cells[after], hidden: record.hidden[after],
        units: units ?? 0..<hiddenSize)
      restarts?.apply(to: record, before: t + 1, units: units, on: kernels)
      kernels.meet(share)
    }
  }

  // MARK: Backward

  /// Back through time (Werbos 1990): at each step the hidden state's gradient is what comes from above plus what the
  /// next step's gates hand back through W_hh; the cell's gradient runs back through the forget gates.
  public func backward(
    steps: Range<Int>, dHidden: Rows<K.Real>, state: LayerState<K.Real, K.Real>, _ weights: PackedLayer<K>,
    record: Record, restarts: Restarts<K>?, dGates: GateGradients<K.Operand>,
    gradients: inout ParameterSet<K.Real>, on kernels: K
  ) {
    guard let last = steps.last else { return }
    guard let recurrentTransposed = weights.recurrentTransposed, let dCell = state.cell else {
      preconditionFailure("an LSTM goes back only through weights packed for training and a state with a cell")
    }
    K.Real.add(state.hidden, to: dHidden[record.rows(last - steps.lowerBound)])
    for t in steps.reversed() {
      let (before, after) = (record.rows(t), record.rows(t + 1))
      let place = record.rows(t - steps.lowerBound)
      let dGates = dGates.projection[place]
      kernels.lstmBackward(
        gates: record.gates[before], cell: record.cells[before], nextCell: record.cells[after],
        dHidden: dHidden[place], dCell: dCell, dGates: dGates)
      let dPrevious = t > steps.lowerBound ? dHidden[record.rows(t - 1 - steps.lowerBound)] : state.hidden
      kernels.multiply(
        dGates, recurrentTransposed, bias: nil, into: dPrevious, adding: t > steps.lowerBound, units: nil,
        sweep: Sweep(step: t))
      restarts?.takeGradient(at: t, hidden: dPrevious, cell: dCell)
    }
    tensors.addRecurrentGradients(
      dGates, before: record.hidden[record.rows(steps)], to: &gradients, on: kernels)
  }
}
