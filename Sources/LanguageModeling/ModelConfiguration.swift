import Compute
import ModelFiles
import Recurrence
import Tokenization

/// The sizes of a recurrent language model: what `config.json` says of it.
public struct ModelConfiguration: Sendable, Equatable {
  /// The recurrent cell.
  public var cell: RecurrentCell
  /// Of a plain RNN; ``Nonlinearity/tanh`` in every other cell.
  public var nonlinearity: Nonlinearity
  /// V.
  public var vocabularySize: Int
  /// E.
  public var embeddingSize: Int
  /// H.
  public var hiddenSize: Int
  /// L.
  public var layers: Int
  /// Whether the decoder uses the embedding's matrix (Press & Wolf 2017); wants E = H.
  public var tiesWeights: Bool
  /// Whether streams begin from a trained state, not from zero.
  public var trainsInitialState: Bool
  /// The symbols around documents; nil where all text is one stream.
  public var documents: DocumentSymbols?

  /// What every size must stay under: far above any use, and small enough that no product of sizes overflows.
  public static let maximumVocabularySize = 2_000_000
  /// The largest embedding or hidden size.
  public static let maximumWidth = 65_536
  /// The largest number of layers.
  public static let maximumLayers = 64
  /// 16 GB of float32: more is a damaged file or a mistake.
  public static let maximumParameterCount = 4_000_000_000

  /// - Throws: ``ConfigurationError`` where a size is out of range, or the nonlinearity is not the cell's.
  public init(
    cell: RecurrentCell = .lstm, nonlinearity: Nonlinearity = .tanh, vocabularySize: Int, embeddingSize: Int,
    hiddenSize: Int, layers: Int, tiesWeights: Bool = false, trainsInitialState: Bool = false,
    documents: DocumentSymbols? = nil
  ) throws {
    self.cell = cell
    self.nonlinearity = nonlinearity
    self.vocabularySize = vocabularySize
    self.embeddingSize = embeddingSize
    self.hiddenSize = hiddenSize
    self.layers = layers
    self.tiesWeights = tiesWeights
    self.trainsInitialState = trainsInitialState
    self.documents = documents
    try validate()
  }

  // The limits keep products of sizes within Int.
  private func validate() throws {
    guard cell == .rnn || nonlinearity == .tanh else {
      throw ConfigurationError("nonlinearity \(nonlinearity.rawValue) is for cell rnn, not \(cell.rawValue)")
    }
    func check(_ value: Int, _ name: String, _ maximum: Int) throws {
      guard (1...maximum).contains(value) else {
        throw ConfigurationError("\(name) is \(value); it must be between 1 and \(maximum)")
      }
    }
    try check(vocabularySize, "vocab_size", Self.maximumVocabularySize)
    try check(embeddingSize, "embedding_size", Self.maximumWidth)
    try check(hiddenSize, "hidden_size", Self.maximumWidth)
    try check(layers, "num_layers", Self.maximumLayers)
    guard !tiesWeights || embeddingSize == hiddenSize else {
      throw ConfigurationError("tied weights want embedding_size = hidden_size, not \(embeddingSize) and \(hiddenSize)")
    }
    if let documents {
      let ids = 0..<Int32(vocabularySize)
      guard ids.contains(documents.start), ids.contains(documents.end), documents.start != documents.end else {
        throw ConfigurationError(
          "bos_token_id and eos_token_id are \(documents.start) and \(documents.end); they must be two ids of 0 ..< "
            + "\(vocabularySize)")
      }
    }
    guard parameterCount <= Self.maximumParameterCount else {
      throw ConfigurationError(
        "these sizes make \(parameterCount) parameters; the limit is \(Self.maximumParameterCount)")
    }
  }

  /// The cell in words: `lstm`, `gru`, `rnn (tanh)`, `lstm with layer norm`.
  public var cellName: String {
    switch cell {
    case .lstm, .gru: cell.rawValue
    case .rnn: "rnn (\(nonlinearity.rawValue))"
    case .layerNormLSTM: "lstm with layer norm"
    }
  }

  /// Parameters of a model of this configuration.
  public var parameterCount: Int {
    func count<Layer: RecurrentLayer>(_: Layer.Type) -> Int { Network<Layer>(self).layout.count }
    return count(layer(.float32))
  }
}

/// A model's sizes do not fit.
public struct ConfigurationError: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}
