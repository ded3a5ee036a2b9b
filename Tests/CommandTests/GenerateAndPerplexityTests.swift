import Foundation
import ModelFiles
import TestSupport
import Testing
import Unroll

@Suite struct GenerateAndPerplexityTests {
  @Test func writes() throws {
    try withSmallModel { _, model, _ in
      func generate(_ arguments: String...) throws -> String {
        let result = try run(unrollPath, ["generate", "--model", model, "--length", "40"] + arguments)
        #expect(result.status == 0, "\(result.error)")
        return result.text
      }
      let first = try generate("--seed", "7")
      #expect(first.unicodeScalars.count == 40)
      #expect(try first == generate("--seed", "7"))
      #expect(try first != generate("--seed", "8"))
      #expect(try first == generate("--seed", "7", "--threads", "1"))
      #expect(try generate("--greedy", "--seed", "1") == generate("--temperature", "0", "--seed", "2"))
      let prompted = try generate("--prompt", "Line ", "--seed", "3")
      #expect(prompted.hasPrefix("Line ") && prompted.unicodeScalars.count == 45)
      #expect(try generate("--prompt", "Line ", "--seed", "3", "--no-echo") == String(prompted.dropFirst(5)))
      let unseeded = try run(unrollPath, ["generate", "--model", model, "--length", "40"])
      let seed = try #require(unseeded.error.split(separator: " ").last.map { $0.trimmingCharacters(in: .newlines) })
      #expect(unseeded.error.hasPrefix("seed "))
      #expect(try generate("--seed", seed) == unseeded.text)
    }
  }

  @Test func startsAsAfterALineFeed() throws {
    try withSmallModel { _, model, _ in
      let empty = try unroll("generate", "--model", model, "--greedy", "--length", "20")
      let newline = try unroll(
        "generate", "--model", model, "--greedy", "--length", "20", "--no-echo", "--prompt", "\n")
      #expect(empty.text == newline.text && !empty.text.isEmpty)
    }
  }

  @Test func promptsWithUnknownSymbols() throws {
    try withSmallModel { _, model, _ in
      let arguments = ["generate", "--model", model, "--length", "3", "--seed", "1", "--prompt", "fox Ж日Ж"]
      let failed = try run(unrollPath, arguments)
      expectOneLine(failed, 65, "'Ж' (U+0416) at character 5 and 1 more, '日' (U+65E5) at character 6")
      let skipped = try run(unrollPath, arguments + ["--unknown", "skip"])
      #expect(skipped.status == 0 && skipped.text.hasPrefix("fox Ж日Ж") && skipped.error.contains("'Ж' (U+0416)"))
      expectOneLine(try run(unrollPath, arguments + ["--unknown", "replace"]), 65, "--min-frequency")
    }
  }

  @Test func aClosedPipeEndsQuietly() throws {
    try withSmallModel { _, model, _ in
      let result = try run(
        "/bin/sh", ["-c", "'\(unrollPath)' generate --model '\(model)' --length 10000000 --seed 1 | head -c 20"])
      #expect(result.status == 0 && result.output.count == 20 && result.error.isEmpty)
    }
  }

  @Test func reportsPerplexity() throws {
    try withSmallModel { folder, model, text in
      let json = try JSON(parsing: unroll("perplexity", "--model", model, "--format", "json", text).output)
      let keys = [
        "tokens", "scored_tokens", "characters", "bytes", "words", "unknown_tokens", "nats_per_token", "perplexity",
        "bits_per_character", "bits_per_byte", "word_perplexity", "standard_error", "interval_low", "interval_high",
        "bootstrap_block_tokens", "nats_per_token_with_unknown", "nats_per_token_without_unknown", "positions", "kinds",
      ]
      #expect(json.members?.map(\.key) == keys)
      func number(_ key: String) throws -> Double { try #require(json[key]?.double) }
      let scalars = Double(smallText.unicodeScalars.count)
      #expect(try number("tokens") == scalars && number("scored_tokens") == scalars - 1)
      #expect(try number("characters") == scalars - 1 && number("bytes") == Double(smallText.utf8.count) - 1)
      #expect(try number("words") == Double(smallText.split(whereSeparator: \.isWhitespace).count))
      let nats = try number("nats_per_token")
      #expect(try abs(number("perplexity") - exp(nats)) < 1e-9)
      #expect(try abs(number("bits_per_character") - nats / log(2)) < 1e-9)
      #expect(try abs(number("bits_per_byte") * number("bytes") - nats / log(2) * (scalars - 1)) < 1e-6)
      #expect(try number("standard_error") > 0)

      let text1 = try unroll("perplexity", "--model", model, text)
      #expect(text1.text.contains("perplexity per token") && text1.text.contains("bits per byte"))
      let piped = try unroll("perplexity", "--model", model, "-", input: Array(smallText.utf8))
      #expect(piped.text == text1.text)
      let twice = try JSON(parsing: unroll("perplexity", "--model", model, "--format", "json", text, text).output)
      #expect(twice["scored_tokens"]?.double == 2 * (scalars - 1))
      #expect(abs((twice["nats_per_token"]?.double ?? 0) - nats) < 1e-12)
    }
  }

  @Test func countsAndNamesUnknownSymbols() throws {
    try withSmallModel { _, model, _ in
      let input = Array("the fox Ж jumps Ж over 日\n".utf8)
      let json = try JSON(parsing: unroll("perplexity", "--model", model, "--format", "json", "-", input: input).output)
      #expect(json["unknown_tokens"]?.integer == 3 && json["tokens"]?.integer == 22)
      #expect(json["characters"]?.integer == 21 && json["bytes"]?.integer == 21)
      let text = try unroll("perplexity", "--model", model, "-", input: input).text
      #expect(text.contains("'Ж' (U+0416) ×2, '日' (U+65E5) ×1"))
    }
  }

  @Test func theLibrarySaysTheSame() throws {
    try withSmallModel { _, path, text in
      let model = try Model(folder: path)
      let written = try unroll(
        "generate", "--model", path, "--length", "30", "--seed", "5", "--prompt", "Line ", "--no-echo", "--precision",
        "float32")
      #expect(try model.write(after: "Line ", length: 30, seed: 5) == written.text)
      let report = try JSON(parsing: unroll("perplexity", "--model", path, "--format", "json", text).output)
      #expect(try model.perplexity(of: smallText).natsPerToken == report["nats_per_token"]?.double)
    }
  }

  @Test func saysWhatItIs() throws {
    #expect(try unroll("--version").text == "0.1.0\n")
    let help = try unroll("--help")
    #expect(help.status == 0)
    for word in ["train", "generate", "perplexity", "Exit codes"] { #expect(help.text.contains(word)) }
    for (command, flags) in [
      ("train", ["--output", "--hidden-size", "--lanes", "--k1", "--budget", "--threads", "--seed", "--overwrite"]),
      ("generate", ["--prompt", "--temperature", "--seed", "--length", "--unknown"]),
      ("perplexity", ["--format", "--unknown", "--precision"]),
    ] {
      let text = try unroll(command, "--help").text
      for flag in flags { #expect(text.contains(flag), "\(command) \(flag)") }
    }
  }
}
