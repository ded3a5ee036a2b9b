import LanguageModeling
import ModelFiles

/// Where a run writes.
///
/// A new model grows in its folder. One that replaces another grows in a folder beside it, and the two are exchanged
/// in one step once the new one has weights: a kill at any moment leaves the old model or the new one. Both folders are
/// locked while the run goes on.
package final class OutputFolder {
  package private(set) var folder: ModelFolder
  private let destination: ModelFolder
  private var locks: [FolderLock] = []

  private static let unfinishedSuffix = ".unfinished"
  static let trainingName = "training"
  static let metricsName = "training/metrics.jsonl"
  static let reportName = "training/report.html"
  static let rangeTestName = "training/learning-rate.csv"
  static let cardName = "README.md"

  /// Names that a run writes.
  private static let ownNames: Set = [
    "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "generation_config.json", cardName,
    trainingName,
  ]

  /// - Throws: ``FileError`` where the output cannot be created, is another run's, or would cost a model that was not
  ///   given up.
  package init(_ path: String, overwrites: Bool) throws {
    (folder, destination) = try Self.check(path, overwrites: overwrites)
    if folder.path != destination.path { locks.append(try FolderLock(destination.path)) }
    try Files.makeFolder(folder.path)
    locks.append(try FolderLock(folder.path))
    try Files.makeFolder(folder.file(Self.trainingName))
    try checkpoints.clear()
  }

  /// The folder of a run that is taken up again; nil where there is no checkpoint of one.
  ///
  /// - Throws: ``FileError`` where another run holds it.
  package init?(resuming path: String) throws {
    destination = ModelFolder(Files.resolved(path))
    guard let begun = Self.begun(destination) else { return nil }
    folder = begun
    if Files.kind(destination.path) == .folder { locks.append(try FolderLock(destination.path)) }
    if folder.path != destination.path { locks.append(try FolderLock(folder.path)) }
  }

  /// The newest checkpoint of the run whose output a path is.
  static func newestCheckpoint(of path: String) throws -> CheckpointFolder.Content? {
    try begun(ModelFolder(Files.resolved(path))).flatMap { try checkpoints(of: $0).newest() }
  }

  /// Where a run with checkpoints is: one that was to replace a model, and had none yet, is beside it.
  private static func begun(_ destination: ModelFolder) -> ModelFolder? {
    [ModelFolder(destination.path + unfinishedSuffix), destination].first { !checkpoints(of: $0).steps.isEmpty }
  }

  /// Where the run's checkpoints are.
  var checkpoints: CheckpointFolder { Self.checkpoints(of: folder) }

  private static func checkpoints(of folder: ModelFolder) -> CheckpointFolder {
    CheckpointFolder(training: folder.file(trainingName))
  }

  /// What can be said of an output before anything is written.
  ///
  /// - Returns: The folder to write into, and the one that it will be in the end.
  @discardableResult
  static func check(_ path: String, overwrites: Bool) throws -> (folder: ModelFolder, destination: ModelFolder) {
    let destination = ModelFolder(Files.resolved(path))
    let path = destination.path
    guard [.nothing, .folder].contains(Files.kind(path)) else {
      throw FileError(.cannotCreate, path, "exists and is not a folder; name another --output")
    }
    if !overwrites, let refusal = refusal(destination) { throw FileError(.cannotCreate, path, refusal) }
    guard destination.holdsModel else {
      try requireOwn(path)
      return (destination, destination)
    }
    guard !Files.isMountPoint(path) else {
      throw FileError(.cannotCreate, path, "is a mount point, which cannot be replaced; name a folder in it")
    }
    let folder = ModelFolder(path + unfinishedSuffix)
    try requireOwn(folder.path)
    return (folder, destination)
  }

  /// Why a folder is not written into without being told to.
  private static func refusal(_ destination: ModelFolder) -> String? {
    let checkpoints = checkpoints(of: destination)
    guard checkpoints.steps.isEmpty || checkpoints.end != nil else {
      return "holds a run that has not ended; go on with it by --resume, name another --output, or say --overwrite"
    }
    return destination.holdsModel || !checkpoints.steps.isEmpty
      ? "holds a model already; name another --output, or say --overwrite" : nil
  }

  /// A folder without a model is written into only where it is new, empty, or what an earlier run left unfinished.
  private static func requireOwn(_ path: String) throws {
    let names = Files.names(in: path)
    guard !names.isEmpty else { return }
    // A run makes its log first, in a folder of its own; a kill may fall between the two.
    let isBegun = names == [trainingName] && Files.names(in: Paths.join(path, trainingName)).isEmpty
    let isUnfinished = isBegun || Files.kind(Paths.join(path, metricsName)) == .file
    guard let foreign = isUnfinished ? names.first(where: { !isOwn($0) }) : names.first else { return }
    throw FileError(.cannotCreate, path, "is a folder with other things in it, such as \(foreign); name a new --output")
  }

  private static func isOwn(_ name: String) -> Bool {
    ownNames.contains(name) || (name.hasPrefix(".") && name.hasSuffix(".tmp"))
  }

  /// To be called when the folder holds a whole model: puts it in the place of the one it replaces.
  func publish() throws {
    guard folder.path != destination.path else { return }
    do { try Files.exchange(folder.path, destination.path) } catch {
      throw FileError(.inputOutput, destination.path, "\(error); the new model is in \(folder.path)")
    }
    let old = folder
    folder = destination
    // What the old folder held beside the model is not ours to lose.
    for name in Files.names(in: old.path) where !Self.isOwn(name) {
      try Files.move(old.file(name), to: folder.file(name))
    }
    let training = old.file(Self.trainingName)
    let own = [Self.metricsName, Self.reportName, Self.rangeTestName]
    for name in Files.names(in: training) where !own.contains("training/" + name) && !CheckpointFolder.isOwn(name) {
      try Files.move(Paths.join(training, name), to: folder.file(Paths.join(Self.trainingName, name)))
    }
    try Files.remove(old.path)
    try Files.flushFolder(Paths.parent(destination.path))
  }
}
