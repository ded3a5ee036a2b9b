import Compute
import Recurrence

/// The embedding `[V, E]` and the way from a symbol to layer 0's projection.
///
/// Where more symbols are read between two updates than the vocabulary has, the projection of every symbol is computed
/// once, a table `[V, G·H]`, and reading a symbol copies its row; the gradient is collected by symbol before it goes
/// through the weights. This is exact: the same sums in another order. Otherwise embeddings are gathered `[T·B, E]`
/// and projected.
struct SymbolEmbedding<Layer: RecurrentLayer>: Sendable {
  typealias K = Layer.K

  let vocabularySize, embeddingSize: Int
  let weight: ParameterLayout.Slot

  init(vocabularySize: Int, embeddingSize: Int, layout: inout ParameterLayout) {
    self.vocabularySize = vocabularySize
    self.embeddingSize = embeddingSize
    weight = layout.add("encoder.weight", vocabularySize, embeddingSize)
  }

  /// Uniform in ±1, about the spread of torch.nn.Embedding's unit normal: smaller embeddings learnt more slowly (first
  /// 1,200 steps of 2×128 on tinyshakespeare, validation loss 1.76 against 1.83 with ±0.1).
  func initialize(_ parameters: inout ParameterSet<K.Real>, seed: UInt64) {
    parameters.fillUniform(weight, bound: 1, seed: seed)
  }

  // MARK: Weights

  struct Weights: Sendable {
    /// `[V, E]`, as weights and as operands.
    let embedding: Rows<K.Real>
    let operands: Rows<K.Operand>
    /// `[V, G·H]`, where symbols are read from the table.
    let table: Rows<K.Real>?
    /// What dropout multiplied the embedding's rows by, `[V, 1]`.
    let symbolFactors: Rows<K.Real>?
  }

  func pack(
    _ parameters: ParameterSet<K.Real>, layer: Layer, _ layerWeights: Layer.Weights, rows: Int,
    symbolFactors: Rows<K.Real>? = nil, reusing old: Weights?, on kernels: K
  ) -> Weights {
    let embedding = old?.embedding ?? Rows(vocabularySize, embeddingSize)
    embedding.copy(from: parameters[weight])
    if let symbolFactors { K.Real.scaleRows(embedding, by: symbolFactors, of: nil) }
    let operands = old?.operands ?? Rows(vocabularySize, embeddingSize)
    kernels.narrow(embedding, into: operands)
    guard rows >= vocabularySize else {
      return Weights(embedding: embedding, operands: operands, table: nil, symbolFactors: symbolFactors)
    }
    let table = old?.table ?? Rows(vocabularySize, Layer.gateCount * layer.hiddenSize)
    layer.project(operands, layerWeights, into: table, share: .whole, on: kernels)
    return Weights(embedding: embedding, operands: operands, table: table, symbolFactors: symbolFactors)
  }

  /// What one lane group needs for a window of `rows` symbols.
  struct Scratch: Sendable {
    let gathered: Rows<K.Real>
    let inputs: Rows<K.Operand>

    init(_ embedding: SymbolEmbedding, rows: Int, hasTable: Bool) {
      gathered = Rows(hasTable ? 0 : rows, embedding.embeddingSize)
      inputs = Rows(hasTable ? 0 : rows, embedding.embeddingSize)
    }

    private init(gathered: Rows<K.Real>, inputs: Rows<K.Operand>) {
      self.gathered = gathered
      self.inputs = inputs
    }

    /// What some of the window's symbols need.
    func rows(_ range: Range<Int>) -> Scratch {
      gathered.rows == 0 ? self : Scratch(gathered: gathered[range], inputs: inputs[range])
    }
  }

  // MARK: Forward

  /// Overwrites `projection [N, G·H]` with the projections of `symbols [N]`: the units of one thread's share. A mask
  /// `[B, E]` is for gathered embeddings, on one thread.
  func forward(
    _ symbols: Rows<Int32>, _ weights: Weights, layer: Layer, _ layerWeights: Layer.Weights, scratch: Scratch,
    mask: Rows<K.Real>? = nil, into projection: Rows<K.Real>, share: Share, on kernels: K
  ) {
    precondition(mask == nil || weights.table == nil && share.count == 1, "a table of symbols cannot be masked by lane")
    if let table = weights.table {
      // The columns of some units lie in one piece for each gate, those of all units in one.
      let (hidden, gates) = (layer.hiddenSize, Layer.gateCount)
      let (pieces, columns) = layer.units(share).map { (gates, $0) } ?? (1, 0..<gates * hidden)
      for piece in 0..<pieces {
        kernels.gather(
          symbols, from: table, into: projection,
          columns: piece * hidden + columns.lowerBound..<piece * hidden + columns.upperBound)
      }
    } else {
      let rows = share.rows(of: symbols.count)
      gatherInputs(symbols[rows], weights, scratch.rows(rows), mask: mask, on: kernels)
      kernels.meet(share)
      let inputs = scratch.inputs[0..<symbols.count]
      layer.project(inputs, layerWeights, into: projection, share: share, on: kernels)
    }
  }

  private func gatherInputs(
    _ symbols: Rows<Int32>, _ weights: Weights, _ scratch: Scratch, mask: Rows<K.Real>?, on kernels: K
  ) {
    kernels.gather(
      symbols, from: weights.embedding, into: scratch.gathered, columns: 0..<embeddingSize)
    if let mask { K.Real.multiply(scratch.gathered, by: mask) }
    kernels.narrow(scratch.gathered, into: scratch.inputs)
  }

  // MARK: Backward

  /// What the backward pass of one lane group needs besides: sums by symbol, or gradients at the inputs.
  struct BackwardScratch: Sendable {
    let dTable: Rows<K.Real>
    let dTableOperands: Rows<K.Operand>
    let dEmbedding: Rows<K.Real>
    let dInputs: Rows<K.Real>
    let dInputOperands: Rows<K.Operand>

    init(_ embedding: SymbolEmbedding, rows: Int, projectionSize: Int, hasTable: Bool) {
      let (symbols, inputs) = hasTable ? (embedding.vocabularySize, 0) : (0, rows)
      dTable = Rows(symbols, projectionSize)
      dTableOperands = Rows(symbols, projectionSize)
      dEmbedding = Rows(symbols, embedding.embeddingSize)
      dInputs = Rows(inputs, embedding.embeddingSize)
      dInputOperands = Rows(inputs, embedding.embeddingSize)
    }
  }

  /// Accumulates the gradients of the embedding and of layer 0's input weights from some symbols, which the last forward
  /// pass had in `rows`; those that
  /// are collected by symbol follow with ``finishBackward(_:layer:_:_:gradients:on:)``.
  func backward(
    _ symbols: Rows<Int32>, rows: Range<Int>, dProjection: Rows<K.Operand>, _ weights: Weights, layer: Layer,
    _ layerWeights: Layer.Weights, scratch: Scratch, mask: Rows<K.Real>? = nil, _ back: BackwardScratch,
    gradients: inout ParameterSet<K.Real>, on kernels: K
  ) {
    guard weights.table == nil else {
      return kernels.scatterAdd(dProjection, at: symbols, to: back.dTable)
    }
    let part = 0..<rows.count
    // The embeddings of the window are where the forward pass put them.
    layer.backwardInputs(
      scratch.inputs[rows], dProjection: dProjection, layerWeights, dInputs: back.dInputs[part],
      gradients: &gradients, on: kernels)
    if let mask { K.Real.multiply(back.dInputs[part], by: mask) }
    if let factors = weights.symbolFactors { K.Real.scaleRows(back.dInputs[part], by: factors, of: symbols) }
    kernels.narrow(back.dInputs[part], into: back.dInputOperands[part])
    kernels.scatterAdd(back.dInputOperands[part], at: symbols, to: gradients.writable(weight))
  }

  /// Takes what was collected by symbol through the weights, and leaves zeros for the next window.
  func finishBackward(
    _ weights: Weights, layer: Layer, _ layerWeights: Layer.Weights, _ back: BackwardScratch,
    gradients: inout ParameterSet<K.Real>, on kernels: K
  ) {
    guard weights.table != nil else { return }
    kernels.narrow(back.dTable, into: back.dTableOperands)
    layer.backwardInputs(
      weights.operands, dProjection: back.dTableOperands, layerWeights, dInputs: back.dEmbedding,
      gradients: &gradients, on: kernels)
    if let factors = weights.symbolFactors { K.Real.scaleRows(back.dEmbedding, by: factors, of: nil) }
    K.Real.add(back.dEmbedding, to: gradients.writable(weight))
    back.dTable.clear()
  }
}
