import Compute
import LanguageModeling
import ModelFiles
import Recurrence
import Tokenization

/// The model that a run begins with, read and checked: fine-tuning goes on with its weights, in its architecture.
struct InitialModel {
  private let choice: InitialModelChoice
  private let folder: ModelFolder
  private let configuration: ModelConfiguration
  private let tokenizer: any Tokenizer

  /// Reads the model that a configuration names, where it names one, and makes its architecture and vocabulary the
  /// configuration's.
  ///
  /// - Throws: ``FileError`` that names the file, ``ConfigurationError`` where something else was asked for.
  static func take(_ configuration: inout TrainingConfiguration) throws -> InitialModel? {
    guard let choice = configuration.initialModel else { return nil }
    guard configuration.source == nil else {
      throw ConfigurationError("a source has a vocabulary of its own; a model to begin with wants a text")
    }
    let model = try InitialModel(choice)
    try choice.requireVocabulary(model.tokenizer)
    try choice.apply(model.configuration, model.tokenizer, to: &configuration)
    configuration.tokenizer = .extended(choice.path)
    configuration.initialModel?.hash = try sha256(Files.read(model.folder.file(ModelFolder.weightsName)))
    return model
  }

  private init(_ choice: InitialModelChoice) throws {
    self.choice = choice
    folder = ModelFolder(choice.path)
    guard [.folder, .nothing].contains(Files.kind(choice.path)) else {
      throw FileError(.missing, choice.path, "is not a folder; --init-from wants the folder of a model")
    }
    tokenizer = try folder.load(precision: .float32).tokenizer
    configuration = try folder.readConfiguration()
  }

  /// What a person should know of the beginning: whose weights, and which symbols are new or unknown to them.
  func notes(on corpus: EncodedCorpus) -> [String] {
    var notes = ["begins with the weights of \(choice.path)"]
    let new = tokenizer.vocabularySize..<corpus.tokenizer.vocabularySize
    if !new.isEmpty {
      let named = new.prefix(20).map { name(of: corpus.tokenizer.text(of: Int32($0))) }.joined(separator: ", ")
      let more = new.count > 20 ? " and \(new.count - 20) more" : ""
      notes.append("\(new.count) new character\(new.count == 1 ? "" : "s"): \(named)\(more); their rows are fresh")
    }
    let unknown = corpus.training.unknown
    // A stream whose vocabulary has no <unk> has a note of its own.
    if !unknown.isEmpty, tokenizer.unknownID != nil || corpus.documents != nil {
      let count = unknown.reduce(0) { $0 + $1.count }
      let fate = tokenizer.unknownID == nil ? "left out" : "read as <unk>"
      let named = unknown.names
      notes.append("the training part has \(count) characters that the vocabulary lacks, which are \(fate): \(named)")
    }
    return notes
  }

  private func name(of text: String) -> String {
    text.unicodeScalars.first.map { UnknownSymbol(symbol: $0, count: 1, firstPosition: 0).name } ?? text
  }

  /// The weights to begin with: the model's, and behind its rows of the embedding and the decoder those that a fresh
  /// network has for new symbols.
  ///
  /// - Throws: ``FileError`` that names the file.
  func parameters<Layer: RecurrentLayer>(
    of network: Network<Layer>, _ run: TrainingConfiguration
  ) throws -> ParameterSet<Layer.K.Real> {
    typealias Real = Layer.K.Real
    let old = try folder.readParameters(of: Network<Layer>(configuration))
    guard network.layout != old.layout else { return old }
    var parameters = network.initialParameters(seed: run.seed, forgetBias: run.forgetBias)
    precondition(
      parameters.layout.entries.map(\.name) == old.layout.entries.map(\.name), "the two models have other tensors")
    for (slot, oldSlot) in zip(network.layout.slots, old.layout.slots) {
      var values = Real.doubles(parameters[slot])
      let kept = Real.doubles(old[oldSlot])
      values.replaceSubrange(0..<kept.count, with: kept)
      Real.copy(values, to: parameters.writable(slot))
    }
    return parameters
  }
}
