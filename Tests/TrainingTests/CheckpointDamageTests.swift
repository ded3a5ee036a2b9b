import LanguageModeling
import ModelFiles
import Recurrence
import TestSupport
import Testing
import Training

/// What a run that is taken up again finds damaged, missing or impossible: it says so before it changes anything.
@Suite struct CheckpointDamageTests: StoppedRuns {
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
    ("training/checkpoint-20/best.safetensors", "gone"), ("training/checkpoint-20/best.safetensors", "less"),
    ("training/checkpoint-20/state.safetensors", "half"),
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
      case "less":
        let tensors = Array(try Safetensors(parsing: bytes).entries.dropLast())
        try Files.writeDurably(Safetensors(tensors).serialized(), to: path)
      default: try Files.writeDurably(bytes.map { $0 == UInt8(ascii: ":") ? UInt8(ascii: ";") : $0 }, to: path)
      }
      let before = try contents("\(folder)/model")
      #expect(throws: FileError.self) { try resume(configuration) }
      #expect(try contents("\(folder)/model") == before)
    }
  }

  /// Steps that do not fit each other, or the folder's name.
  @Test(arguments: ["progress", "progress and now", "name"])
  func stepsThatDoNotFit(_ damage: String) throws {
    try withTemporaryFolder { folder in
      let configuration = try configuration(folder)
      let checkpoint = "\(folder)/model/training/checkpoint-"
      if damage == "name" {
        try Files.move("\(checkpoint)20", to: "\(checkpoint)21")
      } else {
        // The progress comes first, then what the next step begins from.
        let count = damage == "progress" ? 1 : 2
        try change("\(checkpoint)20/state.json") { text in
          text.replacing("\"step\": 20", with: "\"step\": 19", maxReplacements: count)
        }
      }
      let error = #expect(throws: FileError.self) { try resume(configuration) }
      #expect(error?.description.contains("its steps do not fit each other") == true)
    }
  }

  @Test func anotherVersion() throws {
    try withTemporaryFolder { folder in
      let configuration = try configuration(folder)
      try change("\(folder)/model/training/checkpoint-20/state.json") { text in
        text.replacing("\"unroll-checkpoint-1\"", with: "\"unroll-checkpoint-0\"")
      }
      let error = #expect(throws: FileError.self) { try resume(configuration) }
      #expect(error?.description.contains("is no checkpoint of this version of unroll") == true)
    }
  }

  /// Another vocabulary in the file of the same name.
  @Test func anotherVocabulary() throws {
    try withTemporaryFolder { folder in
      var configuration = try configuration(folder)
      let vocabulary = "\(folder)/tokenizer.json"
      try Files.writeDurably(Files.read("\(folder)/model/tokenizer.json"), to: vocabulary)
      (configuration.tokenizer, configuration.output) = (.file(vocabulary), "\(folder)/other")
      (configuration.limit, configuration.resumes) = (.steps(5), false)
      try resume(configuration)
      var bytes = configuration
      (bytes.tokenizer, bytes.output, bytes.limit) = (.byte, "\(folder)/bytes", .steps(1))
      try resume(bytes)
      try Files.writeDurably(Files.read("\(folder)/bytes/tokenizer.json"), to: vocabulary)
      (configuration.limit, configuration.resumes) = (.steps(10), true)
      let error = #expect(throws: TrainingError.self) { try resume(configuration) }
      #expect(error?.description.contains("the tokenizer has another vocabulary") == true)
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
}
