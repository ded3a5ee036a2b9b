import LanguageModeling
import ModelFiles
import Recurrence
import TestSupport
import Testing
import Training

/// What a run that is taken up again finds damaged, missing or impossible: it says so before it changes anything.
@Suite struct CheckpointDamageTests {
  /// A run of 40 steps that was stopped after 20 of them, or at its end; checkpoints at 8, 16 and where it ended.
  private func configuration(_ folder: String, isStopped: Bool = true) throws -> TrainingConfiguration {
    let text = (0..<300).map { "\($0 * 37 % 101) birds and \($0 * $0 % 17) boats\n" }.joined()
    try Files.writeDurably(Array(text.utf8), to: "\(folder)/text")
    var configuration = TrainingConfiguration(corpus: ["\(folder)/text"], output: "\(folder)/model")
    (configuration.embeddingSize, configuration.hiddenSize, configuration.layers) = (6, 8, 1)
    (configuration.lanes, configuration.k1, configuration.limit) = (4, 15, .steps(40))
    (configuration.validateEvery, configuration.sampleEvery, configuration.logEvery) = (10, 0, 5)
    (configuration.checkpointEvery, configuration.keptCheckpoints) = (.steps(8), 10)
    configuration.average = .exponential(decay: 0.5)
    let stop = StopRequest()
    _ = try Trainer.train(configuration, stop: stop) { event in
      if case .step(let step) = event, isStopped, step.step >= 20 { stop.raise() }
    }
    configuration.resumes = true
    return configuration
  }

  private func resume(_ configuration: TrainingConfiguration) throws {
    _ = try Trainer.train(configuration, stop: StopRequest()) { _ in }
  }

  private func change(_ path: String, _ change: (String) -> String) throws {
    try Files.writeDurably(Array(change(String(decoding: Files.read(path), as: UTF8.self)).utf8), to: path)
  }

  /// Everything in a folder, by its path.
  private func contents(_ folder: String) throws -> [String: [UInt8]] {
    try Files.names(in: folder).reduce(into: [:]) { found, name in
      let path = "\(folder)/\(name)"
      if Files.kind(path) == .folder {
        found.merge(try contents(path)) { $1 }
      } else {
        found[path] = try Files.read(path)
      }
    }
  }

  /// Numbers of `state.json` that cannot be, with which a run would trap or never end.
  @Test(arguments: [
    ("learning_rate", "0"), ("learning_rate", "-1e308"), ("learning_rate", "1e999"), ("tokens", "9223372036854775807"),
    ("validations", "9223372036854775807"), ("updates", "9223372036854775807"), ("clipped", "-1"), ("waited", "1.5"),
    ("metrics_bytes", "0"), ("metrics_bytes", "100"), ("metrics_bytes", "999999"),
  ])
  func impossibleNumbers(_ key: String, _ number: String) throws {
    try withTemporaryFolder { folder in
      let configuration = try configuration(folder)
      let state = "\(folder)/model/training/checkpoint-20/state.json"
      try change(state) { text in
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
          guard let colon = line.firstRange(of: "\"\(key)\": ") else { return String(line) }
          return line[..<colon.upperBound] + number + (line.hasSuffix(",") ? "," : "")
        }.joined(separator: "\n")
      }
      let before = try contents("\(folder)/model")
      #expect(throws: FileError.self) { try resume(configuration) }
      #expect(try contents("\(folder)/model") == before)
    }
  }

  /// Files that are damaged or gone: an error, and what is whole stays as it is.
  @Test(arguments: [
    ("training/metrics.jsonl", "nothing"), ("training/metrics.jsonl", "other"), ("training/metrics.jsonl", "gone"),
    ("training/checkpoint-20/best.safetensors", "half"), ("training/checkpoint-20/best.safetensors", "nothing"),
    ("training/checkpoint-20/best.safetensors", "gone"), ("training/checkpoint-20/state.safetensors", "half"),
    ("training/checkpoint-20/state.safetensors", "gone"), ("training/checkpoint-20/state.json", "gone"),
  ])
  func damagedFiles(_ name: String, _ damage: String) throws {
    try withTemporaryFolder { folder in
      let configuration = try configuration(folder)
      let path = "\(folder)/model/\(name)"
      let bytes = try Files.read(path)
      // Not in place: the best model is another name of the one in the folder.
      try Files.remove(path)
      switch damage {
      case "gone": break
      case "nothing": try Files.writeDurably([], to: path)
      case "half": try Files.writeDurably(Array(bytes.prefix(bytes.count / 2)), to: path)
      default: try Files.writeDurably(bytes.map { $0 == UInt8(ascii: ":") ? UInt8(ascii: ";") : $0 }, to: path)
      }
      let before = try contents("\(folder)/model")
      #expect(throws: FileError.self) { try resume(configuration) }
      #expect(try contents("\(folder)/model") == before)
    }
  }

  /// A damaged checkpoint that is removed makes way for the one before; the last one has none.
  @Test func theCheckpointBefore() throws {
    try withTemporaryFolder { folder in
      let configuration = try configuration(folder)
      let training = "\(folder)/model/training"
      let steps = [20, 16, 8]
      #expect(Set(Files.names(in: training)).isSuperset(of: steps.map { "checkpoint-\($0)" }))
      for step in steps {
        try Files.writeDurably([], to: "\(training)/checkpoint-\(step)/state.json")
        let error = #expect(throws: FileError.self) { try resume(configuration) }
        let advice = step == 8 ? "there is no other: begin anew" : "remove it to resume from an earlier one"
        #expect(error?.description.contains("checkpoint-\(step): is a damaged checkpoint: ") == true)
        #expect(error?.description.contains(advice) == true, "\(error?.description ?? "no error")")
        try Files.remove("\(training)/checkpoint-\(step)")
      }
    }
  }

  /// What describes the model is written again, to the byte.
  @Test(arguments: ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"])
  func descriptionsAreWrittenAgain(_ name: String) throws {
    try withTemporaryFolder { folder in
      let configuration = try configuration(folder)
      let path = "\(folder)/model/\(name)"
      let before = try Files.read(path)
      try Files.writeDurably(Array("{".utf8), to: path)
      try resume(configuration)
      #expect(try Files.read(path) == before)
    }
  }

  /// A run whose end is marked but whose model is gone ends once more, with the same model.
  @Test func aFinishedRunWithoutItsModel() throws {
    try withTemporaryFolder { folder in
      let configuration = try configuration(folder, isStopped: false)
      let path = "\(folder)/model/model.safetensors"
      let before = try Files.read(path)
      try Files.remove(path)
      try resume(configuration)
      #expect(try Files.read(path) == before)
    }
  }

  /// What a run chose by itself is checked like what it is told.
  @Test(
    arguments: [
      (.lanes, "0"), (.lanes, "2.5"), (.hiddenSize, "0"), (.hiddenSize, "1e9"), (.embeddingSize, "-4"),
      (.dropoutHidden, "1"), (.weightDrop, "nan"), (.averageDecay, "1.0"), (.dropoutInput, "much"),
    ] as [(Recipe.Choice, String)])
  func impossibleChoices(_ choice: Recipe.Choice, _ value: String) throws {
    try withTemporaryFolder { folder in
      var configuration = try configuration(folder)
      configuration.automatic = [choice]
      let pattern = try Regex("\"\(choice.rawValue)\": \"[^\"]*\"")
      try change("\(folder)/model/training/checkpoint-20/state.json") { text in
        text.replacing(pattern, with: "\"\(choice.rawValue)\": \"\(value)\"")
      }
      let error = #expect(throws: FileError.self) { try resume(configuration) }
      #expect(error?.description.contains("it has no \(choice.rawValue)") == true, "\(error?.description ?? "none")")
    }
  }

  /// Checkpoints are pruned to the last few, whatever their number.
  @Test(arguments: [1, 2, 4])
  func keepsSoMany(_ count: Int) throws {
    try withTemporaryFolder { folder in
      var configuration = try configuration(folder)
      (configuration.keptCheckpoints, configuration.checkpointEvery) = (count, .steps(3))
      try resume(configuration)
      let kept = Files.names(in: "\(folder)/model/training").filter { $0.hasPrefix("checkpoint-") }
      #expect(Set(kept) == Set([40, 39, 36, 33].prefix(count).map { "checkpoint-\($0)" }))
    }
  }
}
