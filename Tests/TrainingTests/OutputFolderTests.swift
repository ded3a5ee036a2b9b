import LanguageModeling
import ModelFiles
import TestSupport
import Testing
import Training

/// What a run takes for its own in a folder, and what it leaves alone.
@Suite struct OutputFolderTests {
  /// Makes a file of the text `mine`, and the folders above it.
  private func write(_ path: String) throws {
    try Files.makeFolder(Paths.parent(path))
    try Files.writeDurably(Array("mine".utf8), to: path)
  }

  /// A folder is one run's: a new one, one that is taken up again, and one whose model is to be replaced.
  @Test(arguments: ["new", "resumed", "replaced"])
  func aFolderIsOneRuns(_ kind: String) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/model"
      try Files.makeFolder("\(path)/training")
      switch kind {
      case "resumed": try write("\(path)/training/checkpoint-5/state.json")
      case "replaced": try write("\(path)/\(ModelFolder.weightsName)")
      default: break
      }
      func take() throws -> OutputFolder? {
        kind == "resumed" ? try OutputFolder(resuming: path) : try OutputFolder(path, overwrites: true)
      }
      do {
        let held = try #require(try take())
        withExtendedLifetime(held) {
          let error = #expect(throws: FileError.self) { _ = try take() }
          #expect(error?.description.contains("is writing here") == true, "\(error?.description ?? "no error")")
        }
      }
      #expect(try take() != nil)
    }
  }

  /// A new run begins without the checkpoints of the one before, whole or not, and without its end.
  @Test func anEarlierRunIsCleared() throws {
    try withTemporaryFolder { folder in
      let training = "\(folder)/model/training"
      for name in ["metrics.jsonl", "DONE", "checkpoint-5/state.json", ".checkpoint-7.tmp/state.json"] {
        try write("\(training)/\(name)")
      }
      _ = try OutputFolder("\(folder)/model", overwrites: true)
      #expect(Files.names(in: training) == ["metrics.jsonl"])
    }
  }

  /// Beside what a run left unfinished, too, other things are not touched.
  @Test func anUnfinishedRunWithOtherThings() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/model"
      try write("\(path)/training/metrics.jsonl")
      try write("\(path)/notes.txt")
      let error = #expect(throws: FileError.self) { _ = try OutputFolder(path, overwrites: true) }
      #expect(error?.description.contains("other things in it, such as notes.txt") == true)
      #expect(Files.names(in: path) == ["notes.txt", "training"])
    }
  }

  /// A new model takes the place of the old one; what else was in the folder stays there.
  @Test func whatIsNotTheModelsStays() throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(Array(String(repeating: "birds and boats\n", count: 100).utf8), to: "\(folder)/text")
      var configuration = TrainingConfiguration(corpus: ["\(folder)/text"], output: "\(folder)/model")
      (configuration.embeddingSize, configuration.hiddenSize, configuration.layers) = (4, 4, 1)
      (configuration.lanes, configuration.k1, configuration.limit) = (2, 10, .steps(3))
      _ = try Trainer.train(configuration, stop: StopRequest()) { _ in }
      let others = ["notes.txt", "drafts/one.txt", "training/notes.txt"]
      for name in others { try write("\(folder)/model/\(name)") }
      let before = try Files.read("\(folder)/model/\(ModelFolder.weightsName)")
      (configuration.overwrites, configuration.seed) = (true, 2)
      _ = try Trainer.train(configuration, stop: StopRequest()) { _ in }
      #expect(try Files.read("\(folder)/model/\(ModelFolder.weightsName)") != before)
      for name in others { #expect(try Files.read("\(folder)/model/\(name)") == Array("mine".utf8), "\(name)") }
      #expect(Files.names(in: folder) == ["model", "text"])
    }
  }
}
