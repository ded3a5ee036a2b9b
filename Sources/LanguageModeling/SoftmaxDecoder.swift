import Compute

/// The linear decoder `[V, H]` and the softmax cross-entropy above it.
///
/// Logits are made and spent in blocks of rows, so that their memory does not grow with window × vocabulary.
struct SoftmaxDecoder<K: Kernels>: Sendable {
  let vocabularySize, hiddenSize: Int
  private let weight, bias: ParameterLayout.Slot
  private let isTied: Bool
  /// A target that nobody predicts: its losses are not differentiated.
  private let unpredicted: Int32?

  init(
    vocabularySize: Int, hiddenSize: Int, tiedTo: ParameterLayout.Slot?, unpredicted: Int32? = nil,
    layout: inout ParameterLayout
  ) {
    self.unpredicted = unpredicted
    self.vocabularySize = vocabularySize
    self.hiddenSize = hiddenSize
    isTied = tiedTo != nil
    weight = tiedTo ?? layout.add("decoder.weight", vocabularySize, hiddenSize)
    bias = layout.add("decoder.bias", vocabularySize)
  }

  /// Weights uniform in ±1/√H as in torch.nn.Linear; a bias of zero, so that a fresh model knows nothing of frequencies.
  func initialize(_ parameters: inout ParameterSet<K.Real>, seed: UInt64) {
    guard !isTied else { return }
    parameters.fillUniform(weight, bound: 1 / Double(hiddenSize).squareRoot(), seed: seed)
  }

  /// Divides all logits by a temperature; not where the matrix is the embedding's too.
  func divideLogits(of parameters: inout ParameterSet<K.Real>, by temperature: Double) {
    precondition(!isTied, "logits of a matrix that is the embedding's too are divided")
    for tensor in [weight, bias] { K.Real.scale(parameters.writable(tensor), by: K.Real(1 / temperature)) }
  }

  // MARK: Weights

  struct Weights: Sendable {
    let weight: K.Packed
    let transposed: K.Packed?
    let bias: Rows<K.Real>
  }

  func pack(_ parameters: ParameterSet<K.Real>, forTraining: Bool, reusing old: Weights?, on kernels: K) -> Weights {
    let bias = old?.bias ?? Rows(1, vocabularySize)
    bias.copy(from: parameters[self.bias])
    return Weights(
      weight: kernels.pack(parameters[weight], transposed: false, reusing: old?.weight),
      transposed: forTraining ? kernels.pack(parameters[weight], transposed: true, reusing: old?.transposed) : nil,
      bias: bias)
  }

  /// The logits of one block, and their gradients.
  struct Scratch: Sendable {
    let logits: Rows<K.Real>
    let dLogits: Rows<K.Operand>

    /// About four million logits a block: rows enough for each block's weight gradient, which passes over the whole
    /// sum `[V, H]`, to be worth it, where the vocabulary is large.
    init(_ decoder: SoftmaxDecoder, rows: Int, forTraining: Bool) {
      let blockRows = min(rows, max(16, 1 << 22 / decoder.vocabularySize))
      logits = Rows(blockRows, decoder.vocabularySize)
      dLogits = Rows(forTraining ? blockRows : 0, decoder.vocabularySize)
    }
  }

  // MARK: Forward

  /// The logits `[N, V]` of outputs `[N, H]`, overwriting `logits`: some of the symbols, or all.
  func logits(
    _ outputs: Rows<K.Operand>, _ weights: Weights, into logits: Rows<K.Real>, symbols: Range<Int>? = nil,
    on kernels: K
  ) {
    kernels.multiply(outputs, weights.weight, bias: weights.bias, into: logits, adding: false, units: symbols)
  }

  /// Cross-entropy of each row in nats, overwriting `losses [N, 1]`.
  func losses(
    _ outputs: Rows<K.Operand>, targets: Rows<Int32>, _ weights: Weights, scratch: Scratch, into losses: Rows<Double>,
    on kernels: K
  ) {
    forEachBlock(outputs.rows, scratch) { rows in
      let logits = scratch.logits[0..<rows.count]
      self.logits(outputs[rows], weights, into: logits, on: kernels)
      kernels.crossEntropy(logits, targets: targets[rows], scale: 0, dLogits: nil, losses: losses[rows])
    }
  }

  /// What the predictions after outputs `[N, H]` say, overwriting `details`.
  func describe(
    _ outputs: Rows<K.Operand>, targets: Rows<Int32>, _ weights: Weights, scratch: Scratch,
    into details: PredictionRows, on kernels: K
  ) where K: ReadingKernels {
    forEachBlock(outputs.rows, scratch) { rows in
      let logits = scratch.logits[0..<rows.count]
      self.logits(outputs[rows], weights, into: logits, on: kernels)
      kernels.describe(logits, targets: targets[rows], into: details[rows])
    }
  }

  // MARK: Backward

  /// The same, and back: `dOutputs [N, H]` is overwritten with the gradient of `scale`·Σ losses, the decoder's own
  /// gradients are accumulated.
  func lossesAndGradients(
    _ outputs: Rows<K.Operand>, targets: Rows<Int32>, scale: K.Real, _ weights: Weights, scratch: Scratch,
    into losses: Rows<Double>, dOutputs: Rows<K.Real>, gradients: inout ParameterSet<K.Real>, on kernels: K
  ) {
    guard let transposed = weights.transposed else {
      preconditionFailure("the decoder goes back only through weights packed for training")
    }
    let (dWeight, dBias) = (gradients.writable(weight), gradients.writable(bias))
    forEachBlock(outputs.rows, scratch) { rows in
      let (logits, dLogits) = (scratch.logits[0..<rows.count], scratch.dLogits[0..<rows.count])
      self.logits(outputs[rows], weights, into: logits, on: kernels)
      kernels.crossEntropy(logits, targets: targets[rows], scale: scale, dLogits: dLogits, losses: losses[rows])
      if let unpredicted { targets[rows].forEachRow(holding: unpredicted) { dLogits[$0..<$0 + 1].clear() } }
      kernels.addOuter(dLogits, outputs[rows], to: dWeight)
      kernels.addColumnSums(dLogits, to: dBias)
      kernels.multiply(dLogits, transposed, bias: nil, into: dOutputs[rows], adding: false)
    }
  }

  private func forEachBlock(_ rows: Int, _ scratch: Scratch, _ body: (Range<Int>) -> Void) {
    let block = scratch.logits.rows
    for end in stride(from: rows, to: 0, by: -block) { body(max(0, end - block)..<end) }
  }
}
