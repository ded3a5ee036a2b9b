import LanguageModeling
import ModelFiles
import Tokenization

/// A text with its recurrent state on disk: a safetensors file with `tokens` and `unread` (I32), `hidden.k` and `cell.k`
/// `[H]` of each layer (F32, or F64 in float64: exact in every precision), and metadata that say of which model they are,
/// with the SHA-256 of it all, since a changed bit of a state would be a state too.
public struct StateFile: Sendable, Equatable {
  /// Whose state it is: ``ModelFolder/fingerprint()``.
  public let model: String
  /// That the model ran in; another one has other states.
  public let precision: Precision
  /// Of the draws.
  public let seed: UInt64
  public let state: TextState

  private static let format = "unroll-state-1"

  /// The content of a file.
  public init(model: String, precision: Precision, seed: UInt64, state: TextState) {
    self.model = model
    self.precision = precision
    self.seed = seed
    self.state = state
  }

  // MARK: Writing

  /// - Throws: ``FileError`` that names the file.
  public func write(to path: String) throws {
    var entries = [
      Safetensors.Entry("tokens", Self.tensor(state.tokens)), .init("unread", Self.tensor(state.unread)),
    ]
    for (index, layer) in (state.recurrent?.layers ?? []).enumerated() {
      entries.append(.init("hidden.\(index)", tensor(layer.hidden)))
      if let cell = layer.cell { entries.append(.init("cell.\(index)", tensor(cell))) }
    }
    var metadata = [
      "format": Self.format, "model": model, "precision": precision.rawValue, "seed": "\(seed)",
      "draws": "\(state.draws)", "handed_in": "\(state.handedIn)",
      "layers": "\(state.recurrent?.layers.count ?? 0)",
      "rest": state.rest.map { String($0) }.joined(separator: " "),
    ]
    if let bound = state.mirostatBound { metadata["mirostat_bound"] = "\(bound)" }
    try Files.writeDurably(Self.sealed(entries, metadata).serialized(), to: path)
  }

  /// The content of a file with its digest.
  package static func sealed(_ entries: [Safetensors.Entry], _ metadata: [String: String]) -> Safetensors {
    Safetensors(entries, metadata: metadata.merging(["sha256": digest(entries, metadata)]) { $1 })
  }

  /// Of all but itself.
  private static func digest(_ entries: [Safetensors.Entry], _ metadata: [String: String]) -> String {
    let ordered = entries.sorted { $0.name < $1.name }
    return sha256(Safetensors(ordered, metadata: metadata.filter { $0.key != "sha256" }).serialized())
  }

  private func tensor(_ values: [Double]) -> StoredTensor {
    precision == .float64
      ? StoredTensor(values, shape: [values.count]) : StoredTensor(values.map { Float($0) }, shape: [values.count])
  }

  private static func tensor(_ tokens: [Int32]) -> StoredTensor {
    let bytes = tokens.flatMap { token in (0..<4).map { UInt8(truncatingIfNeeded: token >> (8 * $0)) } }
    return StoredTensor(type: .i32, shape: [tokens.count], bytes: bytes)
  }

  // MARK: Reading

  /// Reads a file that fits a model as it runs.
  ///
  /// - Throws: ``FileError`` for a file that is none, is damaged, or is of another model or precision.
  public init(
    reading path: String, model: String, _ configuration: ModelConfiguration, precision: Precision
  ) throws {
    func invalid(_ what: String) -> FileError { FileError(.invalid, path, what) }
    let bytes = try Files.read(path)
    let tensors: Safetensors
    do { tensors = try Safetensors(parsing: bytes) } catch {
      throw invalid("is no state file of unroll, or a damaged one: \(error)")
    }
    let metadata = tensors.metadata
    guard metadata["format"] == Self.format else {
      throw invalid("is no state file of unroll; name one that --save-state or /save wrote")
    }
    guard metadata["sha256"] == Self.digest(tensors.entries, metadata) else {
      throw invalid("is damaged: it is not what was written; use a copy of it, or begin the text again")
    }
    guard metadata["model"] == model else {
      throw invalid("is the state of another model, or of this one before it was trained on; use that model")
    }
    guard metadata["precision"] == precision.rawValue else {
      let other = metadata["precision"] ?? "another precision"
      throw invalid("was saved in \(other), and this is \(precision.rawValue); use --precision \(other)")
    }
    guard let seed = metadata["seed"].flatMap({ UInt64($0) }) else { throw invalid("is damaged: it has no seed") }
    self.init(
      model: model, precision: precision, seed: seed, state: try Self.state(tensors, configuration, invalid))
  }

  private static func state(
    _ tensors: Safetensors, _ configuration: ModelConfiguration, _ invalid: (String) -> FileError
  ) throws -> TextState {
    var state = TextState()
    func tokens(_ name: String) throws -> [Int32] {
      guard let tensor = tensors[name], tensor.type == .i32, tensor.shape.count == 1,
        tensor.doubles.allSatisfy({ $0 >= 0 && $0 < Double(configuration.vocabularySize) })
      else { throw invalid("is damaged: its \(name) are no symbols of the vocabulary") }
      return tensor.doubles.map { Int32($0) }
    }
    func number(_ name: String) throws -> Int {
      guard let number = tensors.metadata[name].flatMap({ Int($0) }), number >= 0 else {
        throw invalid("is damaged: its \(name) is no number")
      }
      return number
    }
    (state.tokens, state.unread) = (try tokens("tokens"), try tokens("unread"))
    (state.draws, state.handedIn) = (try number("draws"), try number("handed_in"))
    let rest = (tensors.metadata["rest"] ?? "").split(separator: " ")
    state.rest = rest.compactMap { UInt8($0) }
    if let bound = tensors.metadata["mirostat_bound"] {
      guard let value = Double(bound), value.isFinite else {
        throw invalid("is damaged: its mirostat_bound is no number")
      }
      state.mirostatBound = value
    }
    state.recurrent = try number("layers") == 0 ? nil : recurrent(tensors, configuration, invalid)
    let isWhole =
      state.handedIn <= min(state.tokens.count, state.unread.count) && state.rest.count == rest.count
      && (state.recurrent == nil || !state.unread.isEmpty)
    guard isWhole else { throw invalid("is damaged: its numbers do not fit each other") }
    return state
  }

  private static func recurrent(
    _ tensors: Safetensors, _ configuration: ModelConfiguration, _ invalid: (String) -> FileError
  ) throws -> ReaderState {
    let layers = (0..<configuration.layers).compactMap { index in
      tensors["hidden.\(index)"].map {
        ReaderState.Layer(hidden: $0.doubles, cell: tensors["cell.\(index)"]?.doubles)
      }
    }
    let state = ReaderState(layers: layers)
    guard state.fits(configuration) else { throw invalid("is damaged: its state has not the sizes of the model") }
    guard state.layers.allSatisfy({ ($0.hidden + ($0.cell ?? [])).allSatisfy(\.isFinite) }) else {
      throw invalid("is damaged: its state holds a number that is not finite")
    }
    return state
  }
}
