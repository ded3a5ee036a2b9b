import Compute
import LanguageModeling
import ModelFiles

/// The checkpoints of a run: `training/checkpoint-STEP`, each a folder that is there whole or not at all.
///
/// `state.safetensors` has the tensors and `state.json` the rest; `best.safetensors` is the model that the folder had then,
/// another name of its file.
struct CheckpointFolder {
  /// The folder with the checkpoints in it.
  let training: String

  static let prefix = "checkpoint-"
  static let doneName = "DONE"
  private static let stateName = "state.json"
  private static let tensorsName = "state.safetensors"
  private static let bestName = "best.safetensors"

  /// The steps that have a checkpoint, in order.
  var steps: [Int] { Files.names(in: training).compactMap(Self.step).sorted() }

  /// Whether a name in the training folder is that of a checkpoint, or of what is left of one, or of the end's mark.
  static func isOwn(_ name: String) -> Bool {
    step(name) != nil || name == doneName || (name.hasPrefix("." + prefix) && name.hasSuffix(".tmp"))
  }

  private static func step(_ name: String) -> Int? { name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count)) : nil }

  private func path(_ step: Int) -> String { Paths.join(training, Self.prefix + "\(step)") }

  // MARK: Writing

  /// Writes a checkpoint; one of the same step is replaced.
  ///
  /// - Parameter best: The model file of the moment, where there is one.
  /// - Throws: ``FileError``; what was there before is then as it was.
  func write(step: Int, _ state: JSON, _ tensors: [Safetensors.Entry], best: String?) throws {
    let temporary = Paths.join(training, ".\(Self.prefix)\(step).tmp")
    try Files.remove(temporary)
    do {
      try Files.makeFolder(temporary)
      if let best { try Files.link(best, as: Paths.join(temporary, Self.bestName)) }
      try Files.writeDurably(Safetensors(tensors).serialized(), to: Paths.join(temporary, Self.tensorsName))
      try Files.writeDurably(Array((state.text(indented: true) + "\n").utf8), to: Paths.join(temporary, Self.stateName))
      try Files.remove(path(step))
      try Files.move(temporary, to: path(step))
      try Files.flushFolder(training)
    } catch {
      try? Files.remove(temporary)
      throw error
    }
  }

  /// Removes all but the last few checkpoints.
  func prune(keeping count: Int) throws {
    for step in steps.dropLast(count) { try Files.remove(path(step)) }
  }

  /// Removes everything of an earlier run.
  func clear() throws {
    for name in Files.names(in: training) where Self.isOwn(name) { try Files.remove(Paths.join(training, name)) }
  }

  /// Puts the model that a checkpoint knows into a file.
  ///
  /// - Throws: ``FileError`` where it lacks a tensor of the layout.
  func restoreBest(of step: Int, _ layout: ParameterLayout, to file: String) throws {
    let best = Paths.join(path(step), Self.bestName)
    do {
      let tensors = try Safetensors(parsing: Files.read(best, allowsPipes: false))
      for entry in layout.entries where tensors[entry.name]?.shape != entry.shape {
        throw CheckpointDamage("its \(Self.bestName) has no tensor \(entry.name) \(entry.shape)")
      }
    } catch { throw Self.damaged(path(step), error) }
    try Files.link(best, as: file)
  }

  // MARK: Reading

  /// What a checkpoint holds. Its tensors, most of it, are read when they are asked for.
  struct Content {
    let step: Int
    /// Its folder.
    let path: String
    let state: JSONFields

    /// - Throws: ``FileError``, ``SafetensorsError`` where they are damaged.
    func tensors() throws -> Safetensors {
      try Safetensors(parsing: Files.read(Paths.join(path, CheckpointFolder.tensorsName), allowsPipes: false))
    }
  }

  /// The newest checkpoint; nil where there is none.
  ///
  /// - Throws: ``FileError`` where its state is damaged.
  func newest() throws -> Content? {
    guard let step = steps.last else { return nil }
    let path = path(step)
    do {
      let state = try JSON(parsing: Files.read(Paths.join(path, Self.stateName), limit: 1 << 28, allowsPipes: false))
      return Content(step: step, path: path, state: JSONFields(state))
    } catch { throw Self.damaged(path, error) }
  }

  static func damaged(_ path: String, _ error: any Error) -> FileError {
    let isOnly = CheckpointFolder(training: Paths.parent(path)).steps.count < 2
    let advice = isOnly ? "there is no other: begin anew, with --overwrite" : "remove it to resume from an earlier one"
    return FileError(.invalid, path, "is a damaged checkpoint: \(error); \(advice)")
  }

  // MARK: The end

  /// How the run ended; nil where it has not.
  var end: TrainingEvent.End? {
    let path = Paths.join(training, Self.doneName)
    guard Files.kind(path) == .file, let bytes = try? Files.read(path, limit: 1 << 20, allowsPipes: false),
      let json = try? JSON(parsing: bytes)
    else { return nil }
    let fields = JSONFields(json)
    guard let reason = (try? fields.string("reason")).flatMap(TrainingEvent.EndReason.init),
      let steps = try? fields.count("steps"), let seconds = try? fields.finite("seconds")
    else { return nil }
    return .init(
      reason: reason, steps: steps, seconds: seconds, bestValidationLoss: try? fields.finite("best_validation_loss"))
  }

  /// Marks the run as done.
  func markEnd(_ end: TrainingEvent.End) throws {
    try Files.writeDurably(
      Array((TrainingEvent.end(end).json.text() + "\n").utf8), to: Paths.join(training, Self.doneName))
  }

  func unmarkEnd() throws { try Files.remove(Paths.join(training, Self.doneName)) }
}
