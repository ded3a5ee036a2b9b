import LanguageModeling
import ModelFiles
import Optimization
import Recurrence
import TestSupport
import Testing
import Training

/// A run that was stopped, killed or went on later makes the same weights and the same log, to the bit.
@Suite struct ResumeTests {
  typealias Kind = RunKind

  private static let kinds = [
    Kind("plain") { _ in },
    Kind("gru, k2 above k1") { ($0.cell, $0.k2) = (.gru, 30) },
    Kind("rnn, state dropped") { ($0.cell, $0.statePolicy) = (.rnn, .dropped(0.3)) },
    Kind("windows that vary, from random places") { ($0.variesK1, $0.hasRandomOffset) = (true, true) },
    Kind("everything dropped") {
      $0.regularization = Regularization(
        inputDropout: 0.1, hiddenDropout: 0.2, outputDropout: 0.3, weightDrop: 0.2, embeddingDropout: 0.1,
        activation: 1, temporalActivation: 0.5)
    },
    Kind("averaged, cosine") { ($0.average, $0.schedule) = (.exponential(decay: 0.9), .init(.cosine)) },
    Kind("averaged when triggered, plateaus") {
      ($0.average, $0.schedule) = (.triggered(interval: 1), .init(.plateau, plateauPatience: 1))
      ($0.optimizer, $0.learningRate) = (.init(.sgd, momentum: 0.9), 0.5)
    },
    Kind("rmsprop, trained initial state, early stopping") {
      ($0.optimizer, $0.trainsInitialState, $0.patience) = (.init(.rmsprop, momentum: 0.5), true, 50)
    },
    Kind("documents") { ($0.documents, $0.vocabulary.normalization) = (.line, .none) },
    Kind("validation at epochs' ends") { $0.validateEvery = nil },
    Kind("stopped where validations are due") { $0.logEvery = 20 },
    Kind("out of patience") { ($0.learningRate, $0.patience) = (1e-30, 3) },
    Kind("a learning rate that was found") { $0.findsLearningRate = true },
    Kind("layer norm") { $0.cell = .layerNormLSTM },
    Kind("two threads") { $0.threads = 2 },
  ]

  private func configuration(_ folder: String, _ kind: Kind? = nil) throws -> TrainingConfiguration {
    let text = (0..<400).map { "\($0 * 37 % 101) birds and \($0 * $0 % 17) boats\n" }.joined()
    try Files.writeDurably(Array(text.utf8), to: "\(folder)/text")
    var configuration = TrainingConfiguration(corpus: ["\(folder)/text"], output: "\(folder)/model")
    (configuration.embeddingSize, configuration.hiddenSize, configuration.layers) = (6, 8, 2)
    (configuration.lanes, configuration.k1, configuration.limit) = (4, 15, .steps(Self.steps))
    (configuration.validateEvery, configuration.sampleEvery, configuration.logEvery) = (20, 2, 7)
    (configuration.checkpointEvery, configuration.learningRate) = (.steps(16), 0.01)
    kind?.change(&configuration)
    return configuration
  }

  private static let steps = 150

  /// The weights' bytes, and the log without what the clock says.
  private func outcome(_ configuration: TrainingConfiguration) throws -> (weights: [UInt8], log: [String]) {
    let log = try Files.read("\(configuration.output)/training/metrics.jsonl")
    let lines = try log.split(separator: UInt8(ascii: "\n")).map { line in
      let times = ["seconds", "tokens_per_second", "seconds_per_step", "seconds_per_validation"]
      let members = try #require(try JSON(parsing: Array(line)).members)
      return JSON.object(members.filter { !times.contains($0.key) }).text()
    }
    return (try Files.read("\(configuration.output)/model.safetensors"), lines)
  }

  /// Trains up to the first event that `isEnd` is true of.
  private func train(
    _ configuration: TrainingConfiguration, until isEnd: (TrainingEvent) -> Bool = { _ in false }
  ) throws {
    let stop = StopRequest()
    _ = try Trainer.train(configuration, stop: stop) { if isEnd($0) { stop.raise() } }
  }

  /// Stopped after the first step, within an epoch, at a validation, at a checkpoint and shortly before the end.
  @Test(arguments: kinds)
  func aStoppedRunGoesOn(_ kind: Kind) throws {
    try withTemporaryFolder { folder in
      let whole = try configuration(folder, kind)
      try train(whole)
      let expected = try outcome(whole)
      var parts = whole
      (parts.output, parts.resumes) = ("\(folder)/parts", true)
      for place in [7, 28, 64, 80, 147] {
        try train(parts) { event in
          switch event {
          case .step(let step): step.step >= place
          default: false
          }
        }
      }
      try train(parts)
      let got = try outcome(parts)
      #expect(got.log == expected.log)
      #expect(got.weights == expected.weights, "the weights differ")
    }
  }

  /// A kill leaves what the folder holds at a moment: in a step, a validation, at a checkpoint, at an epoch's edge.
  @Test(arguments: ["step", "validation", "checkpoint", "epoch", "sample"])
  func aKilledRunGoesOn(_ moment: String) throws {
    try withTemporaryFolder { folder in
      let whole = try configuration(folder, Kind("") { $0.average = .exponential(decay: 0.8) })
      var copies = 0
      _ = try Trainer.train(whole, stop: StopRequest()) { event in
        let name =
          switch event {
          case .step: "step"
          case .validation: "validation"
          case .checkpoint: "checkpoint"
          case .epoch: "epoch"
          case .sample: "sample"
          default: ""
          }
        guard name == moment, Files.names(in: "\(folder)/model/training").count > 1 else { return }
        copies += 1
        try? copyFolder("\(folder)/model", to: "\(folder)/copy-\(copies)")
      }
      let expected = try outcome(whole)
      #expect(copies >= 1)
      for index in 1...max(1, copies) where index < 3 || index > copies - 2 {
        var killed = whole
        (killed.output, killed.resumes) = ("\(folder)/copy-\(index)", true)
        try train(killed)
        let got = try outcome(killed)
        #expect(got.log == expected.log, "kill \(index)")
        #expect(got.weights == expected.weights, "the weights differ, kill \(index)")
      }
    }
  }

  private func copyFolder(_ from: String, to path: String) throws {
    try Files.makeFolder(path)
    for name in Files.names(in: from) {
      let (old, new) = ("\(from)/\(name)", "\(path)/\(name)")
      if Files.kind(old) == .folder {
        try copyFolder(old, to: new)
      } else {
        try Files.writeDurably(Files.read(old), to: new)
      }
    }
  }

  /// A run that is over stays as it is, to the byte; with a later end it goes on as if that had been meant at first.
  @Test func aFinishedRun() throws {
    try withTemporaryFolder { folder in
      var short = try configuration(folder)
      short.limit = .steps(70)
      try train(short)
      let names = ["model.safetensors", "training/metrics.jsonl", "training/DONE", "README.md", "training/report.html"]
      let before = try names.map { try Files.read("\(folder)/model/\($0)") }
      short.resumes = true
      let end = try Trainer.train(short, stop: StopRequest()) { _ in Issue.record("a run that was over did something") }
      #expect(end.wasOver && end.steps == 70 && end.reason == .steps)
      #expect(try names.map { try Files.read("\(folder)/model/\($0)") } == before)

      var long = short
      long.limit = .steps(Self.steps)
      try train(long)
      var whole = try configuration(folder)
      whole.output = "\(folder)/whole"
      try train(whole)
      // The checkpoint of the first end is one more line.
      let (got, expected) = (try outcome(long), try outcome(whole))
      #expect(got.weights == expected.weights)
      #expect(got.log == expected.log)
    }
  }

  /// A run that is taken up where it is to end now has the log of one that was to end there from the beginning.
  @Test func resumedAtItsEnd() throws {
    try withTemporaryFolder { folder in
      var whole = try configuration(folder)
      // In the third epoch.
      (whole.lanes, whole.clip) = (32, 0.01)
      (whole.checkpointEvery, whole.limit) = (.steps(20), .steps(40))
      try train(whole)
      let expected = try outcome(whole)
      var parts = whole
      (parts.output, parts.limit) = ("\(folder)/parts", .steps(Self.steps))
      try train(parts) { if case .step(let step) = $0 { step.step > 40 } else { false } }
      let training = "\(folder)/parts/training"
      for name in Files.names(in: training) where name.hasPrefix("checkpoint-") && name != "checkpoint-40" {
        try Files.remove("\(training)/\(name)")
      }
      (parts.limit, parts.resumes) = (.steps(40), true)
      try train(parts)
      let got = try outcome(parts)
      #expect(got.weights == expected.weights)
      // At the end of a run the validation comes behind the last step's line, in the middle before it.
      #expect(got.log.sorted() == expected.log.sorted())
    }
  }

  /// A kill between the last checkpoint and the mark of the end: the run ends once more, with the same log.
  @Test(arguments: [
    Kind("steps") { $0.schedule = .init(.cosine) },
    Kind("a window that is shorter") { ($0.variesK1, $0.schedule) = (true, .init(.linear)) },
    Kind("patience") { ($0.learningRate, $0.patience) = (1e-30, 3) },
  ])
  func killedAtItsEnd(_ kind: Kind) throws {
    try withTemporaryFolder { folder in
      var configuration = try configuration(folder, kind)
      configuration.limit = .steps(90)
      try train(configuration)
      let expected = try outcome(configuration)
      try Files.remove("\(configuration.output)/training/DONE")
      configuration.resumes = true
      try train(configuration)
      let got = try outcome(configuration)
      #expect(got.log == expected.log)
      #expect(got.weights == expected.weights)
    }
  }

  /// What the last checkpoints are, and that the end is marked.
  @Test func keepsTheLastFew() throws {
    try withTemporaryFolder { folder in
      var configuration = try configuration(folder)
      configuration.keptCheckpoints = 3
      try train(configuration)
      let training = "\(folder)/model/training"
      #expect(
        Files.names(in: training) == [
          "DONE", "checkpoint-128", "checkpoint-144", "checkpoint-150", "metrics.jsonl", "report.html",
        ])
      #expect(
        Files.names(in: "\(training)/checkpoint-128") == ["best.safetensors", "state.json", "state.safetensors"])
    }
  }

  /// Another corpus, vocabulary or model is refused, with what is different; the folder is left as it is.
  @Test(arguments: [
    Kind("hidden-size was 8 and is now 9") { $0.hiddenSize = 9 },
    Kind("cell was lstm and is now gru") { $0.cell = .gru },
    Kind("seed was 1 and is now 2") { $0.seed = 2 },
    Kind("lanes was 4 and is now 5; k1 was 15 and is now 16") { ($0.lanes, $0.k1) = (5, 16) },
    Kind("clip was 1.0 and is now not given") { $0.clip = nil },
    Kind("variable-k1 was not given and is now on") { $0.variesK1 = true },
    Kind("tokenizer was character and is now byte") { $0.tokenizer = .byte },
    Kind("the corpus has other text") { try? Files.writeDurably(Array("other text, ".utf8) * 500, to: $0.corpus[0]) },
  ])
  func refusesAnotherRun(_ other: Kind) throws {
    try withTemporaryFolder { folder in
      var configuration = try configuration(folder)
      try train(configuration) { if case .step(let step) = $0 { step.step >= 40 } else { false } }
      let before = try Files.read("\(folder)/model/training/metrics.jsonl")
      configuration.resumes = true
      other.change(&configuration)
      let error = #expect(throws: TrainingError.self) { try train(configuration) }
      #expect(error?.description.contains(other.testDescription) == true, "\(error?.description ?? "no error")")
      #expect(try Files.read("\(folder)/model/training/metrics.jsonl") == before)
    }
  }

  /// What may change does: threads make the same bits, another learning rate other ones.
  @Test(arguments: [Kind("threads") { $0.threads = 2 }, Kind("learning rate") { $0.learningRate = 0.02 }])
  func whatMayChange(_ other: Kind) throws {
    try withTemporaryFolder { folder in
      let whole = try configuration(folder)
      try train(whole)
      let expected = try outcome(whole)
      var parts = whole
      parts.output = "\(folder)/parts"
      try train(parts) { if case .step(let step) = $0 { step.step >= 60 } else { false } }
      parts.resumes = true
      other.change(&parts)
      try train(parts)
      let isSame = try outcome(parts).weights == expected.weights
      #expect(isSame == (other.testDescription == "threads"))
    }
  }

  /// A folder with a run that has not ended is not begun anew by accident.
  @Test func anUnfinishedRunIsNotLost() throws {
    try withTemporaryFolder { folder in
      var configuration = try configuration(folder)
      try train(configuration) { if case .step(let step) = $0 { step.step >= 40 } else { false } }
      let error = #expect(throws: FileError.self) { try train(configuration) }
      #expect(error?.description.contains("--resume") == true)
      configuration.overwrites = true
      try train(configuration)
      let log = try outcome(configuration).log
      #expect(log.count { $0.contains("\"start\"") } == 1)
    }
  }

  /// A new run in the place of a model, stopped before it has one itself, goes on beside it and takes its place then.
  @Test func goesOnBesideTheModelThatItReplaces() throws {
    try withTemporaryFolder { folder in
      let first = try configuration(folder)
      try train(first)
      let expected = try outcome(first)
      var second = first
      (second.overwrites, second.validateEvery, second.seed) = (true, 100, 2)
      // A kill in the first steps: what is beside the model then.
      var isCopied = false
      _ = try Trainer.train(second, stop: StopRequest()) { event in
        guard case .checkpoint = event, !isCopied else { return }
        isCopied = true
        try? copyFolder("\(folder)/model.unfinished", to: "\(folder)/kept.unfinished")
        try? copyFolder("\(folder)/model", to: "\(folder)/kept")
      }
      let replaced = try outcome(second)
      #expect(isCopied && replaced.log != expected.log && replaced.weights != expected.weights)
      (second.output, second.resumes) = ("\(folder)/kept", true)
      try train(second)
      let got = try outcome(second)
      #expect(got.weights == replaced.weights && got.log == replaced.log)
      #expect(!Files.names(in: folder).contains("kept.unfinished"))
    }
  }

  /// Damage of every kind is an error that names the checkpoint; none is trusted, none is a crash.
  @Test(arguments: [
    "state.json cut", "state.safetensors cut", "state.json empty", "step", "epochs_done", "windows_done", "settings",
    "rate_scale", "updates", "missing tensor", "metrics cut",
  ])
  func damagedCheckpoints(_ damage: String) throws {
    try withTemporaryFolder { folder in
      var configuration = try configuration(folder)
      try train(configuration) { if case .step(let step) = $0 { step.step >= 40 } else { false } }
      configuration.resumes = true
      let training = "\(folder)/model/training"
      let newest = try #require(Files.names(in: training).last { $0.hasPrefix("checkpoint-") })
      func change(_ name: String, _ change: ([UInt8]) throws -> [UInt8]) throws {
        let path = "\(training)/\(name)"
        try Files.writeDurably(change(Files.read(path)), to: path)
      }
      func replace(_ text: String, by other: String) throws {
        try change("\(newest)/state.json") { bytes in
          let state = String(decoding: bytes, as: UTF8.self)
          try #require(state.contains(text))
          return Array(state.replacing(text, with: other).utf8)
        }
      }
      switch damage {
      case "state.json cut": try change("\(newest)/state.json") { Array($0.dropLast(100)) }
      case "state.json empty": try change("\(newest)/state.json") { _ in [] }
      case "state.safetensors cut": try change("\(newest)/state.safetensors") { Array($0.dropLast(1)) }
      case "missing tensor":
        try change("\(newest)/state.safetensors") { bytes in
          try Safetensors(Safetensors(parsing: bytes).entries.filter { $0.name != "exp_avg.decoder.weight" })
            .serialized()
        }
      case "metrics cut": try change("metrics.jsonl") { Array($0.prefix(300)) }
      case "settings": try replace("\"hidden-size\": \"8\"", by: "\"hidden-size\": 8")
      case "windows_done": try replace("\"windows_done\": ", by: "\"windows_done\": 999")
      case "epochs_done": try replace("\"epochs_done\": ", by: "\"epochs_done\": -5")
      case "rate_scale": try replace("\"rate_scale\": 1", by: "\"rate_scale\": -1")
      default: try replace("\"\(damage)\": ", by: "\"\(damage)\": 99999999999999999999")
      }
      let error = #expect(throws: (any Error).self) { try train(configuration) }
      #expect(
        error.map { "\($0)" }?.contains(damage == "metrics cut" ? "metrics.jsonl" : newest) == true,
        "\(String(describing: error))")
    }
  }
}

private func * (bytes: [UInt8], count: Int) -> [UInt8] { Array((0..<count).map { _ in bytes }.joined()) }
