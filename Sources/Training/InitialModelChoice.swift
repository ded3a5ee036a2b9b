import Compute
import LanguageModeling
import ModelFiles
import Recurrence
import Tokenization

/// The model folder that a run begins with, and what was asked for beside it: that must be what the model has.
public struct InitialModelChoice: Sendable {
  /// The folder's absolute path, where it is there or was.
  public let path: String
  /// The cell and a plain RNN's nonlinearity; here and below, nil is whatever the model has.
  public var cell: RecurrentCell?
  public var nonlinearity: Nonlinearity?
  /// L, H and E.
  public var layers, hiddenSize, embeddingSize: Int?
  /// Whether tied weights were asked for, and a trained initial state.
  public var tiesWeights = false
  public var trainsInitialState = false
  public var tokenizer: TokenizerChoice?
  public var normalization: TextNormalization?
  /// How documents are cut; another cut than the model's is none other model.
  public var documents: DocumentCut?
  /// SHA-256 of the weights file.
  var hash: String?

  /// The model folder at a path.
  public init(_ path: String) {
    let isRelative = !path.hasPrefix("/") && Files.kind(path) == .nothing
    self.path = isRelative ? Paths.join(Files.resolved("."), path) : Files.resolved(path)
  }

  /// Makes a model's architecture a run's.
  ///
  /// - Throws: ``ConfigurationError`` where something else was asked for.
  func apply(
    _ model: ModelConfiguration, _ vocabulary: any Tokenizer, to run: inout TrainingConfiguration
  ) throws {
    try require(model)
    try require(vocabulary)
    run.cell = model.cell
    run.nonlinearity = model.nonlinearity
    run.layers = model.layers
    run.give(.hiddenSize, Double(model.hiddenSize))
    run.give(.embeddingSize, Double(model.embeddingSize))
    run.tiesWeights = model.tiesWeights
    run.trainsInitialState = model.trainsInitialState
    run.vocabulary.normalization = vocabulary.normalization
    run.documents = documents ?? model.documents?.cut ?? .stream
    guard model.documents == nil || (run.regularization.activation == 0 && run.regularization.temporalActivation == 0)
    else { throw ConfigurationError("ar and tar compare the steps of one stream; \(name) reads documents") }
  }

  /// Takes everything from a run's own folder: the one that it began with may be gone.
  ///
  /// - Throws: ``FileError`` that names the file, ``ConfigurationError`` where something else is asked for now.
  func restore(from folder: ModelFolder, _ point: ResumePoint, in run: inout TrainingConfiguration) throws {
    try apply(folder.readConfiguration(), TokenizerChoice.read(folder.path), to: &run)
    run.tokenizer = .file(folder.path)
    run.initialModel?.hash = point.initialHash
  }

  // MARK: What was asked for

  private var name: String { Paths.name(path) }

  private func refuse(_ has: String, _ asked: String, _ flag: String) -> ConfigurationError {
    ConfigurationError("\(name), which the run begins with, has \(has), not \(asked); leave out --\(flag)")
  }

  private func require(_ model: ModelConfiguration) throws {
    if let cell, cell != model.cell {
      throw refuse("the cell \(model.cellName)", Self.name(of: cell), cell == .layerNormLSTM ? "layer-norm" : "cell")
    }
    if let nonlinearity, nonlinearity != model.nonlinearity {
      throw refuse("the nonlinearity \(model.nonlinearity.rawValue)", nonlinearity.rawValue, "nonlinearity")
    }
    for (asked, value, flag) in [
      (layers, model.layers, "layers"), (hiddenSize, model.hiddenSize, "hidden-size"),
      (embeddingSize, model.embeddingSize, "embedding-size"),
    ] {
      if let asked, asked != value { throw refuse("--\(flag) \(value)", "\(asked)", flag) }
    }
    if tiesWeights && !model.tiesWeights { throw refuse("a decoder of its own", "tied weights", "tie-weights") }
    if trainsInitialState && !model.trainsInitialState {
      throw refuse("the zero state to begin from", "a trained one", "train-initial-state")
    }
    if let documents, (documents == .stream) != (model.documents == nil) {
      throw refuse(
        model.documents == nil ? "texts that are one stream" : "texts that are documents",
        documents == .stream ? "one stream" : "documents", "documents")
    }
  }

  private func require(_ vocabulary: any Tokenizer) throws {
    if let normalization, normalization != vocabulary.normalization {
      throw refuse("the normalization \(vocabulary.normalization)", "\(normalization)", "normalization")
    }
  }

  /// - Throws: ``ConfigurationError`` where another vocabulary was asked for than a model's.
  func requireVocabulary(_ vocabulary: any Tokenizer) throws {
    let isSame: Bool =
      switch tokenizer {
      case nil: true
      case .character: vocabulary is CharacterTokenizer
      case .grapheme: vocabulary is GraphemeTokenizer
      case .byte: vocabulary is ByteTokenizer
      case .bytePair, .unigram: false
      case .file(let path), .extended(let path):
        try TokenizerChoice.read(path).fingerprint == vocabulary.fingerprint
      }
    guard isSame else {
      throw refuse(
        "a vocabulary of \(vocabulary.vocabularySize) \(vocabulary.unitName)s", "another that is made or read",
        "tokenizer")
    }
  }

  private static func name(of cell: RecurrentCell) -> String {
    cell == .layerNormLSTM ? "lstm with layer norm" : cell.rawValue
  }
}
