import Foundation
import ModelFiles
import TestSupport
import Testing

/// `--resume`, kills and signals, full disks and locks, as a person meets them.
@Suite struct ResumeCommandTests {
  private static let flags = [
    "--hidden-size", "24", "--layers", "1", "--lanes", "4", "--k1", "12", "--steps", "400", "--validate-every", "40",
    "--checkpoint-every", "15", "--dropout", "0.1", "--average", "ema", "--schedule", "cosine", "--precision",
    "float32",
    "--quiet",
  ]

  private func withText(_ body: (_ folder: String, _ text: String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let text = "\(folder)/text.txt"
      try Files.writeDurably(Array(String(repeating: smallText, count: 4).utf8), to: text)
      try body(folder, text)
    }
  }

  private func log(_ model: String) throws -> [String] {
    try String(decoding: Files.read("\(model)/training/metrics.jsonl"), as: UTF8.self).split(separator: "\n").map {
      String($0.replacing(#/"(seconds|tokens_per_second)":[^,}]+/#, with: ""))
    }
  }

  /// Killed again and again at no particular moment, and taken up with --resume and --output alone.
  @Test func killsDoNotShow() throws {
    try withText { folder, text in
      let (whole, parts) = ("\(folder)/whole", "\(folder)/parts")
      #expect(try run(unrollPath, ["train", text, "-o", whole] + Self.flags).status == 0)
      var kills = 0
      for round in 0..<60 {
        // The whole command with --resume begins the run where there is none.
        let hasCheckpoint = Files.names(in: "\(parts)/training").contains { $0.hasPrefix("checkpoint-") }
        let arguments =
          hasCheckpoint
          ? ["train", "--resume", "-o", parts, "-q"] : ["train", text, "-o", parts, "--resume"] + Self.flags
        let result = try run(unrollPath, arguments) { process in
          guard round < 8 else { return }
          try waitForSteps(parts)
          Thread.sleep(forTimeInterval: Double(round % 4) * 0.03)
          kill(process.processIdentifier, SIGKILL)
        }
        if result.status == 128 + SIGKILL { kills += 1 } else { #expect(result.status == 0, "\(result.error)") }
        if Files.kind("\(parts)/training/DONE") == .file { break }
      }
      #expect(kills >= 1)
      #expect(try Files.read("\(parts)/model.safetensors") == Files.read("\(whole)/model.safetensors"))
      #expect(try log(parts) == log(whole))
      // Once more: nothing is done.
      let before = try Files.read("\(parts)/training/metrics.jsonl")
      let again = try unroll("train", "--resume", "-o", parts)
      #expect(again.status == 0 && again.error.contains("the run was over before, after 400 steps"))
      #expect(try Files.read("\(parts)/training/metrics.jsonl") == before)
    }
  }

  /// The first signal saves and ends; what is left goes on to the same bits.
  @Test(arguments: [SIGINT, SIGTERM])
  func aSignalSaves(_ signal: Int32) throws {
    try withText { folder, text in
      let (whole, parts) = ("\(folder)/whole", "\(folder)/parts")
      #expect(try run(unrollPath, ["train", text, "-o", whole] + Self.flags).status == 0)
      let stopped = try run(unrollPath, ["train", text, "-o", parts] + Self.flags) { process in
        try waitForSteps(parts)
        kill(process.processIdentifier, signal)
      }
      #expect(stopped.status == 128 + signal)
      #expect(try unroll("perplexity", "--model", parts, text).status == 0)
      #expect(try unroll("train", "--resume", "-o", parts, "-q").status == 0)
      #expect(try Files.read("\(parts)/model.safetensors") == Files.read("\(whole)/model.safetensors"))
      #expect(try log(parts) == log(whole))
    }
  }

  /// What is given beside --resume must be what it was, or be among what may change.
  @Test func whatIsGivenAnew() throws {
    try withText { folder, text in
      let model = "\(folder)/m"
      #expect(try run(unrollPath, ["train", text, "-o", model] + Self.flags).status == 0)
      expectOneLine(
        try unroll("train", "--resume", "-o", model, "--hidden-size", "25"), 65,
        "cannot resume the run at step 400: hidden-size was 24 and is now 25;")
      expectOneLine(
        try unroll("train", "--resume", "-o", model, "--dropout-input", "0.3", "--seed", "5"), 65,
        "seed was 1 and is now 5")
      let other = "\(folder)/other.txt"
      try Files.writeDurably(Array((smallText + "another end").utf8), to: other)
      expectOneLine(
        try run(unrollPath, ["train", other, "--resume", "-o", model] + Self.flags), 65,
        "corpus was \(text) and is now \(other)")
      let more = try unroll(
        "train", "--resume", "-o", model, "--steps", "420", "--threads", "1", "--learning-rate", "1e-4")
      #expect(more.status == 0 && more.error.contains("going on after step 400"), "\(more.error)")
      #expect(try events("end", model).map { $0["steps"]?.integer } == [420])
      try Files.writeDurably(Array((smallText + "another end").utf8), to: text)
      expectOneLine(
        try unroll("train", "--resume", "-o", model, "--steps", "430"), 65, "the corpus has other text (SHA-256 ")
      expectOneLine(
        try unroll("train", "--resume", "-o", "\(folder)/nothing"), 66,
        "has no checkpoint to go on from; give the corpus too")
      expectOneLine(try unroll("train", text, "-o", model), 73, "holds a model already")
    }
  }

  /// Settings of a checkpoint that are none are one line, and not taken for what was typed.
  @Test(arguments: [
    "\"layers\": \"many\"", "\"layers\": \"1\", \"surprise\": \"\"", "\"layers\": \"1\", \"help\": \"\"",
  ])
  func damagedSettings(_ other: String) throws {
    try withText { folder, text in
      let model = "\(folder)/m"
      #expect(try run(unrollPath, ["train", text, "-o", model, "--overwrite"] + Self.flags).status == 0)
      let state = "\(model)/training/checkpoint-400/state.json"
      let bytes = try String(decoding: Files.read(state), as: UTF8.self)
      #expect(bytes.contains("\"layers\": \"1\""))
      try Files.writeDurably(Array(bytes.replacing("\"layers\": \"1\"", with: other).utf8), to: state)
      expectOneLine(try unroll("train", "--resume", "-o", model), 65, "the settings of its checkpoint are damaged, or")
    }
  }

  /// A disk that takes no checkpoint: a warning, the model all the same, and in the end one clear line.
  @Test func aFullDisk() throws {
    try withText { folder, text in
      let model = "\(folder)/m"
      // Blocks of 512 or 1024 bytes, as the shell has it: enough for the model, too few for a checkpoint.
      let command =
        "ulimit -f 40; exec \"$0\" train \"$1\" -o \"$2\" --hidden-size 24 --layers 1 --embedding-size 24 --lanes 4 --k1 12"
        + " --steps 60 --validate-every 20 --checkpoint-every 10 --sample-every 0 --precision float32"
      let result = try run("/bin/bash", ["-c", command, unrollPath, text, model])
      #expect(result.status == 74, "\(result.error)")
      let lines = result.error.split(separator: "\n")
      #expect(lines.count { $0.hasPrefix("warning: ") && $0.contains("training goes on, and it is tried again") } == 1)
      #expect(lines.last?.hasPrefix("Error: ") == true && lines.last?.contains("there is no checkpoint") == true)
      #expect(try unroll("perplexity", "--model", model, text).status == 0)
      #expect(Files.names(in: "\(model)/training").allSatisfy { !$0.contains("checkpoint") })
    }
  }
}
