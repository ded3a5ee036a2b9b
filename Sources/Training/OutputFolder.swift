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
    guard destination.holdsModel else {
      try requireOwn(path)
      return (destination, destination)
    }
    guard overwrites else {
      throw FileError(.cannotCreate, path, "holds a model already; name another --output, or say --overwrite")
    }
    guard !Files.isMountPoint(path) else {
      throw FileError(.cannotCreate, path, "is a mount point, which cannot be replaced; name a folder in it")
    }
    let folder = ModelFolder(path + ".unfinished")
    try requireOwn(folder.path)
    return (folder, destination)
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
    for name in Files.names(in: training) where ![Self.metricsName, Self.reportName].contains("training/" + name) {
      try Files.move(Paths.join(training, name), to: folder.file(Paths.join(Self.trainingName, name)))
    }
    try Files.remove(old.path)
    try Files.flushFolder(Paths.parent(destination.path))
  }
}
