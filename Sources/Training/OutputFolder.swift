import LanguageModeling
import ModelFiles

/// Where a run writes.
///
/// A new model grows in its folder. One that replaces another grows in a folder beside it, and the two are exchanged
/// in one step once the new one has weights: a kill at any moment leaves the old model or the new one.
package final class OutputFolder {
  package private(set) var folder: ModelFolder
  private let destination: ModelFolder

  static let trainingName = "training"
  static let metricsName = "training/metrics.jsonl"
  static let cardName = "README.md"

  /// Names that a run writes.
  private static let ownNames: Set = [
    "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "generation_config.json", cardName,
    trainingName,
  ]

  /// - Throws: ``FileError`` where the output cannot be created, or would cost a model that was not given up.
  package init(_ path: String, overwrites: Bool) throws {
    destination = ModelFolder(path)
    let path = destination.path
    guard [.nothing, .folder].contains(Files.kind(path)) else {
      throw FileError(.cannotCreate, path, "exists and is not a folder; name another --output")
    }
    if destination.holdsModel {
      guard overwrites else {
        throw FileError(.cannotCreate, path, "holds a model already; name another --output, or say --overwrite")
      }
      folder = ModelFolder(path + ".unfinished")
      try Self.requireOwn(folder.path)
      try Files.remove(folder.path)
    } else {
      folder = destination
      try Self.requireOwn(path)
    }
    try Files.makeFolder(folder.file(Self.trainingName))
  }

  /// A folder without a model is written into only where it is new, empty, or what an earlier run left unfinished.
  private static func requireOwn(_ path: String) throws {
    guard let foreign = Files.names(in: path).first(where: { !isOwn($0) }) else { return }
    throw FileError(.cannotCreate, path, "is a folder with other things in it, such as \(foreign); name a new --output")
  }

  private static func isOwn(_ name: String) -> Bool {
    ownNames.contains(name) || (name.hasPrefix(".") && name.hasSuffix(".tmp"))
  }

  /// To be called when the folder holds a whole model: puts it in the place of the one it replaces.
  func publish() throws {
    guard folder.path != destination.path else { return }
    try Files.exchange(folder.path, destination.path)
    let old = folder.path
    folder = destination
    // What the old folder held beside the model is not ours to lose.
    for name in Files.names(in: old) where !Self.isOwn(name) {
      try Files.move(Paths.join(old, name), to: destination.file(name))
    }
    try Files.remove(old)
    try Files.flushFolder(Paths.parent(destination.path))
  }
}
