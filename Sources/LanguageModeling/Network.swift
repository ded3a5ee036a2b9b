import Compute
import Recurrence

/// The shape of a language model: embedding `[V, E]` → L recurrent layers → linear decoder `[V, H]` → softmax.
///
/// It holds no numbers; ``ParameterSet`` does.
public struct Network<Layer: RecurrentLayer>: Sendable {
  public typealias K = Layer.K

  /// The sizes.
  public let configuration: ModelConfiguration
  /// The names and shapes of all tensors.
  public let layout: ParameterLayout
  let embedding: SymbolEmbedding<Layer>
  let layers: [Layer]
  let decoder: SoftmaxDecoder<K>
  let initialState: InitialState<Layer>?

  /// The network of a validated configuration.
  public init(_ configuration: ModelConfiguration) {
    var layout = ParameterLayout()
    let embedding = SymbolEmbedding<Layer>(
      vocabularySize: configuration.vocabularySize, embeddingSize: configuration.embeddingSize, layout: &layout)
    layers = (0..<configuration.layers).map { index in
      let shape = LayerShape(
        index: index, inputSize: index == 0 ? configuration.embeddingSize : configuration.hiddenSize,
        hiddenSize: configuration.hiddenSize, nonlinearity: configuration.nonlinearity)
      return Layer(shape, layout: &layout)
    }
    decoder = SoftmaxDecoder(
      vocabularySize: configuration.vocabularySize, hiddenSize: configuration.hiddenSize,
      tiedTo: configuration.tiesWeights ? embedding.weight : nil, unpredicted: configuration.documents?.start,
      layout: &layout)
    initialState =
      configuration.trainsInitialState
      ? InitialState(layers: configuration.layers, hiddenSize: configuration.hiddenSize, layout: &layout) : nil
    self.embedding = embedding
    self.configuration = configuration
    self.layout = layout
  }

  /// The symbol that begins a document, where the model knows documents.
  var documentStart: Int32? { configuration.documents?.start }

  /// Fresh parameters, a function of the seed and an LSTM's forget bias alone.
  public func initialParameters(seed: UInt64, forgetBias: Double = 1) -> ParameterSet<K.Real> {
    var parameters = ParameterSet<K.Real>(layout)
    embedding.initialize(&parameters, seed: seed)
    for layer in layers { layer.initialize(&parameters, seed: seed, forgetBias: forgetBias) }
    decoder.initialize(&parameters, seed: seed)
    return parameters
  }

  /// The parameters with all logits divided by a temperature. The decoder must have a matrix of its own.
  public func dividingLogits(of parameters: ParameterSet<K.Real>, by temperature: Double) -> ParameterSet<K.Real> {
    var divided = parameters
    decoder.divideLogits(of: &divided, by: temperature)
    return divided
  }

  /// The zero state of every layer.
  public func zeroState(lanes: Int) -> [LayerState<K.Operand, K.Real>] {
    layers.map { LayerState(lanes: lanes, hiddenSize: $0.hiddenSize, hasCell: Layer.hasCell) }
  }

  /// Bytes of the activations that all layers keep of a window for the backward pass.
  public func recordBytes(steps: Int, lanes: Int) -> Int {
    layers.reduce(0) { $0 + $1.makeRecord(steps: steps, lanes: lanes).byteCount }
  }

  func zeroStateGradient(lanes: Int) -> [LayerState<K.Real, K.Real>] {
    layers.map { LayerState(lanes: lanes, hiddenSize: $0.hiddenSize, hasCell: Layer.hasCell) }
  }

  /// Packs all weights for products, in the memory of `old`.
  ///
  /// - Parameter rows: Symbols that will be read between two packings: with more symbols than the vocabulary has,
  ///   layer 0 reads from a table of projected symbols.
  /// - Parameter dropped: Weights that stand in the place of the parameters' own.
  func pack(
    _ parameters: ParameterSet<K.Real>, forTraining: Bool, rows: Int, dropped: DroppedWeights<Layer>? = nil,
    reusing old: PackedNetwork<Layer>?, on kernels: K
  ) -> PackedNetwork<Layer> {
    let recurrent = dropped?.recurrent ?? []
    let packedLayers = layers.indices.map { index in
      layers[index].pack(
        parameters, recurrentWeight: recurrent.isEmpty ? nil : recurrent[index], forTraining: forTraining,
        reusing: old?.layers[index], on: kernels)
    }
    return PackedNetwork(
      embedding: embedding.pack(
        parameters, layer: layers[0], packedLayers[0], rows: rows, symbolFactors: dropped?.symbolFactors,
        reusing: old?.embedding, on: kernels),
      layers: packedLayers,
      decoder: decoder.pack(parameters, forTraining: forTraining, reusing: old?.decoder, on: kernels),
      initialState: initialState?.pack(parameters, on: kernels))
  }
}

/// All weights of a network, ready for products; remade after each update.
struct PackedNetwork<Layer: RecurrentLayer>: Sendable {
  let embedding: SymbolEmbedding<Layer>.Weights
  let layers: [Layer.Weights]
  let decoder: SoftmaxDecoder<Layer.K>.Weights
  /// Of one lane; nil is the zero state.
  let initialState: [LayerState<Layer.K.Operand, Layer.K.Real>]?

  /// Sets a state to that from which streams begin.
  func begin(_ state: [LayerState<Layer.K.Operand, Layer.K.Real>]) {
    for (index, layer) in state.enumerated() {
      if let initialState { layer.fill(with: initialState[index]) } else { layer.clear() }
    }
  }
}
