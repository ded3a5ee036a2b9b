import Compute
import ModelFiles
import Recurrence
import Tokenization

/// A model folder as Hugging Face users expect it: `config.json`, `model.safetensors`, `tokenizer.json` and small
/// companions.
public struct ModelFolder: Sendable {
  /// The folder's path, without slashes at its end.
  public let path: String

  /// The model folder at a path, whether it is there or not.
  public init(_ path: String) { self.path = Paths.trimming(path) }

  /// The file that makes a folder a model.
  public static let weightsName = "model.safetensors"
  static let configurationName = "config.json"
  static let tokenizerName = "tokenizer.json"
  static let tokenizerConfigurationName = "tokenizer_config.json"
  static let generationName = "generation_config.json"

  /// The path of a file in the folder.
  public func file(_ name: String) -> String { Paths.join(path, name) }

  /// Whether the folder holds weights.
  public var holdsModel: Bool { Files.kind(file(Self.weightsName)) == .file }

  /// A hash of the weights and of what they mean: two folders that have it write the same text.
  ///
  /// - Throws: ``FileError`` that names the file.
  public func fingerprint() throws -> String {
    let configuration = try Files.read(file(Self.configurationName), limit: 1 << 28, allowsPipes: false)
    let tokenizer = try Files.read(file(Self.tokenizerName), limit: 1 << 28, allowsPipes: false)
    let weights = try Files.read(file(Self.weightsName), allowsPipes: false)
    return sha256(Array((sha256(weights) + sha256(configuration) + sha256(tokenizer)).utf8))
  }

  // MARK: Writing

  /// Writes what does not change while a model is trained. The start token is for texts without a prompt.
  public func writeDescription(
    _ configuration: ModelConfiguration, tokenizer: any Tokenizer, startToken: Int32
  ) throws {
    let tokenizerConfiguration: JSON = [
      "tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": false,
      "unk_token": tokenizer.unknownID.map { .string(tokenizer.text(of: $0)) } ?? nil,
    ]
    let generation: JSON = ["bos_token_id": .integer(Int(startToken)), "do_sample": true, "temperature": 0.8]
    let documents = configuration.documents
    for (name, text) in [
      (Self.configurationName, configuration.json.text(indented: true) + "\n"),
      (Self.tokenizerName, tokenizer.tokenizerJSON()),
      (
        Self.tokenizerConfigurationName,
        tokenizerConfiguration.adding(documents?.tokens(tokenizer) ?? []).text(indented: true) + "\n"
      ),
      (Self.generationName, generation.adding(documents?.ending ?? []).text(indented: true) + "\n"),
    ] {
      try Files.writeDurably(Array(text.utf8), to: file(name))
    }
  }

  /// Writes the weights as float32. The caller answers for their being finite.
  public func writeWeights<Real: KernelReal>(_ parameters: ParameterSet<Real>) throws {
    let entries = parameters.layout.slots.map { slot in
      let entry = parameters.layout[slot]
      return Safetensors.Entry(
        entry.name, StoredTensor(Real.floats(parameters[slot]), shape: entry.shape))
    }
    try Files.writeDurably(Safetensors(entries).serialized(), to: file(Self.weightsName))
  }

  // MARK: Reading

  /// A loaded folder.
  public struct Loaded: Sendable {
    /// The network with its weights.
    public let model: any LanguageModel
    /// The tokenizer of its vocabulary.
    public let tokenizer: any Tokenizer
    /// The token that starts a text without a prompt.
    public let startToken: Int32
  }

  /// Reads and checks everything in the folder.
  ///
  /// - Throws: ``FileError`` that names the file.
  public func load(precision: Precision) throws -> Loaded {
    guard Files.kind(path) == .folder else {
      let reason =
        Files.kind(path) == .nothing
        ? "no such model folder; check the path" : "is not a folder; --model wants the folder of a model"
      throw FileError(.missing, path, reason)
    }
    guard holdsModel else {
      throw FileError(.missing, path, "is not a model folder: it has no \(Self.weightsName)")
    }
    try precision.requireSupport()
    let configuration = try readConfiguration()
    if precision == .int8 { try configuration.requireBoundedStates() }
    let tokenizer = try readTokenizer()
    guard tokenizer.vocabularySize == configuration.vocabularySize else {
      throw FileError(
        .invalid, file(Self.tokenizerName),
        "has \(tokenizer.vocabularySize) symbols, but config.json says \(configuration.vocabularySize)")
    }
    if let documents = configuration.documents {
      guard DocumentSymbols(of: tokenizer, cut: documents.cut) == documents else {
        throw FileError(
          .invalid, file(Self.tokenizerName),
          "has not the special symbols <s> and </s> with the ids \(documents.start) and \(documents.end) of config.json"
        )
      }
    }
    let start = try configuration.documents?.start ?? readStartToken(tokenizer)
    let model = try assemble(configuration, configuration.layer(precision))
    return Loaded(model: model, tokenizer: tokenizer, startToken: start)
  }

  private func readJSON(_ name: String) throws -> JSON {
    let bytes = try Files.read(file(name), limit: 1 << 28, allowsPipes: false)
    do { return try JSON(parsing: bytes) } catch { throw FileError(.invalid, file(name), "is not JSON: \(error)") }
  }

  /// What `config.json` says.
  ///
  /// - Throws: ``FileError`` that names the file.
  public func readConfiguration() throws -> ModelConfiguration {
    let json = try readJSON(Self.configurationName)
    do { return try ModelConfiguration(json: json) } catch {
      throw FileError(.invalid, file(Self.configurationName), "\(error)")
    }
  }

  private func readTokenizer() throws -> any Tokenizer {
    let bytes = try Files.read(file(Self.tokenizerName), limit: 1 << 28, allowsPipes: false)
    do { return try TokenizerReader.read(bytes) } catch {
      throw FileError(.invalid, file(Self.tokenizerName), "\(error)")
    }
  }

  private func readStartToken(_ tokenizer: any Tokenizer) throws -> Int32 {
    let byDefault = tokenizer.id(of: "\n") ?? 0
    guard Files.kind(file(Self.generationName)) != .nothing else { return byDefault }
    guard let start = try readJSON(Self.generationName)["bos_token_id"], !start.isNull else { return byDefault }
    guard let id = start.integer, (0..<tokenizer.vocabularySize).contains(id) else {
      throw FileError(.invalid, file(Self.generationName), "its bos_token_id is not an id of the vocabulary")
    }
    return Int32(id)
  }

  private func readWeights(_ configuration: ModelConfiguration) throws -> Safetensors {
    // Eight bytes for each parameter, and a generous header.
    let bytes = try Files.read(
      file(Self.weightsName), limit: 8 * configuration.parameterCount + (1 << 20), allowsPipes: false)
    do { return try Safetensors(parsing: bytes) } catch {
      throw FileError(.invalid, file(Self.weightsName), "\(error)")
    }
  }

  private func assemble<Layer: RecurrentLayer>(
    _ configuration: ModelConfiguration, _: Layer.Type
  ) throws -> any LanguageModel {
    let network = Network<Layer>(configuration)
    return RecurrentLanguageModel(network: network, parameters: try readParameters(of: network))
  }

  /// Reads and checks the weights of a network that has the configuration of `config.json`.
  ///
  /// - Throws: ``FileError`` that names the file.
  package func readParameters<Layer: RecurrentLayer>(
    of network: Network<Layer>
  ) throws -> ParameterSet<Layer.K.Real> {
    let weights = try readWeights(network.configuration)
    func invalid(_ what: String) -> FileError { FileError(.invalid, file(Self.weightsName), what) }
    // Everything is checked before memory is taken: a damaged config.json may claim any size.
    let tensors = try network.layout.entries.map { entry in
      guard let tensor = weights[entry.name] else { throw invalid("has no tensor \(entry.name)") }
      guard tensor.shape == entry.shape else {
        throw invalid("tensor \(entry.name) has shape \(tensor.shape); config.json wants \(entry.shape)")
      }
      guard ![.i32, .i64].contains(tensor.type) else {
        throw invalid("tensor \(entry.name) is of type \(tensor.type.rawValue); weights are floating-point numbers")
      }
      return tensor
    }
    let known = Set(network.layout.entries.map(\.name))
    if let foreign = weights.entries.first(where: { !known.contains($0.name) }) {
      throw invalid("has a tensor \(foreign.name) that no part of this model uses")
    }
    var parameters = ParameterSet<Layer.K.Real>(network.layout)
    for (slot, tensor) in zip(network.layout.slots, tensors) {
      let rows = parameters.writable(slot)
      Layer.K.Real.copy(tensor.doubles, to: rows)
      guard Layer.K.Real.doubles(rows).allSatisfy(\.isFinite) else {
        throw invalid("tensor \(network.layout[slot].name) holds a number that is not finite")
      }
    }
    return parameters
  }
}
