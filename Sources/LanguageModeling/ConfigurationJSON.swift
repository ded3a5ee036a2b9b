import Compute
import ModelFiles
import Recurrence
import Tokenization

extension ModelConfiguration {
  static let modelType = "unroll"

  /// What `config.json` says.
  public var json: JSON {
    var members: [JSON.Member] = [
      .init("model_type", .string(Self.modelType)), .init("cell", .string(cell.rawValue)),
      .init("vocab_size", .integer(vocabularySize)), .init("embedding_size", .integer(embeddingSize)),
      .init("hidden_size", .integer(hiddenSize)), .init("num_layers", .integer(layers)),
      .init("tie_word_embeddings", .bool(tiesWeights)),
    ]
    if cell == .rnn { members.append(.init("nonlinearity", .string(nonlinearity.rawValue))) }
    if trainsInitialState { members.append(.init("trains_initial_state", true)) }
    if let documents { members += documents.members }
    return .object(members)
  }

  /// - Throws: ``ConfigurationError`` that names the key.
  init(json: JSON) throws {
    func integer(_ key: String) throws -> Int {
      guard let value = json[key]?.integer else { throw ConfigurationError("\(key) is missing or not a whole number") }
      return value
    }
    guard let name = json["cell"]?.string else {
      throw ConfigurationError("cell is missing: not the configuration of a recurrent model")
    }
    let cell: RecurrentCell = try Self.choice(name, of: "cell")
    let nonlinearity: Nonlinearity =
      try json["nonlinearity"].map {
        try Self.choice($0.string ?? $0.text(), of: "nonlinearity")
      } ?? .tanh
    try self.init(
      cell: cell, nonlinearity: cell == .rnn ? nonlinearity : .tanh, vocabularySize: integer("vocab_size"),
      embeddingSize: integer("embedding_size"), hiddenSize: integer("hidden_size"), layers: integer("num_layers"),
      tiesWeights: json["tie_word_embeddings"]?.bool ?? false,
      trainsInitialState: json["trains_initial_state"]?.bool ?? false,
      documents: DocumentSymbols(json: json))
  }

  private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: String, of key: String
  ) throws -> Choice {
    guard let choice = Choice(rawValue: name) else {
      let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw ConfigurationError("\(key) '\(name)' is not known; this version has \(known)")
    }
    return choice
  }
}

extension DocumentSymbols {
  /// What `config.json` says of documents.
  var members: [JSON.Member] {
    var members: [JSON.Member] = [
      .init("bos_token_id", .integer(Int(start))), .init("eos_token_id", .integer(Int(end))),
      .init("documents", .string(cut.name)),
    ]
    if case .separator(let text) = cut { members.append(.init("document_separator", .string(text))) }
    return members
  }

  /// What `tokenizer_config.json` says of them.
  func tokens(_ tokenizer: any Tokenizer) -> [JSON.Member] {
    [
      .init("bos_token", .string(tokenizer.text(of: start))), .init("eos_token", .string(tokenizer.text(of: end))),
    ]
  }

  /// What `generation_config.json` says of the end.
  var ending: [JSON.Member] { [.init("eos_token_id", .integer(Int(end)))] }

  /// Nil where the model knows no documents.
  ///
  /// - Throws: ``ConfigurationError`` that names the key.
  init?(json: JSON) throws {
    guard let name = json["documents"], !name.isNull else { return nil }
    func id(_ key: String) throws -> Int32 {
      guard let id = json[key]?.integer.flatMap({ Int32(exactly: $0) }) else {
        throw ConfigurationError("\(key) is missing or no id; a model of documents wants it")
      }
      return id
    }
    self.init(start: try id("bos_token_id"), end: try id("eos_token_id"), cut: try Self.cut(name.string, json))
  }

  private static func cut(_ name: String?, _ json: JSON) throws -> DocumentCut {
    switch name {
    case "file": return .file
    case "line": return .line
    case "separator":
      guard let text = json["document_separator"]?.string, !text.isEmpty else {
        throw ConfigurationError("document_separator is missing or empty")
      }
      return .separator(text)
    default: throw ConfigurationError("documents is not file, line or separator")
    }
  }
}
