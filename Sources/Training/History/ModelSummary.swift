import LanguageModeling
import ModelFiles

/// What a model folder says of itself: its architecture, and its training where the log is there.
public struct ModelSummary: Sendable {
  public let path: String
  public let model: ModelConfiguration
  /// Nil where the folder has no log, as one that another program wrote.
  public let history: RunHistory?

  /// Reads a folder's configuration and log; no weights.
  ///
  /// - Throws: ``FileError`` that names the file.
  public init(_ path: String) throws {
    let folder = ModelFolder(path)
    self.path = folder.path
    model = try folder.readConfiguration()
    history = try RunHistory(ofModel: folder.path)
  }

  /// Training figures of the log's first line.
  public var corpusHash: String? { history?.start["corpus_sha256"]?.string }
  public var trainingTokens: Int? { history?.start["training_tokens"]?.integer }
  public var validationTokens: Int? { history?.start["validation_tokens"]?.integer }
  public var precision: String? { history?.start["precision"]?.string }
  public var seed: String? { history?.start["seed"]?.string }
  /// Updates made.
  public var steps: Int? { history?.end?.steps ?? history?.steps.last?.step }

  /// One object, for programs.
  public var json: JSON {
    let last = history?.validations.last
    return [
      "path": .string(path), "cell": .string(model.cell.rawValue), "layers": .integer(model.layers),
      "hidden_size": .integer(model.hiddenSize), "embedding_size": .integer(model.embeddingSize),
      "vocabulary_size": .integer(model.vocabularySize), "parameters": .integer(model.parameterCount),
      "tie_word_embeddings": .bool(model.tiesWeights), "corpus_sha256": JSON(corpusHash),
      "training_tokens": JSON(trainingTokens), "validation_tokens": JSON(validationTokens),
      "precision": JSON(precision), "seed": JSON(seed), "steps": JSON(steps), "seconds": JSON(history?.end?.seconds),
      "end_reason": JSON(history?.end?.reason), "training_loss": JSON(history?.steps.last?.loss),
      "best_validation_loss": JSON(history?.best?.loss), "best_step": JSON(history?.best?.step),
      "best_bits_per_character": JSON(history?.best?.bitsPerCharacter), "temperature": JSON(history?.best?.temperature),
      "last_validation_loss": JSON(last?.loss),
      "test_loss": JSON(history?.testLoss),
    ]
  }
}

extension JSON {
  fileprivate init(_ value: String?) { self = value.map { .string($0) } ?? .null }
  fileprivate init(_ value: Int?) { self = value.map { .integer($0) } ?? .null }
}
