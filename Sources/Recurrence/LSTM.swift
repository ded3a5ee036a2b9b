import Compute

/// Long short-term memory (Hochreiter & Schmidhuber 1997) with the forget gate of Gers et al. 2000.
///
///     i, f, o = σ(W_ih·x + b_ih + W_hh·h + b_hh)      g = tanh(…)          gate order i, f, g, o, as in torch.nn.LSTM
///     c' = f ⊙ c + i ⊙ g                             h' = o ⊙ tanh c'
///
/// Letters: T steps, B lanes, D input size, H hidden size.
public struct LSTM<K: Kernels>: RecurrentLayer {
  public typealias Reading = LSTM<K.Reading>

  public static var gateCount: Int { 4 }
  public static var hasCell: Bool { true }

  public let inputSize: Int
  public let hiddenSize: Int
  private let inputWeight, recurrentWeight, inputBias, recurrentBias: ParameterLayout.Slot

  public init(index: Int, inputSize: Int, hiddenSize: Int, layout: inout ParameterLayout) {
    self.inputSize = inputSize
    self.hiddenSize = hiddenSize
    inputWeight = layout.add("rnn.weight_ih_l\(index)", 4 * hiddenSize, inputSize)
    recurrentWeight = layout.add("rnn.weight_hh_l\(index)", 4 * hiddenSize, hiddenSize)
    inputBias = layout.add("rnn.bias_ih_l\(index)", 4 * hiddenSize)
    recurrentBias = layout.add("rnn.bias_hh_l\(index)", 4 * hiddenSize)
  }

  /// Uniform in ±1/√H as in torch.nn.LSTM, but with a forget bias of 1 (Jozefowicz et al. 2015): what the cell holds is
  /// kept until training says otherwise.
  public func initialize(_ parameters: inout ParameterSet<K.Real>, seed: UInt64) {
    let bound = 1 / Double(hiddenSize).squareRoot()
    for slot in [inputWeight, recurrentWeight, inputBias, recurrentBias] {
      parameters.fillUniform(slot, bound: bound, seed: seed)
    }
    let forget = hiddenSize..<2 * hiddenSize
    let (input, recurrent) = (parameters.writable(inputBias), parameters.writable(recurrentBias))
    for j in forget {
      input[0, j] = 1
      recurrent[0, j] = 0
    }
  }

  // MARK: Weights

  /// The packed weights of one update.
  public struct Weights: Sendable {
    let input, recurrent: K.Packed
    /// For x·W and h·W on the way back.
    let inputTransposed, recurrentTransposed: K.Packed?
    /// b_ih + b_hh.
    let bias: Rows<K.Real>
  }

  public func pack(
    _ parameters: ParameterSet<K.Real>, forTraining: Bool, reusing old: Weights?, on kernels: K
  ) -> Weights {
    let bias = old?.bias ?? Rows(1, 4 * hiddenSize)
    bias.copy(from: parameters[inputBias])
    K.Real.add(parameters[recurrentBias], to: bias)
    func packed(_ slot: ParameterLayout.Slot, transposed: Bool, _ old: K.Packed?) -> K.Packed {
      kernels.pack(parameters[slot], transposed: transposed, gates: transposed ? 1 : 4, reusing: old)
    }
    return Weights(
      input: packed(inputWeight, transposed: false, old?.input),
      recurrent: packed(recurrentWeight, transposed: false, old?.recurrent),
      inputTransposed: forTraining ? packed(inputWeight, transposed: true, old?.inputTransposed) : nil,
      recurrentTransposed: forTraining ? packed(recurrentWeight, transposed: true, old?.recurrentTransposed) : nil,
      bias: bias)
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

    init(steps: Int, lanes: Int, hiddenSize: Int) {
      self.lanes = lanes
      hidden = Rows((steps + 1) * lanes, hiddenSize)
      cells = Rows((steps + 1) * lanes, hiddenSize)
      gates = Rows(steps * lanes, 4 * hiddenSize)
    }

    /// The rows of step t; of ``hidden`` and ``cells``, those before it.
    func rows(_ t: Int) -> Range<Int> { t * lanes..<(t + 1) * lanes }
  }

  public func makeRecord(steps: Int, lanes: Int) -> Record {
    Record(steps: steps, lanes: lanes, hiddenSize: hiddenSize)
  }

  // MARK: Forward

  public func project(
    _ inputs: Rows<K.Operand>, _ weights: Weights, into projection: Rows<K.Real>, share: Share, on kernels: K
  ) {
    kernels.multiply(
      inputs, weights.input, bias: weights.bias, into: projection, adding: false, units: units(share))
  }

  public func forward(steps: Int, _ weights: Weights, record: Record, share: Share, on kernels: K) {
    let units = units(share)
    for t in 0..<steps {
      let (before, after) = (record.rows(t), record.rows(t + 1))
      let gates = record.gates[before]
      kernels.multiply(record.hidden[before], weights.recurrent, bias: nil, into: gates, adding: true, units: units)
      kernels.lstmForward(
        gates: gates, cell: record.cells[before], nextCell: record.cells[after], hidden: record.hidden[after],
        units: units ?? 0..<hiddenSize)
      kernels.meet(share)
    }
  }

  // MARK: Backward

  /// Back through time (Werbos 1990): at each step the hidden state's gradient is what comes from above plus what the
  /// next step's gates hand back through W_hh; the cell's gradient runs back through the forget gates.
  public func backward(
    steps: Int, dHidden: Rows<K.Real>, state: LayerState<K.Real, K.Real>, _ weights: Weights, record: Record,
    dProjection: Rows<K.Operand>, gradients: inout ParameterSet<K.Real>, on kernels: K
  ) {
    guard steps > 0 else { return }
    guard let recurrentTransposed = weights.recurrentTransposed, let dCell = state.cell else {
      preconditionFailure("an LSTM goes back only through weights packed for training and a state with a cell")
    }
    K.Real.add(state.hidden, to: dHidden[record.rows(steps - 1)])
    for t in (0..<steps).reversed() {
      let (before, after) = (record.rows(t), record.rows(t + 1))
      let dGates = dProjection[before]
      kernels.lstmBackward(
        gates: record.gates[before], cell: record.cells[before], nextCell: record.cells[after],
        dHidden: dHidden[before], dCell: dCell, dGates: dGates)
      let dPrevious = t > 0 ? dHidden[record.rows(t - 1)] : state.hidden
      kernels.multiply(dGates, recurrentTransposed, bias: nil, into: dPrevious, adding: t > 0)
    }
    let window = 0..<steps * record.lanes
    kernels.addOuter(dProjection[window], record.hidden[window], to: gradients.writable(recurrentWeight))
    let dBias = Rows<K.Real>(1, 4 * hiddenSize)
    kernels.addColumnSums(dProjection[window], to: dBias)
    K.Real.add(dBias, to: gradients.writable(inputBias))
    K.Real.add(dBias, to: gradients.writable(recurrentBias))
  }

  public func backwardInputs(
    _ inputs: Rows<K.Operand>, dProjection: Rows<K.Operand>, _ weights: Weights, dInputs: Rows<K.Real>,
    gradients: inout ParameterSet<K.Real>, on kernels: K
  ) {
    guard let inputTransposed = weights.inputTransposed else {
      preconditionFailure("an LSTM goes back only through weights packed for training")
    }
    kernels.addOuter(dProjection, inputs, to: gradients.writable(inputWeight))
    kernels.multiply(dProjection, inputTransposed, bias: nil, into: dInputs, adding: false)
  }
}
