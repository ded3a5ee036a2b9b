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

  /// What a run remembers of its troubles goes through a checkpoint: here it is put into one, and found in the next.
  @Test func troublesAreRemembered() throws {
    try withTemporaryFolder { folder in
      var configuration = try configuration(folder)
      try change("\(folder)/model/training/checkpoint-20/state.json") { text in
        [
          ("\"burst_length\": 0", "\"burst_length\": 3"), ("\"good_in_a_row\": 20", "\"good_in_a_row\": 5"),
          ("\"is_in_trouble\": false", "\"is_in_trouble\": true"), ("\"plateaus\": 0", "\"plateaus\": 2"),
          ("\"has_rolled_back\": false", "\"has_rolled_back\": true"),
          ("\"went_back_to\": null", "\"went_back_to\": 8"), ("\"rate_scale\": 1.0", "\"rate_scale\": 0.5"),
        ].reduce(text) { $0.replacing($1.0, with: $1.1) }
      }
      let good = try JSON(parsing: Files.read("\(folder)/model/training/checkpoint-20/state.json"))["good"]?["step"]?
        .integer
      configuration.limit = .steps(21)
      var validated: [Int] = []
      _ = try Trainer.train(configuration, stop: StopRequest()) { event in
        if case .validation(let validation) = event { validated.append(validation.step) }
      }
      // Weights in trouble are not worth a validation; after a good step the run's end is.
      #expect(validated == [21])
      let state = try JSON(parsing: Files.read("\(folder)/model/training/checkpoint-21/state.json"))
      let progress = try #require(state["progress"])
      let stability = try #require(progress["stability"])
      #expect(stability["burst_length"]?.integer == 3 && stability["good_in_a_row"]?.integer == 6)
      #expect(stability["has_rolled_back"]?.bool == true && stability["is_in_trouble"]?.bool == false)
      for name in ["losses", "norms"] { #expect(stability[name]?["values"]?.array?.count == 21) }
      #expect(progress["went_back_to"]?.integer == 8 && progress["rate_scale"]?.double == 0.5)
      #expect(progress["plateau"]?["plateaus"]?.integer == 2)
      #expect(try #require(good) < 20 && state["good"]?["step"]?.integer == good)
    }
  }

  /// Another budget makes another plan of the speeds that were measured; one that is spent ends the run where it is.
  @Test func anotherBudget() throws {
    try withTemporaryFolder { folder in
      var configuration = try configuration(folder)
      (configuration.limit, configuration.overwrites, configuration.resumes) = (.budget(5), true, false)
      let training = "\(folder)/model/training"
      func train(to last: Int) throws -> TrainingEvent.End {
        let stop = StopRequest()
        return try Trainer.train(configuration, stop: stop) { event in
          if case .step(let step) = event, step.step >= last { stop.raise() }
        }
      }
      let first = try train(to: 10).steps
      let state = try JSONFields(JSON(parsing: Files.read("\(training)/checkpoint-\(first)/state.json")))
      let (seconds, plan) = (try state.finite("seconds"), try state.fields("plan"))
      (configuration.limit, configuration.resumes) = (.budget(1000), true)
      let second = try train(to: first + 5).steps
      let later = try JSONFields(JSON(parsing: Files.read("\(training)/checkpoint-\(second)/state.json"))).fields(
        "plan")
      let perValidation = try plan.finite("seconds_per_validation")
      let perStep = try plan.finite("seconds_per_step") + perValidation / 10
      let expected = Double(first) + ((1000 - seconds - perValidation) / perStep).rounded()
      #expect(try later.finite("budget_seconds") == 1000 && Double(later.count("steps")) == expected)
      configuration.limit = .budget(1e-3)
      let end = try train(to: .max)
      #expect(end.steps == second && end.reason == .budget)
    }
  }
}
