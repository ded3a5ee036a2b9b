import Foundation
import ModelFiles
import TestSupport
import Testing

/// `--dynamic` and `--cache` of `unroll perplexity`.
@Suite struct AdaptationCommandTests {
  @Test func areToldBesideTheStaticFigure() throws {
    try withSmallModel { _, model, text in
      let before = try Files.read("\(model)/model.safetensors")
      func report(_ arguments: String...) throws -> JSON {
        let result = try run(
          unrollPath, ["perplexity", "--model", model, "--format", "json", text] + arguments)
        #expect(result.status == 0, "\(result.error)")
        return try JSON(parsing: result.output)
      }
      let plain = try report()
      let still = try report("--dynamic", "--dynamic-rate", "0", "--cache", "--cache-share", "0")
      let both = try report("--dynamic", "--cache", "--dynamic-corpus", text)
      for key in ["cache", "dynamic", "dynamic_cache"] {
        #expect(still["nats_per_token_\(key)"]?.double == plain["nats_per_token"]?.double)
        let nats = try #require(both["nats_per_token_\(key)"]?.double)
        #expect(try nats < #require(plain["nats_per_token"]?.double), "the text repeats itself: \(key)")
        // One character is one token.
        #expect(abs(try #require(both["bits_per_character_\(key)"]?.double) - nats / log(2)) < 1e-9)
      }
      #expect(both["nats_per_token"]?.double == plain["nats_per_token"]?.double)
      #expect(try report("--cache")["nats_per_token_dynamic"] == nil)
      #expect(try Files.read("\(model)/model.safetensors") == before)
      let told = try unroll("perplexity", "--model", model, text, "--dynamic", "--cache").text
      for words in ["with a neural cache", "with dynamic evaluation", "with both"] { #expect(told.contains(words)) }
    }
  }

  @Test(arguments: [
    (["--dynamic-rate", "1"], "are for --dynamic"), (["--cache-share", "0.1"], "are for --cache"),
    (["--dynamic", "--dynamic-rate", "x"], "invalid"),
    (["--dynamic", "--dynamic-window", "0"], "--dynamic-window is 0"),
    (["--cache", "--cache-share", "1"], "--cache-share is 1"),
    (["--dynamic", "--dynamic-rule", "sgd", "--dynamic-corpus", "x"], "are for --dynamic-rule rms"),
    (["--dynamic", "--precision", "int8"], "int8 weights cannot learn"),
  ])
  func wrongUsage(_ arguments: [String], _ message: String) throws {
    try withSmallModel { _, model, text in
      let result = try run(unrollPath, ["perplexity", "--model", model, text] + arguments)
      #expect(result.status == 64 && result.error.contains(message), "\(result.error)")
    }
  }
}
