import LanguageModeling
import ModelFiles
import Recurrence
import TestSupport
import Testing
import Training

/// What goes through a checkpoint beside weights and moments: what a run remembers, and its plan.
@Suite struct CheckpointContentTests: StoppedRuns {
  /// The mark of the end goes when a run goes on beyond it.
  @Test func theEndIsUnmarked() throws {
    try withTemporaryFolder { folder in
      var configuration = try configuration(folder, isStopped: false)
      configuration.limit = .steps(60)
      #expect(try resume(configuration, to: 45).reason == .signal)
      #expect(Files.kind("\(folder)/model/training/DONE") == .nothing)
      let end = try resume(configuration)
      #expect(!end.wasOver && end.steps == 60)
    }
  }

  /// The time that had gone counts, and the command that began the run stays its command.
  @Test func whatWasBeforeCounts() throws {
    try withTemporaryFolder { folder in
      var configuration = try configuration(folder) { $0.command = "unroll train text" }
      try change("\(folder)/model/training/checkpoint-20/state.json") { text in
        text.replacing(#/"seconds": [^,]*,/#, with: "\"seconds\": 5000.0,", maxReplacements: 1)
      }
      configuration.command = "unroll train --resume"
      #expect(try resume(configuration).seconds > 5000)
      let state = try state(folder, 40)
      #expect(try #require(state["seconds"]?.double) > 5000 && state["command"]?.string == "unroll train text")
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
          ("\"waited\": 0", "\"waited\": 1"),
          ("\"has_rolled_back\": false", "\"has_rolled_back\": true"),
          ("\"went_back_to\": null", "\"went_back_to\": 8"), ("\"rate_scale\": 1.0", "\"rate_scale\": 0.5"),
        ].reduce(text) { $0.replacing($1.0, with: $1.1) }
      }
      let before = try state(folder, 20)
      let good = try #require(before["good"]?["step"]?.integer)
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
      let plateau = try #require(progress["plateau"])
      #expect(plateau["plateaus"]?.integer == 2 && plateau["waited"]?.integer == 1)
      #expect(plateau["best"]?.double != nil && plateau.text() == before["progress"]?["plateau"]?.text())
      #expect(good < 20 && state["good"]?["step"]?.integer == good)
    }
  }

  /// Nine bad steps before a checkpoint and one behind it are ten. Where all of them were bad for a long gradient, that is
  /// a new level; else the run goes back to the checkpoint's good weights, unless it has gone back before.
  @Test(arguments: ["a new level", "goes back", "gives up"])
  func badStepsGoOn(_ outcome: String) throws {
    try withTemporaryFolder { folder in
      let configuration = try configuration(folder) { $0.limit = .steps(60) }
      let last = try resume(configuration, to: 40).steps
      let checkpoint = "\(folder)/model/training/checkpoint-\(last)"
      let good = try #require(try state(folder, last)["good"]?["step"]?.integer)
      try change("\(checkpoint)/state.json") { text in
        [
          ("\"bad_in_a_row\": 0", "\"bad_in_a_row\": 9"), ("\"burst_length\": 0", "\"burst_length\": 9"),
          ("\"is_in_trouble\": false", "\"is_in_trouble\": true"),
          ("\"only_long_gradients\": true", "\"only_long_gradients\": \(outcome == "a new level")"),
          ("\"has_rolled_back\": false", "\"has_rolled_back\": \(outcome == "gives up")"),
        ].reduce(text) { $0.replacing($1.0, with: $1.1) }
      }
      // Nothing comes out of the cells, so every guess is an even one, but what goes back to them is large.
      let tensors = try Safetensors(parsing: Files.read("\(checkpoint)/state.safetensors")).entries.map { entry in
        let isChanged = ["weights.", "carried."].contains(where: entry.name.hasPrefix)
        guard isChanged, entry.tensor.type == .f32 else { return entry }
        let isDecoder = entry.name == "weights.decoder.weight"
        let values = (0..<entry.tensor.count).map { isDecoder ? Float($0 % 7 * 1000) : 0 }
        return Safetensors.Entry(entry.name, StoredTensor(values, shape: entry.tensor.shape))
      }
      try Files.writeDurably(Safetensors(tensors).serialized(), to: "\(checkpoint)/state.safetensors")
      var (skipped, rollbacks): ([TrainingEvent.Skipped], [TrainingEvent.Rollback]) = ([], [])
      func train() throws {
        _ = try Trainer.train(configuration, stop: StopRequest()) { event in
          if case .skipped(let step) = event { skipped.append(step) }
          if case .rollback(let rollback) = event { rollbacks.append(rollback) }
        }
      }
      if outcome == "gives up" { #expect(throws: TrainingError.self) { try train() } } else { try train() }
      #expect(skipped.first?.step == last + 1 && skipped.first?.reason == .gradientOutlying)
      let rollback = rollbacks.first { $0.step == last + 1 }
      #expect(rollback?.toStep == (outcome == "goes back" ? good : nil))
      #expect(rollback?.learningRate ?? 0.0015 == configuration.learningRate / 2)
    }
  }

  /// Validations of before decide when an average is triggered.
  @Test func lossesOfBeforeTrigger() throws {
    try withTemporaryFolder { folder in
      let configuration = try configuration(folder) { $0.average = .triggered(interval: 1) }
      try change("\(folder)/model/training/checkpoint-20/state.json") { text in
        text.replacing(#/"losses": \[[^\]]*\]/#, with: "\"losses\": [0.01, 0.02]")
      }
      var begins: [Int] = []
      _ = try Trainer.train(configuration, stop: StopRequest()) { event in
        if case .averaging(let step) = event { begins.append(step) }
      }
      #expect(begins == [20])
    }
  }

  /// Whether a stream begins goes through a checkpoint: the trained initial state has a part in its first window.
  @Test func aStreamThatBegins() throws {
    try withTemporaryFolder { folder in
      let weights = try ["false", "true"].map { begins in
        let part = "\(folder)/\(begins)"
        try Files.makeFolder(part)
        let configuration = try configuration(part) { $0.trainsInitialState = true }
        try change("\(part)/model/training/checkpoint-20/state.json") { text in
          text.replacing("\"begins_stream\": false", with: "\"begins_stream\": \(begins)")
        }
        try resume(configuration)
        return try Files.read("\(part)/model/training/checkpoint-40/state.safetensors")
      }
      #expect(weights[0] != weights[1])
    }
  }

  /// A checkpoint that cannot be written is told of once and tried again; it is an error where that is so to the end.
  @Test(arguments: [20, 40])
  func checkpointsThatCannotBeWritten(_ last: Int) throws {
    try withTemporaryFolder { folder in
      var configuration = try configuration(folder)
      (configuration.output, configuration.resumes, configuration.logEvery) = ("\(folder)/other", false, 1)
      // Without the model that is to go into it, there is no checkpoint.
      let model = "\(folder)/other/model.safetensors"
      var troubles: [String?] = []
      func train() throws {
        _ = try Trainer.train(configuration, stop: StopRequest()) { event in
          if case .step(let step) = event, step.step <= last { try? Files.remove(model) }
          if case .trouble(let words) = event { troubles.append(words) }
        }
      }
      if last == 20 {
        try train()
        #expect(troubles.count == 2 && troubles[0]?.contains("model.safetensors") == true && troubles[1] == nil)
      } else {
        let error = #expect(throws: FileError.self) { try train() }
        let words = "the model is saved, but the last checkpoint is that of step 8"
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "no error")")
        #expect(troubles.count == 1)
      }
    }
  }

  /// Another budget makes another plan of the speeds that were measured; one that is spent ends the run where it is.
  @Test func anotherBudget() throws {
    try withTemporaryFolder { folder in
      var configuration = try configuration(folder)
      (configuration.limit, configuration.overwrites, configuration.resumes) = (.budget(5), true, false)
      let first = try resume(configuration, to: 10).steps
      let before = JSONFields(try state(folder, first))
      let (seconds, plan) = (try before.finite("seconds"), try before.fields("plan"))
      (configuration.limit, configuration.resumes) = (.budget(1000), true)
      let second = try resume(configuration, to: first + 5).steps
      let later = try JSONFields(state(folder, second)).fields("plan")
      let perValidation = try plan.finite("seconds_per_validation")
      let perStep = try plan.finite("seconds_per_step") + perValidation / 10
      let expected = Double(first) + ((1000 - seconds - perValidation) / perStep).rounded()
      #expect(try later.finite("budget_seconds") == 1000 && Double(later.count("steps")) == expected)
      configuration.limit = .budget(1e-3)
      let end = try resume(configuration)
      #expect(end.steps == second && end.reason == .budget)
    }
  }

  /// Another bound on the epochs makes another plan, of the whole run; what was measured stays, and so does the plan where
  /// nothing is changed.
  @Test func anotherBound() throws {
    try withTemporaryFolder { folder in
      // 32 lanes have 11 windows an epoch, which is far less than there is time for.
      var configuration = try configuration(folder) {
        ($0.lanes, $0.limit, $0.mostEpochs) = (32, .budget(5), 1)
      }
      let training = "\(folder)/model/training"
      let epoch = try #require(Files.names(in: training).compactMap { Int($0.dropFirst("checkpoint-".count)) }.max())
      let first = try #require(try state(folder, epoch)["plan"])
      #expect(first["steps"]?.integer == epoch && first["is_bounded"]?.bool == true)
      configuration.mostEpochs = 2
      let stopped = try resume(configuration, to: epoch + 1).steps
      let second = try #require(try state(folder, stopped)["plan"])
      #expect(stopped < 2 * epoch && second["steps"]?.integer == 2 * epoch && second["is_bounded"]?.bool == true)
      for name in ["seconds", "seconds_per_step", "seconds_per_validation"] {
        #expect(second[name]?.double == first[name]?.double, "\(name)")
      }
      #expect(try resume(configuration).steps == 2 * epoch)
      #expect(try state(folder, 2 * epoch)["plan"]?.text() == second.text())
    }
  }
}
