import Foundation
import ModelFiles
import TestSupport
import Testing

/// `--k1`, `--k2`, `--recompute`, `--state`, and what int8 is for.
@Suite struct TruncationFlagsTests {
  static let flags = [
    ["--k1", "4", "--k2", "16"], ["--k1", "16", "--k2", "4"], ["--k1", "all", "--lanes", "3"],
    ["--k1", "all", "--lanes", "1", "--recompute", "7"], ["--k1", "8", "--state", "reset"],
    ["--k1", "8", "--state-drop", "0.5"], ["--k1", "8", "--k2", "8", "--state", "reset", "--train-initial-state"],
    ["--variable-k1", "--random-offset"], ["--variable-k1", "--k2", "6", "--recompute", "5"],
    ["--k1", "4", "--k2", "16", "--random-offset"], ["--k1", "all", "--random-offset"],
  ]

  @Test(arguments: flags)
  func trains(_ flags: [String]) throws {
    try withSmallModel(flags) { _, model, text in
      let scored = try unroll("perplexity", "--model", model, "--format", "json", text)
      let loss = try #require(try JSON(parsing: scored.output)["nats_per_token"]?.double)
      #expect(loss > 0 && loss < 4)
    }
  }

  /// What is kept and what is computed again makes no difference; what a gradient sees does.
  @Test func truncationIsHeeded() throws {
    func weights(_ flags: [String]) throws -> [UInt8] {
      var bytes: [UInt8] = []
      try withSmallModel(flags + ["--precision", "float32", "--seed", "3"]) { _, model, _ in
        bytes = try Files.read("\(model)/model.safetensors")
      }
      return bytes
    }
    let chunks = try weights(["--k1", "8"])
    #expect(try weights(["--k1", "8", "--k2", "8"]) == chunks)
    #expect(try weights(["--k1", "8", "--k2", "16"]) != chunks)
    #expect(try weights(["--k1", "8", "--k2", "4"]) != chunks)
    #expect(try weights(["--k1", "8", "--state", "reset"]) != chunks)
    #expect(try weights(["--k1", "8", "--state-drop", "0"]) == chunks)
    #expect(try weights(["--k1", "12", "--no-random-offset"]) != weights(["--k1", "12"]))
    #expect(try weights(["--k1", "12", "--variable-k1"]) != weights(["--k1", "12"]))
    #expect(try weights(["--k1", "8", "--state-drop", "1"]) == weights(["--k1", "8", "--state", "reset"]))
  }

  @Test(arguments: [
    ["--k1", "0"], ["--k1", "some"], ["--k2", "0"], ["--recompute", "0"], ["--k1", "8", "--k2", "12"],
    ["--state-drop", "2"], ["--state", "reset", "--state-drop", "0.1"],
    ["--k1", "8", "--k2", "16", "--state", "reset"],
    ["--k1", "9", "--variable-k1"], ["--k1", "all", "--variable-k1"], ["--k1", "20", "--k2", "20", "--variable-k1"],
    ["--k1", "20", "--k2", "40", "--variable-k1"],
  ])
  func wrongUsage(_ flags: [String]) throws {
    let result = try run(unrollPath, ["train", "t", "-o", "m"] + flags)
    #expect(result.status == 64 && result.error.hasPrefix("Error: "), "\(result.error)")
  }

  /// Bytes are for reading: writing works, scoring says what they change, training refuses.
  @Test func int8() throws {
    try withSmallModel([]) { folder, model, text in
      let float = try JSON(
        parsing: unroll("perplexity", "--model", model, "--format", "json", "--precision", "float32", text).output)
      let bytes = try JSON(
        parsing: unroll("perplexity", "--model", model, "--format", "json", "--precision", "int8", text).output)
      let exact = try #require(float["nats_per_token"]?.double)
      let rounded = try #require(bytes["nats_per_token"]?.double)
      let cost = try #require(bytes["nats_per_token_above_float32"]?.double)
      #expect(abs(rounded - exact - cost) < 1e-9 && abs(cost) < 0.05 && cost != 0)
      #expect(float["precision"] == nil && bytes["precision"]?.string == "int8")
      let written = try unroll("generate", "--model", model, "--length", "20", "--seed", "1", "--precision", "int8")
      #expect(String(decoding: written.output, as: UTF8.self).unicodeScalars.count == 20)
      let refused = try run(unrollPath, ["train", text, "--output", "\(folder)/other", "--precision", "int8"])
      #expect(refused.status == 64 && refused.error.contains("int8 is for reading"))
    }
    try withSmallModel(["--cell", "rnn", "--nonlinearity", "relu"]) { _, model, text in
      let refused = try run(unrollPath, ["perplexity", "--model", model, "--precision", "int8", text])
      #expect(refused.status == 64 && refused.error.contains("no bound"))
    }
  }
}
