import ArgumentParser
import LanguageModeling
import Sampling

/// `--save-state` and `--load-state`.
struct StateOptions: ParsableArguments {
  @Option(
    help: """
      Go on with the text of a state file, from the recurrent state in it: --prompt is then read after it, and the draws \
      go on where they were, with their seed.
      """)
  var loadState: String?

  @Option(help: "Keep the text and the recurrent state in a file when it is written, to go on from later.")
  var saveState: String?

  func validate() throws {
    if let loadState { try requirePath(loadState, "--load-state") }
    if let saveState { try requirePath(saveState, "--save-state") }
  }

  var isUsed: Bool { loadState != nil || saveState != nil }
}

/// A session with what its state files say of the model.
struct KeptSession {
  let session: Session
  let precision: Precision
  private let folder: ModelFolder
  private let threads: Int

  /// Loads a model, and the text of a state file where one is given.
  ///
  /// - Parameter seed: nil takes the state file's, or a new one, which is named on standard error.
  init(
    _ folder: ModelFolder, state path: String?, _ settings: GenerationSettings, seed: UInt64?, _ compute: ComputeOptions
  )
    throws
  {
    let precision = compute.precision.precision(automatic: .fastest)
    let loaded = try folder.load(precision: precision)
    _ = try ProcessorChain(settings.sampling, tokenizer: loaded.tokenizer)  // or its error before anything is said
    let file = try path.map { try Self.read($0, folder, loaded, precision) }
    let chosen = seed ?? file?.seed ?? UInt64(UInt32.random(in: 0...UInt32.max))
    if seed == nil && file == nil && settings.sampling.temperature > 0 { Terminal.complain("seed \(chosen)") }
    session = Session(
      model: loaded.model, tokenizer: loaded.tokenizer, start: loaded.startToken, settings: settings, seed: chosen,
      threads: compute.threadCount, state: file?.state)
    if let file, let seed, seed != file.seed { session.seed = seed }
    self.precision = precision
    self.folder = folder
    threads = compute.threadCount
  }

  private static func read(
    _ path: String, _ folder: ModelFolder, _ loaded: ModelFolder.Loaded, _ precision: Precision
  ) throws -> StateFile {
    try StateFile(
      reading: path, model: folder.fingerprint(), loaded.model.configuration, precision: precision)
  }

  /// - Throws: `FileError`.
  func save(to path: String) throws {
    try StateFile(
      model: folder.fingerprint(), precision: precision, seed: session.seed, state: session.state
    ).write(to: path)
  }

  /// Goes on with the text of a state file, and its seed.
  ///
  /// - Throws: `FileError`.
  func load(_ path: String) throws {
    let file = try StateFile(
      reading: path, model: folder.fingerprint(), session.model.configuration, precision: precision)
    session.seed = file.seed
    session.replace(by: file.state)
  }
}
