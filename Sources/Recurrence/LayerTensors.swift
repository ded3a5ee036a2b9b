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
  /// What the projection adds: b_ih, and b_hh where ``recurrentBias`` is nil; nil in a cell with biases of its own.
  let bias: Rows<K.Real>?
  /// b_hh, where it stays with the recurrent product.
  let recurrentBias: Rows<K.Real>?
  /// In a cell with layer normalization, its gains and biases as ``LSTMNormStep`` wants them.
  var norms: Rows<K.Real>?
}

/// The four tensors of one layer as torch.nn has them, `[G·H, D]`, `[G·H, H]` and twice `[G·H]`, or the first two alone
/// where a cell has biases of its own; and what every cell does alike with them.
public struct LayerTensors: Sendable {
  /// H.
  public let hiddenSize: Int
  /// W_hh.
  public let recurrentWeight: ParameterLayout.Slot
  let inputWeight: ParameterLayout.Slot
  let biases: (input: ParameterLayout.Slot, recurrent: ParameterLayout.Slot)?
  private let gates, gateRows: Int

  init(_ shape: LayerShape, gates: Int, hasBiases: Bool = true, layout: inout ParameterLayout) {
    hiddenSize = shape.hiddenSize
    self.gates = gates
    gateRows = gates * shape.hiddenSize
    inputWeight = layout.add("rnn.weight_ih_l\(shape.index)", gateRows, shape.inputSize)
    recurrentWeight = layout.add("rnn.weight_hh_l\(shape.index)", gateRows, shape.hiddenSize)
    biases =
      hasBiases
      ? (layout.add("rnn.bias_ih_l\(shape.index)", gateRows), layout.add("rnn.bias_hh_l\(shape.index)", gateRows)) : nil
  }

  /// Those of the two biases that there are.
  private var biasSlots: [ParameterLayout.Slot] { biases.map { [$0.input, $0.recurrent] } ?? [] }

  /// Uniform in ±1/√H, as in torch.nn.
  func initialize<Real>(_ parameters: inout ParameterSet<Real>, seed: UInt64) {
    let bound = 1 / Double(hiddenSize).squareRoot()
    for slot in [inputWeight, recurrentWeight] + biasSlots {
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
    let (bias, ofRecurrent) = packedBiases(parameters, joined: joinsBiases, reusing: old)
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

  private func packedBiases<K: Kernels>(
    _ parameters: ParameterSet<K.Real>, joined: Bool, reusing old: PackedLayer<K>?
  ) -> (input: Rows<K.Real>?, recurrent: Rows<K.Real>?) {
    guard let biases else { return (nil, nil) }
    let input = old?.bias ?? Rows(1, gateRows)
    input.copy(from: parameters[biases.input])
    guard !joined else {
      K.Real.add(parameters[biases.recurrent], to: input)
      return (input, nil)
    }
    let recurrent = old?.recurrentBias ?? Rows(1, gateRows)
    recurrent.copy(from: parameters[biases.recurrent])
    return (input, recurrent)
  }

  /// The gradients of recurrent weights and of the biases that there are, accumulated, from those at all gates of a window and the hidden
  /// state before each step, `[T·B, H]`.
  func addRecurrentGradients<K: Kernels>(
    _ dGates: GateGradients<K.Operand>, before hidden: Rows<K.Operand>, to gradients: inout ParameterSet<K.Real>,
    on kernels: K
  ) {
    kernels.addOuter(dGates.products, hidden, to: gradients.writable(recurrentWeight))
    guard let biases else { return }
    kernels.addColumnSums(dGates.projection, to: gradients.writable(biases.input))
    kernels.addColumnSums(dGates.products, to: gradients.writable(biases.recurrent))
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
