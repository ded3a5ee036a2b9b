import Compute

/// What a layer is made from.
public struct LayerShape: Sendable {
  /// The layer's place in the stack, which its tensors' names have.
  public let index: Int
  /// D and H.
  public let inputSize, hiddenSize: Int
  /// Of a plain RNN; other cells have their own.
  public let nonlinearity: Nonlinearity

  public init(index: Int, inputSize: Int, hiddenSize: Int, nonlinearity: Nonlinearity = .tanh) {
    self.index = index
    self.inputSize = inputSize
    self.hiddenSize = hiddenSize
    self.nonlinearity = nonlinearity
  }
}

/// The packed weights of one layer and one update.
public struct PackedLayer<K: Kernels>: Sendable {
  let input, recurrent: K.Packed
  /// For x·W and h·W on the way back.
  let inputTransposed, recurrentTransposed: K.Packed?
  /// What the projection adds: b_ih, and b_hh where ``recurrentBias`` is nil.
  let bias: Rows<K.Real>
  /// b_hh, where it stays with the recurrent product.
  let recurrentBias: Rows<K.Real>?
}

/// The four tensors of one layer as torch.nn has them, `[G·H, D]`, `[G·H, H]` and twice `[G·H]`, and what every cell
/// does alike with them.
public struct LayerTensors: Sendable {
  /// H.
  public let hiddenSize: Int
  /// W_hh.
  public let recurrentWeight: ParameterLayout.Slot
  let inputWeight, inputBias, recurrentBias: ParameterLayout.Slot
  private let gates, gateRows: Int

  init(_ shape: LayerShape, gates: Int, layout: inout ParameterLayout) {
    hiddenSize = shape.hiddenSize
    self.gates = gates
    gateRows = gates * shape.hiddenSize
    inputWeight = layout.add("rnn.weight_ih_l\(shape.index)", gateRows, shape.inputSize)
    recurrentWeight = layout.add("rnn.weight_hh_l\(shape.index)", gateRows, shape.hiddenSize)
    inputBias = layout.add("rnn.bias_ih_l\(shape.index)", gateRows)
    recurrentBias = layout.add("rnn.bias_hh_l\(shape.index)", gateRows)
  }

  /// Uniform in ±1/√H, as in torch.nn.
  func initialize<Real>(_ parameters: inout ParameterSet<Real>, seed: UInt64) {
    let bound = 1 / Double(hiddenSize).squareRoot()
    for slot in [inputWeight, recurrentWeight, inputBias, recurrentBias] {
      parameters.fillUniform(slot, bound: bound, seed: seed)
    }
  }

  /// - Parameters:
  ///   - substitute: W_hh, in the place of the parameters' own.
  ///   - joinsBiases: Whether b_ih + b_hh is one bias: right where nothing stands between the two products.
  func pack<K: Kernels>(
    _ parameters: ParameterSet<K.Real>, recurrentWeight substitute: Rows<K.Real>?, joinsBiases: Bool,
    forTraining: Bool, reusing old: PackedLayer<K>?, on kernels: K
  ) -> PackedLayer<K> {
    let bias = old?.bias ?? Rows(1, gateRows)
    bias.copy(from: parameters[inputBias])
    let ofRecurrent = joinsBiases ? nil : old?.recurrentBias ?? Rows(1, gateRows)
    if let ofRecurrent {
      ofRecurrent.copy(from: parameters[recurrentBias])
    } else {
      K.Real.add(parameters[recurrentBias], to: bias)
    }
    func packed(_ weight: Rows<K.Real>, transposed: Bool, _ old: K.Packed?) -> K.Packed {
      kernels.pack(weight, transposed: transposed, gates: transposed ? 1 : gates, reusing: old)
    }
    let (input, recurrent) = (parameters[inputWeight], substitute ?? parameters[recurrentWeight])
    return PackedLayer(
      input: packed(input, transposed: false, old?.input),
      recurrent: packed(recurrent, transposed: false, old?.recurrent),
      inputTransposed: forTraining ? packed(input, transposed: true, old?.inputTransposed) : nil,
      recurrentTransposed: forTraining ? packed(recurrent, transposed: true, old?.recurrentTransposed) : nil,
      bias: bias, recurrentBias: ofRecurrent)
  }

  /// The gradients of recurrent weights and biases, accumulated, from those at all gates of a window and the hidden
  /// state before each step, `[T·B, H]`.
  func addRecurrentGradients<K: Kernels>(
    _ dGates: GateGradients<K.Operand>, before hidden: Rows<K.Operand>, to gradients: inout ParameterSet<K.Real>,
    on kernels: K
  ) {
    kernels.addOuter(dGates.products, hidden, to: gradients.writable(recurrentWeight))
    kernels.addColumnSums(dGates.projection, to: gradients.writable(inputBias))
    kernels.addColumnSums(dGates.products, to: gradients.writable(recurrentBias))
  }

  /// See ``RecurrentLayer/backwardInputs(_:dProjection:_:dInputs:gradients:on:)``.
  func backwardInputs<K: Kernels>(
    _ inputs: Rows<K.Operand>, dProjection: Rows<K.Operand>, _ weights: PackedLayer<K>, dInputs: Rows<K.Real>,
    gradients: inout ParameterSet<K.Real>, on kernels: K
  ) {
    guard let inputTransposed = weights.inputTransposed else {
      preconditionFailure("a layer goes back only through weights packed for training")
    }
    kernels.addOuter(dProjection, inputs, to: gradients.writable(inputWeight))
    kernels.multiply(dProjection, inputTransposed, bias: nil, into: dInputs, adding: false)
  }
}
