import Compute
import Foundation
import LanguageModeling
import ModelFiles
import Recurrence
import TestSupport
import Testing

@Suite struct TrainCommandTests {
  @Test func makesAModelFolder() throws {
    try withSmallModel { folder, model, _ in
      let names = [
        "README.md", "config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
        "tokenizer_config.json", "training",
      ]
      #expect(Files.names(in: model) == names)
      let config = try JSON(parsing: Files.read("\(model)/config.json"))
      #expect(config["model_type"]?.string == "unroll" && config["cell"]?.string == "lstm")
      #expect(config["hidden_size"]?.integer == 12 && config["embedding_size"]?.integer == 6)
      #expect(config["num_layers"]?.integer == 2 && config["tie_word_embeddings"]?.bool == false)
      let weights = try Safetensors(parsing: Files.read("\(model)/model.safetensors"))
      let vocabulary = try #require(config["vocab_size"]?.integer)
      #expect(weights["encoder.weight"]?.shape == [vocabulary, 6])
      #expect(weights["rnn.weight_ih_l0"]?.shape == [48, 6] && weights["rnn.weight_hh_l1"]?.shape == [48, 12])
      #expect(weights["rnn.bias_ih_l1"]?.shape == [48] && weights["rnn.bias_hh_l0"]?.shape == [48])
      #expect(weights["decoder.weight"]?.shape == [vocabulary, 12] && weights["decoder.bias"]?.shape == [vocabulary])
      #expect(weights.metadata == ["format": "pt"])
      let card = String(decoding: try Files.read("\(model)/README.md"), as: UTF8.self)
      #expect(card.contains(sha256(Array(smallText.utf8))) && card.contains("--hidden-size 12"))
      #expect(card.contains("best validation loss"))
      #expect(Files.names(in: folder) == ["model", "text.txt"])
    }
  }

  /// Every cell trains, is described, loads, writes and scores; its tensors have its number of gates.
  @Test(arguments: TestedCell.allCases)
  func everyCell(_ cell: TestedCell) throws { try trains(cell, "float32") }

  @Test(.needsBFloat16, arguments: TestedCell.allCases)
  func everyCellInBFloat16(_ cell: TestedCell) throws { try trains(cell, "bf16") }

  private func flags(_ cell: TestedCell) -> [String] {
    switch cell {
    case .lstm, .gru, .tanhRNN: ["--cell", cell.cell.rawValue]
    case .reluRNN: ["--cell", "rnn", "--nonlinearity", "relu"]
    case .layerNormLSTM: ["--cell", "lstm", "--layer-norm"]
    }
  }

  private func trains(_ cell: TestedCell, _ precision: String) throws {
    try withSmallModel(flags(cell) + ["--precision", precision]) { _, model, text in
      let config = try JSON(parsing: Files.read("\(model)/config.json"))
      #expect(config["cell"]?.string == cell.cell.rawValue)
      #expect(config["nonlinearity"]?.string == (cell.cell == .rnn ? cell.nonlinearity.rawValue : nil))
      let gates = [.lstm: 4, .layerNormLSTM: 4, .gru: 3][cell] ?? 1
      let weights = try Safetensors(parsing: Files.read("\(model)/model.safetensors"))
      #expect(weights["rnn.weight_hh_l1"]?.shape == [gates * 12, 12])
      let parameters = weights.entries.reduce(0) { $0 + $1.tensor.shape.reduce(1, *) }
      #expect(try events("start", model)[0]["parameters"]?.integer == parameters)
      let scored = try unroll("perplexity", "--model", model, "--format", "json", text)
      let loss = try #require(try JSON(parsing: scored.output)["nats_per_token"]?.double)
      #expect(loss > 0 && loss < 4, "nothing was learnt: \(loss)")
      #expect(try unroll("generate", "--model", model, "--length", "9", "--no-echo").status == 0)
    }
  }

  @Test(arguments: TestedCell.allCases)
  func trainsTheInitialState(_ cell: TestedCell) throws {
    try withSmallModel(["--train-initial-state"] + flags(cell)) { _, model, text in
      let config = try JSON(parsing: Files.read("\(model)/config.json"))
      #expect(config["trains_initial_state"]?.bool == true)
      let weights = try Safetensors(parsing: Files.read("\(model)/model.safetensors"))
      let hidden = try #require(weights["initial.hidden"])
      #expect(hidden.shape == [2, 12] && hidden.doubles.contains { $0 != 0 })
      #expect(weights["initial.cell"]?.shape == ([.lstm, .layerNormLSTM].contains(cell) ? [2, 12] : nil))
      #expect(try unroll("perplexity", "--model", model, text).status == 0)
    }
  }

  /// The forget bias is where a fresh LSTM begins, and stays what training made of it when the model is loaded.
  @Test func forgetBiasIsAFlag() throws {
    try withSmallModel(["--forget-bias", "2.5", "--learning-rate", "1e-30"]) { _, model, _ in
      let weights = try Safetensors(parsing: Files.read("\(model)/model.safetensors"))
      let biases = try #require(weights["rnn.bias_ih_l1"]).doubles
      #expect(biases[12..<24].allSatisfy { $0 == 2.5 } && biases[..<12].allSatisfy { abs($0) < 1 })
      let loaded = try ModelFolder(model).load(precision: .float32).model
      let network = try #require(loaded as? RecurrentLanguageModel<LSTM<Float32Kernels>>)
      let slot = try #require(
        zip(network.parameters.layout.entries, network.parameters.layout.slots).first {
          $0.0.name == "rnn.bias_ih_l1"
        })
      #expect(network.parameters[slot.1].elements.map(Double.init) == biases)
    }
  }

  @Test(arguments: [
    ["--cell", "gru", "--forget-bias", "1"], ["--cell", "lstm", "--nonlinearity", "relu"], ["--cell", "elman"],
    ["--cell", "rnn", "--nonlinearity", "sine"], ["--forget-bias", "nan"],
  ])
  func flagsOfAnotherCell(_ flags: [String]) throws {
    try withTemporaryFolder { folder in
      let result = try run(unrollPath, ["train", "text", "-o", "\(folder)/model"] + flags)
      #expect(result.status == 64, "\(result.error)")
      #expect(Files.names(in: folder).isEmpty)
    }
  }

  @Test func logsWhatHappens() throws {
    try withSmallModel(["--log-every", "7", "--validate-every", "10"]) { _, model, _ in
      let steps = try events("step", model)
      #expect(steps.compactMap { $0["step"]?.integer } == [7, 14, 21, 28, 30])
      for key in ["epoch", "tokens", "loss", "gradient_norm", "clipped", "learning_rate", "tokens_per_second"] {
        #expect(steps.allSatisfy { $0[key]?.double != nil }, "\(key)")
      }
      let validations = try events("validation", model)
      #expect(validations.compactMap { $0["step"]?.integer } == [10, 20, 30])
      #expect(validations[0]["best"]?.bool == true)
      #expect(validations.allSatisfy { ($0["loss"]?.double ?? 0) > 0 && ($0["bits_per_character"]?.double ?? 0) > 0 })
      let ends = try events("end", model)
      #expect(ends.count == 1 && ends[0]["reason"]?.string == "steps" && ends[0]["steps"]?.integer == 30)
      let best = try #require(ends[0]["best_validation_loss"]?.double)
      #expect(best == validations.compactMap { $0["loss"]?.double }.min())
    }
  }

  /// Every epoch's mean loss is told once, over all of its tokens.
  @Test func logsEpochs() throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(Array(smallText.utf8), to: "\(folder)/text")
      let result = try run(
        unrollPath, ["train", "\(folder)/text", "-o", "\(folder)/m", "--epochs", "3", "--log-every", "1"] + smallSizes)
      #expect(result.status == 0)
      let epochs = try events("epoch", "\(folder)/m")
      #expect(epochs.compactMap { $0["epoch"]?.integer } == [1, 2, 3])
      let steps = try events("step", "\(folder)/m")
      let perEpoch = try #require(try events("start", "\(folder)/m")[0]["steps_per_epoch"]?.integer)
      #expect(steps.count == 3 * perEpoch)
      #expect(epochs.compactMap { $0["step"]?.integer } == (1...3).map { $0 * perEpoch })
      let perToken = try #require(try events("start", "\(folder)/m")[0]["training_tokens"]?.integer)
      #expect(steps[perEpoch - 1]["tokens"]?.integer == perToken)
    }
  }

  /// The validation loss of the best model is what `perplexity` finds on the same part of the text.
  @Test func bestLossIsReproducible() throws {
    try withSmallModel(["--precision", "float32"]) { folder, model, _ in
      let scalars = Array(smallText.unicodeScalars)
      var part = String.UnicodeScalarView()
      part.append(contentsOf: scalars[Int(Double(scalars.count) * 0.9)...])
      try Files.writeDurably(Array(String(part).utf8), to: "\(folder)/part")
      let report = try unroll("perplexity", "--model", model, "--format", "json", "\(folder)/part")
      let nats = try #require(try JSON(parsing: report.output)["nats_per_token"]?.double)
      let best = try #require(try events("end", model)[0]["best_validation_loss"]?.double)
      #expect(abs(nats - best) < 1e-4)
    }
  }

  @Test func sameSeedSameBytesForAnyThreads() throws {
    func weights(_ extra: [String]) throws -> [UInt8] {
      try withTemporaryFolder { folder in
        try Files.writeDurably(Array(smallText.utf8), to: "\(folder)/text")
        let sizes = ["--hidden-size", "12", "--lanes", "16", "--k1", "12", "--steps", "25"]
        let result = try run(unrollPath, ["train", "\(folder)/text", "-o", "\(folder)/m", "--quiet"] + sizes + extra)
        #expect(result.status == 0 && result.error.isEmpty && result.output.isEmpty, "\(result.error)")
        return try Files.read("\(folder)/m/model.safetensors")
      }
    }
    let one = try weights(["--threads", "1"])
    #expect(try one == weights(["--threads", "2"]))
    #expect(try one == weights(["--threads", "3"]))
    #expect(try one != weights(["--threads", "1", "--seed", "2"]))
  }

  @Test func refusesToOverwriteUnlessTold() throws {
    try withSmallModel { folder, model, text in
      let before = try Files.read("\(model)/model.safetensors")
      let arguments = ["train", text, "-o", model, "--steps", "5", "--seed", "9"] + smallSizes
      let refused = try run(unrollPath, arguments)
      #expect(refused.status == 73 && refused.error.contains("holds a model already"))
      #expect(try Files.read("\(model)/model.safetensors") == before)
      try Files.writeDurably(Array("mine".utf8), to: "\(model)/notes.txt")
      let told = try run(unrollPath, arguments + ["--overwrite"])
      #expect(told.status == 0, "\(told.error)")
      #expect(try Files.read("\(model)/model.safetensors") != before)
      #expect(try Files.read("\(model)/notes.txt") == Array("mine".utf8))
      #expect(Files.names(in: folder) == ["model", "text.txt"])
    }
  }

  /// A kill at any moment leaves the old model or the new one, whole.
  @Test func aKillLeavesAWholeModel() throws {
    try withSmallModel { folder, model, text in
      let old = try Files.read("\(model)/model.safetensors")
      var (kept, replaced) = (0, 0)
      for delay in [0.001, 0.01, 0.02, 0.03, 0.05, 0.08, 0.15, 0.3, 2] {
        let before = try Files.read("\(model)/model.safetensors")
        let sizes = ["--hidden-size", "20", "--embedding-size", "6", "--lanes", "4", "--k1", "12"]
        let arguments = ["train", text, "-o", model, "--overwrite", "--steps", "100000", "--validate-every", "3"]
        let result = try run(unrollPath, arguments + sizes) { process in
          Thread.sleep(forTimeInterval: delay)
          kill(process.processIdentifier, SIGKILL)
        }
        #expect(result.status == 128 + SIGKILL)
        let report = try unroll("perplexity", "--model", model, text)
        #expect(report.status == 0, "\(report.error)")
        if try Files.read("\(model)/model.safetensors") == before { kept += 1 } else { replaced += 1 }
      }
      #expect(kept + replaced == 9)
      #expect(try Files.read("\(model)/model.safetensors") != old, "no kill came late enough to see a new model")
    }
  }

  @Test(arguments: [(SIGINT, Int32(130)), (SIGTERM, Int32(143))])
  func aSignalSavesAndSaysSo(_ signal: Int32, _ status: Int32) throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(Array(smallText.utf8), to: "\(folder)/text")
      let result = try run(
        unrollPath, ["train", "\(folder)/text", "-o", "\(folder)/m", "--steps", "100000000"] + smallSizes
      ) { process in
        try waitForSteps("\(folder)/m")
        kill(process.processIdentifier, signal)
      }
      #expect(result.status == status)
      #expect(result.error.contains("stopped after"))
      #expect(try events("end", "\(folder)/m")[0]["reason"]?.string == "signal")
      #expect(try unroll("generate", "--model", "\(folder)/m", "--length", "5", "--seed", "1").status == 0)
    }
  }

  /// The flags of optimiser, schedule and average are what the card tells and the log shows.
  @Test func optimizerFlags() throws {
    let flags = ["--optimizer", "sgd", "--momentum", "0.9", "--nesterov", "--weight-decay", "1e-3"]
    let more = ["--schedule", "linear", "--warmup", "20%", "--final-learning-rate", "0.1", "--learning-rate", "0.5"]
    let average = ["--average", "ema", "--average-decay", "0.75", "--log-every", "1"]
    try withSmallModel(flags + more + average) { _, model, _ in
      let card = String(decoding: try Files.read("\(model)/README.md"), as: UTF8.self)
      #expect(card.contains("| optimiser | SGD, momentum 0.9 (Nesterov), weight decay 0.001, gradients"))
      #expect(card.contains("| learning rate | 0.5, linear to 0.1 after a warm-up of 20.0% |"))
      #expect(card.contains("| weights | their exponential moving average, decay 0.75 |"))
      let rates = try events("step", model).compactMap { $0["learning_rate"]?.double }
      #expect(rates.count == 30 && rates[5] == 0.5 && rates[0] == 0.5 / 6 && abs(rates[18] - 0.3) < 1e-12)
    }
  }

  /// The curve of a range test is shown; the rate that it found is the one of the log.
  @Test func findsTheLearningRate() throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(Array(smallText.utf8), to: "\(folder)/text")
      let flags = ["--steps", "10", "--learning-rate", "auto", "--schedule", "constant"] + smallSizes
      let result = try run(unrollPath, ["train", "\(folder)/text", "-o", "\(folder)/m"] + flags)
      #expect(result.status == 0)
      let found = try #require(try events("range_test", "\(folder)/m").first?["learning_rate"]?.double)
      #expect(result.error.contains("learning rate  smoothed loss\n"))
      #expect(result.error.contains("learning rate \(found)\n"))
      #expect(try events("step", "\(folder)/m").first?["learning_rate"]?.double == found)
      #expect(Files.kind("\(folder)/m/training/learning-rate.csv") == .file)
    }
  }

  /// There is time for a hundred times as many.
  @Test func soManyEpochsEndTheBudget() throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(Array(smallText.utf8), to: "\(folder)/text")
      let train = ["train", "\(folder)/text", "-o", "\(folder)/m", "--max-epochs", "2"] + smallSizes
      let result = try run(unrollPath, train + ["--budget", "100s"])
      let start = try events("start", "\(folder)/m")[0]
      let end = try events("end", "\(folder)/m")[0]
      let epoch = try #require(start["steps_per_epoch"]?.integer)
      #expect(result.status == 0 && end["steps"]?.integer == 2 * epoch && end["reason"]?.string == "budget")
      #expect(result.error.contains(" steps for a part of the budget of 1:40"))
      let refused = try run(unrollPath, train + ["--steps", "3", "--overwrite"])
      #expect(refused.status == 64 && refused.error.contains("--max-epochs is for --budget"))
    }
  }

  @Test func budgetEndsTheRun() throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(Array(smallText.utf8), to: "\(folder)/text")
      let flags = ["--budget", "1s", "--max-epochs", "1000000"] + smallSizes
      let result = try run(unrollPath, ["train", "\(folder)/text", "-o", "\(folder)/m"] + flags)
      #expect(result.status == 0)
      let end = try events("end", "\(folder)/m")[0]
      let plans = try events("plan", "\(folder)/m")
      #expect(plans.count == 1 && plans[0]["budget_seconds"]?.double == 1)
      let (steps, planned) = (try #require(end["steps"]?.integer), try #require(plans[0]["steps"]?.integer))
      #expect(result.error.contains(" steps for the budget of 1 s"))
      // A busy machine may be too slow for its plan.
      let isLate = end["reason"]?.string == "overrun"
      #expect(isLate ? steps < planned : end["reason"]?.string == "budget" && steps == planned)
      #expect(!isLate || end["seconds"]?.double ?? 0 >= 1.25)
    }
  }

  /// NUL, a byte-order mark and CRLF are symbols like any other, and come back out.
  @Test func keepsOddSymbols() throws {
    try withTemporaryFolder { folder in
      let text = "\u{FEFF}" + (0..<60).map { "line \($0)\r\n\u{0}\t" }.joined()
      try Files.writeDurably(Array(text.utf8), to: "\(folder)/text")
      let trained = try run(
        unrollPath,
        ["train", "\(folder)/text", "-o", "\(folder)/m", "--steps", "3", "--validation-fraction", "0"] + smallSizes)
      #expect(trained.status == 0, "\(trained.error)")
      let echoed = try unroll(
        "generate", "--model", "\(folder)/m", "--prompt", "-", "--length", "0", input: Array(text.utf8))
      #expect(echoed.status == 0 && echoed.output == Array(text.utf8))
      let vocabulary = try JSON(parsing: Files.read("\(folder)/m/tokenizer.json"))["model"]?["vocab"]
      for symbol in ["\u{FEFF}", "\r", "\n", "\u{0}", "\t"] { #expect(vocabulary?[symbol] != nil) }
    }
  }

  @Test func rareSymbolsBecomeUnknown() throws {
    try withSmallModel(["--min-frequency", "20"]) { _, model, _ in
      let json = try JSON(parsing: Files.read("\(model)/tokenizer.json"))
      #expect(json["model"]?["vocab"]?["<unk>"]?.integer == 0)
      let replaced = try unroll(
        "generate", "--model", model, "--prompt", "fox ☃", "--unknown", "replace", "--seed", "1", "--length", "20")
      #expect(replaced.status == 0 && replaced.text.hasPrefix("fox ☃") && !replaced.text.contains("<unk>"))
    }
  }
}

/// What is chosen where nothing is said.
@Suite struct ExplainTests {
  /// `--explain` prints every setting and trains nothing; a run then takes just these.
  @Test func explainsAndTrainsSo() throws {
    try withTemporaryFolder { folder in
      let (text, model) = ("\(folder)/text", "\(folder)/m")
      try Files.writeDurably(Array(smallText.utf8), to: text)
      let flags = ["train", text, "-o", model, "--steps", "20", "--checkpoint-every", "20"]
      let explained = try run(unrollPath, flags + ["--explain"])
      #expect(explained.status == 0 && explained.error.isEmpty && Files.kind(model) == .nothing)
      let lines = explained.text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
      #expect(lines.first?.first == "setting")
      #expect(try run(unrollPath, flags + ["-q"]).status == 0)
      let state = try JSON(parsing: Files.read("\(model)/training/checkpoint-20/state.json"))
      for line in lines.dropFirst() where line[0] != "corpus" {
        let stored = try #require(state["settings"]?[line[0]]?.string)
        #expect(stored == (line[1] == "on" ? "" : line[1]) || stored.isEmpty, "\(line)")
      }
      #expect(lines.contains { $0[0] == "hidden-size" && $0.count > 5 })
      #expect(try JSON(parsing: Files.read("\(model)/config.json"))["cell"]?.string == "layer_norm_lstm")
    }
  }

  /// A given size is a plain LSTM, as PyTorch has it, unless layer normalization is asked for.
  @Test(arguments: [([], "lstm"), (["--layer-norm"], "layer_norm_lstm")] as [([String], String)])
  func aGivenSizeIsPlain(_ flags: [String], _ cell: String) throws {
    try withSmallModel(flags) { _, model, _ in
      let config = try JSON(parsing: Files.read("\(model)/config.json"))
      #expect(config["cell"]?.string == cell)
    }
  }
}
