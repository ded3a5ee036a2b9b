/// Recurrence: recurrent layers, each with its parameters, state, activation record, forward and backward pass.

import Compute

/// One recurrent layer, unrolled over a window of `steps` steps for `lanes` lanes (T and B in the shapes).
///
/// A layer holds no numbers: it names its tensors in a ``ParameterLayout`` and works on what it is handed. Its input
/// enters as a projection `[T·B, G·H]` (input times input weights plus bias), so that whoever owns the input can choose
/// how to make it: one product for the whole window, or a table row per symbol.
public protocol RecurrentLayer<K>: Sendable {
  associatedtype K: Kernels
  /// Packed weights, remade after each update.
  typealias Weights = PackedLayer<K>
  /// Everything of one window that the backward pass needs.
  associatedtype Record: RecurrentRecord where Record.K == K

  /// The same layer on kernels for reading.
  associatedtype Reading: RecurrentLayer where Reading.K == K.Reading

  /// G: 1 for an RNN, 3 for a GRU, 4 for an LSTM.
  static var gateCount: Int { get }
  /// Whether the layer carries a cell state beside the hidden state.
  static var hasCell: Bool { get }
  /// Whether the gradient at the recurrent products differs from that at the projection.
  static var separatesProducts: Bool { get }

  /// Numbers that its record keeps of each unit, step and lane, rounded up: what memory is reckoned with.
  static var numbersKept: Int { get }

  /// The layer's matrices and biases.
  var tensors: LayerTensors { get }

  /// Adds the layer's tensors to `layout`, named as in `torch.nn` (`rnn.weight_ih_l0`, …).
  init(_ shape: LayerShape, layout: inout ParameterLayout)

  /// Fresh parameters, overwriting the layer's tensors in `parameters`: uniform in ±1/√H, as in torch.nn, where a layer
  /// does not say otherwise. `forgetBias` is for an LSTM.
  func initialize(_ parameters: inout ParameterSet<K.Real>, seed: UInt64, forgetBias: Double)

  /// Packs the weights; the memory of `old` is reused. The transposed ones are left out unless `forTraining`.
  ///
  /// - Parameter recurrentWeight: `[G·H, H]`, in the place of the parameters' own; nil for those.
  func pack(
    _ parameters: ParameterSet<K.Real>, recurrentWeight: Rows<K.Real>?, forTraining: Bool, reusing old: Weights?,
    on kernels: K
  ) -> Weights

  func makeRecord(steps: Int, lanes: Int) -> Record

  /// Steps through some steps of a window, whose projection and the state before them are in `record`: the units of one
  /// thread's share, which after each step waits for the others.
  ///
  /// - Parameter restarts: Where lanes begin anew after the first step; nil where none does.
  func forward(
    steps: Range<Int>, _ weights: Weights, record: Record, restarts: Restarts<K>?, share: Share, on kernels: K)

  /// Propagates the loss gradient back through some steps of a window, which end where the last call's began.
  ///
  /// - Parameters:
  ///   - dHidden: Gradient at the hidden state of each of these steps from above, `[n·B, H]`; destroyed.
  ///   - state: Gradient at the state after the steps in, at the state before them out.
  ///   - restarts: Where lanes began anew, in the window; nil where none did.
  ///   - dGates: Overwritten with the gradients of these steps at the projection and at the recurrent products,
  ///     `[n·B, G·H]`; separate where ``separatesProducts``.
  ///   - gradients: Recurrent weights and biases; accumulated into.
  func backward(
    steps: Range<Int>, dHidden: Rows<K.Real>, state: LayerState<K.Real, K.Real>, _ weights: Weights, record: Record,
    restarts: Restarts<K>?, dGates: GateGradients<K.Operand>, gradients: inout ParameterSet<K.Real>, on kernels: K)
}

extension RecurrentLayer {
  /// H.
  public var hiddenSize: Int { tensors.hiddenSize }

  public func initialize(_ parameters: inout ParameterSet<K.Real>, seed: UInt64, forgetBias: Double) {
    tensors.initialize(&parameters, seed: seed)
  }

  /// The gates and two states.
  public static var numbersKept: Int { gateCount + 2 }

  /// Packs the parameters' own weights.
  public func pack(
    _ parameters: ParameterSet<K.Real>, forTraining: Bool, reusing old: Weights?, on kernels: K
  ) -> Weights {
    pack(parameters, recurrentWeight: nil, forTraining: forTraining, reusing: old, on: kernels)
  }

  public func pack(
    _ parameters: ParameterSet<K.Real>, recurrentWeight: Rows<K.Real>?, forTraining: Bool, reusing old: Weights?,
    on kernels: K
  ) -> Weights {
    tensors.pack(
      parameters, recurrentWeight: recurrentWeight, joinsBiases: !Self.separatesProducts, forTraining: forTraining,
      reusing: old, on: kernels)
  }

  /// Gradient of the input weights (accumulated) and at the inputs, `dInputs [N, D]` (overwritten), from that at their
  /// projection `[N, G·H]`.
  public func backwardInputs(
    _ inputs: Rows<K.Operand>, dProjection: Rows<K.Operand>, _ weights: Weights, dInputs: Rows<K.Real>,
    gradients: inout ParameterSet<K.Real>, on kernels: K
  ) {
    tensors.backwardInputs(
      inputs, dProjection: dProjection, weights, dInputs: dInputs, gradients: &gradients, on: kernels)
  }

  /// A window in which no lane begins anew.
  public func forward(steps: Int, _ weights: Weights, record: Record, share: Share, on kernels: K) {
    forward(steps: 0..<steps, weights, record: record, restarts: nil, share: share, on: kernels)
  }

  /// The same on the way back.
  public func backward(
    steps: Range<Int>, dHidden: Rows<K.Real>, state: LayerState<K.Real, K.Real>, _ weights: Weights, record: Record,
    dGates: GateGradients<K.Operand>, gradients: inout ParameterSet<K.Real>, on kernels: K
  ) {
    backward(
      steps: steps, dHidden: dHidden, state: state, weights, record: record, restarts: nil, dGates: dGates,
      gradients: &gradients, on: kernels)
  }

  /// The units that a thread computes; nil means all.
  public func units(_ share: Share) -> Range<Int>? { share.part(of: hiddenSize) }

  /// The projection of inputs `[N, D]`, overwriting `projection [N, G·H]`: the units of one thread's share.
  public func project(
    _ inputs: Rows<K.Operand>, _ weights: Weights, into projection: Rows<K.Real>, share: Share, on kernels: K
  ) {
    kernels.multiply(
      inputs, weights.input, bias: weights.bias, into: projection, adding: false, units: units(share))
  }
}

/// What a layer keeps of one window.
public protocol RecurrentRecord<K>: AnyObject, Sendable {
  associatedtype K: Kernels
  var lanes: Int { get }
  /// Input times input weights plus bias, `[T·B, G·H]`; the forward pass may overwrite it.
  var projection: Rows<K.Real> { get }
  /// The hidden state before each step and after the last, `[(T+1)·B, H]`.
  var hidden: Rows<K.Operand> { get }
  /// The cell state likewise, where the layer has one.
  var cell: Rows<K.Real>? { get }
  /// Bytes of everything that is kept.
  var byteCount: Int { get }
}

/// A layer's state `[B, H]`: the hidden state and, in an LSTM, the cell. Also the gradient at one.
public struct LayerState<Hidden: BitwiseCopyable & Sendable, Real: BitwiseCopyable & Sendable>: Sendable {
  /// `[B, H]`.
  public let hidden: Rows<Hidden>
  /// `[B, H]`, in a layer that has a cell.
  public let cell: Rows<Real>?

  /// The zero state.
  public init(lanes: Int, hiddenSize: Int, hasCell: Bool) {
    hidden = Rows(lanes, hiddenSize)
    cell = hasCell ? Rows(lanes, hiddenSize) : nil
  }

  /// Sets every lane to the one of `lane`.
  public func fill(with lane: LayerState) { gather(lanes: repeatElement(0, count: hidden.rows), of: lane) }

  /// Sets lane i to lane `sources[i]` of another state.
  public func gather(lanes sources: some Collection<Int>, of state: LayerState) {
    func gather<Element>(_ rows: Rows<Element>, of others: Rows<Element>) {
      for (lane, source) in sources.enumerated() { rows[lane..<lane + 1].copy(from: others[source..<source + 1]) }
    }
    gather(hidden, of: state.hidden)
    if let cell, let others = state.cell { gather(cell, of: others) }
  }

  /// Overwrites some lanes with the lanes of another state.
  public func replace(lanes: Range<Int>, with other: LayerState) {
    hidden[lanes].copy(from: other.hidden)
    if let cell, let value = other.cell { cell[lanes].copy(from: value) }
  }

  /// Overwrites with another state of as many lanes.
  public func copy(from other: LayerState) { replace(lanes: 0..<hidden.rows, with: other) }

  /// Back to zeros.
  public func clear() {
    hidden.clear()
    cell?.clear()
  }
}

extension RecurrentRecord {
  /// The rows of step t; of ``hidden`` and ``cell``, those before it.
  func rows(_ t: Int) -> Range<Int> { t * lanes..<(t + 1) * lanes }
  func rows(_ steps: Range<Int>) -> Range<Int> { steps.lowerBound * lanes..<steps.upperBound * lanes }

  /// Sets the state that the window starts from.
  public func begin(from state: LayerState<K.Operand, K.Real>) {
    hidden[0..<lanes].copy(from: state.hidden)
    if let cell, let start = state.cell { cell[0..<lanes].copy(from: start) }
  }

  /// Copies out the state after `steps` steps.
  public func copyState(after steps: Int, into state: LayerState<K.Operand, K.Real>) {
    let rows = steps * lanes..<(steps + 1) * lanes
    state.hidden.copy(from: hidden[rows])
    if let cell, let end = state.cell { end.copy(from: cell[rows]) }
  }

  /// The hidden states after each of the first `steps` steps, `[T·B, H]`: the layer's outputs.
  public func outputs(_ steps: Int) -> Rows<K.Operand> { hidden[lanes..<(steps + 1) * lanes] }
}
