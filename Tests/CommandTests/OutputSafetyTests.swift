import Foundation
import ModelFiles
import TestSupport
import Testing

/// What a person has on disk, and what a program has on its standard streams, is safe.
@Suite struct OutputSafetyTests {
  private func withText(_ body: (_ folder: String, _ text: String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(Array(smallText.utf8), to: "\(folder)/text")
      try body(folder, "\(folder)/text")
    }
  }

  private func train(_ text: String, _ output: String, _ extra: String...) throws -> ProgramResult {
    try run(unrollPath, ["train", text, "-o", output, "--steps", "5"] + smallSizes + extra)
  }

  /// What a kill leaves before the first save is no hindrance to the next run.
  @Test(arguments: [
    ["training"], ["training", "training/metrics.jsonl"], ["training", "training/metrics.jsonl", "config.json"],
  ])
  func whatAKillLeftIsTakenOver(_ names: [String]) throws {
    try withText { folder, text in
      try Files.makeFolder("\(folder)/m")
      for name in names {
        if name == "training" {
          try Files.makeFolder("\(folder)/m/training")
        } else {
          try Files.writeDurably([], to: "\(folder)/m/\(name)")
        }
      }
      #expect(try train(text, "\(folder)/m").status == 0)
    }
  }

  @Test(arguments: ["README.md", "config.json", "tokenizer.json", "training/data"])
  func aFolderOfSomebodyElseIsLeftAlone(_ name: String) throws {
    try withText { folder, text in
      try Files.makeFolder("\(folder)/project")
      let path = "\(folder)/project/\(name)"
      try Files.makeFolder(Paths.parent(path))
      try Files.writeDurably(Array("mine".utf8), to: path)
      expectOneLine(try train(text, "\(folder)/project"), 73, "other things")
      #expect(try Files.read(path) == Array("mine".utf8))
      #expect(Files.names(in: "\(folder)/project").count == 1)
    }
  }

  @Test func overwritingKeepsWhatIsNotTheModels() throws {
    try withSmallModel { folder, model, text in
      try Files.writeDurably(Array("mine".utf8), to: "\(model)/training/notes.txt")
      #expect(try train(text, model, "--overwrite").status == 0)
      #expect(try Files.read("\(model)/training/notes.txt") == Array("mine".utf8))
      #expect(Files.names(in: folder) == ["model", "text.txt"])
    }
  }

  /// The second run into a folder is refused while the first goes on.
  @Test func twoRunsDoNotShareAFolder() throws {
    try withText { folder, text in
      let first = try run(
        unrollPath,
        ["train", text, "-o", "\(folder)/m", "--steps", "100000000", "--validate-every", "100000000"] + smallSizes
      ) {
        process in
        try waitForSteps("\(folder)/m")
        expectOneLine(try train(text, "\(folder)/m"), 73, "another run, process ")
        kill(process.processIdentifier, SIGINT)
      }
      #expect(first.status == 130)
      #expect(try unroll("perplexity", "--model", "\(folder)/m", text).status == 0)
    }
  }

  @Test func aLinkIsFollowed() throws {
    try withSmallModel { folder, model, text in
      try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: model)
      #expect(try train(text, "\(folder)/link", "--overwrite").status == 0)
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/link") == model)
      #expect(try events("end", model)[0]["steps"]?.integer == 5)
      #expect(Files.names(in: folder) == ["link", "model", "text.txt"])
    }
  }

  @Test(arguments: [
    ["train", "", "-o", "m"], ["train", "t", "-o", ""], ["generate", "--model", ""],
    ["perplexity", "--model", "m", ""],
    ["perplexity", "--model", "m", "-", "-"], ["train", "-", "-", "-o", "m"],
    ["train", "-", "-o", "m", "--validation", "-"],
    ["train", "t", "-o", "m", "--validation", "v", "--validation-fraction", "0.5"],
    ["train", "t", "-o", "m", "--clip", "1e-320"],
  ])
  func emptyAndRepeatedPaths(_ arguments: [String]) throws {
    let result = try run(unrollPath, arguments)
    #expect(result.status == 64 && result.error.hasPrefix("Error: "), "\(result.error)")
  }

  /// Closed streams do not become files of ours, and an output that takes nothing is an error.
  @Test func standardStreams() throws {
    try withSmallModel { folder, model, text in
      let sizes = smallSizes.joined(separator: " ")
      let closed = try run(
        "/bin/sh", ["-c", "'\(unrollPath)' train '\(text)' -o '\(folder)/c' --steps 20 \(sizes) 2>&-"])
      #expect(closed.status == 0)
      for line in try Files.read("\(folder)/c/training/metrics.jsonl").split(separator: 10) {
        #expect(throws: Never.self) { try JSON(parsing: line) }
      }
      for command in ["perplexity --model '\(model)' '\(text)'", "generate --model '\(model)' --seed 1"] {
        let full = try run("/bin/sh", ["-c", "'\(unrollPath)' \(command) >/dev/full"])
        expectOneLine(full, 74, "standard output")
      }
    }
  }

  /// Who stops watching a run does not stop it; a closed terminal saves.
  @Test func aRunOutlivesItsDisplay() throws {
    try withText { folder, text in
      let sizes = smallSizes.joined(separator: " ")
      let piped = try run(
        "/bin/sh",
        [
          "-c",
          "'\(unrollPath)' train '\(text)' -o '\(folder)/p' --steps 300 --validate-every 20 \(sizes) 2>&1 | head -1",
        ])
      #expect(piped.status == 0)
      #expect(try events("end", "\(folder)/p")[0]["steps"]?.integer == 300)
      let hung = try run(unrollPath, ["train", text, "-o", "\(folder)/h", "--steps", "100000000"] + smallSizes) {
        process in
        try waitForSteps("\(folder)/h")
        kill(process.processIdentifier, SIGHUP)
      }
      #expect(hung.status == 129)
      #expect(try unroll("perplexity", "--model", "\(folder)/h", text).status == 0)
    }
  }

  /// oneDNN held to AVX2 stands for an older processor: `auto` is float32, and bf16 is refused by every command.
  @Test func aProcessorWithoutBFloat16SaysSo() throws {
    let older = ["ONEDNN_MAX_CPU_ISA": "AVX2"]
    try withSmallModel { folder, model, text in
      let output = "\(folder)/a"
      for command in [
        ["generate", "--model", model], ["perplexity", "--model", model, text], ["train", text, "-o", output],
        ["bench", "train"], ["bench", "generate"], ["bench", "perplexity"],
      ] {
        let refused = try run(unrollPath, command + ["--precision", "bf16"], environment: older)
        expectOneLine(refused, 64, "--precision float32")
      }
      let trained = try run(unrollPath, ["train", text, "-o", output, "--steps", "5"] + smallSizes, environment: older)
      #expect(trained.status == 0)
      #expect(try events("start", output)[0]["precision"]?.string == "float32")
      let bench = ["bench", "generate", "--hidden-size", "16", "--seconds", "0.1", "--json"]
      let measured = try run(unrollPath, bench, environment: older)
      #expect(try JSON(parsing: measured.output)["precision"]?.string == "float32")
    }
  }

  /// Sizes that no machine has are refused before anything is read or made.
  @Test func hugeFilesAndSizes() throws {
    try withSmallModel { folder, model, text in
      func makeHuge(_ path: String) throws {
        try Files.writeDurably([], to: path)
        try FileHandle(forWritingTo: URL(filePath: path)).truncate(atOffset: 1 << 42)
      }
      try makeHuge("\(folder)/huge")
      // What is scored is read piece by piece; what is counted is not.
      expectOneLine(
        try unroll(
          "perplexity", "--model", model, "--baseline", "ngram:2", "--baseline-corpus", "\(folder)/huge", text),
        65, "bytes of text")
      expectOneLine(
        try run(
          unrollPath, ["train", text, "-o", "\(folder)/x", "--hidden-size", "12000", "--lanes", "20", "--k1", "60"]),
        65,
        "GB of memory")
      try makeHuge("\(model)/model.safetensors")
      expectOneLine(try unroll("perplexity", "--model", model, text), 65, "bytes")
      #expect(Files.names(in: folder) == ["huge", "model", "text.txt"])
    }
  }

  /// Weights that are finite but far too large to compute with.
  @Test func predictionsThatAreNotFinite() throws {
    try withSmallModel { _, model, text in
      let weights = try Safetensors(parsing: Files.read("\(model)/model.safetensors"))
      let damaged = weights.entries.map { entry in
        Safetensors.Entry(
          entry.name, StoredTensor([Float](repeating: 3.3e38, count: entry.tensor.count), shape: entry.tensor.shape))
      }
      try Files.writeDurably(Safetensors(damaged).serialized(), to: "\(model)/model.safetensors")
      expectOneLine(try unroll("perplexity", "--model", model, text), 65, "not finite")
      expectOneLine(try unroll("generate", "--model", model, "--seed", "1", "--no-echo"), 65, "not finite")
    }
  }
}
