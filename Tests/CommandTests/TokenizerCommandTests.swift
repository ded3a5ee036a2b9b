import ModelFiles
import TestSupport
import Testing

@Suite struct TokenizerCommandTests {
  /// Trains a tokenizer on ``smallText`` and hands over its path.
  private func withTokenizer(_ arguments: [String], _ body: (_ folder: String, _ path: String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(Array(smallText.utf8), to: "\(folder)/text")
      let path = "\(folder)/tokenizer.json"
      let result = try run(unrollPath, ["tokenizer", "train", "\(folder)/text", "-o", path] + arguments)
      guard result.status == 0 else { throw Unexpected(message: result.error) }
      try body(folder, path)
    }
  }

  @Test(arguments: [
    ["--tokenizer", "byte"], ["--tokenizer", "bpe", "--vocabulary-size", "300"],
    ["--tokenizer", "bpe-character", "--vocabulary-size", "350"],
    ["--tokenizer", "unigram", "--vocabulary-size", "350", "--pre-tokenization", "whitespace"],
  ])
  func encodesAndDecodes(_ arguments: [String]) throws {
    try withTokenizer(arguments) { _, path in
      let text = "The naïve 🦊 – \u{0}never seen: 日本\r\n"
      let ids = try unroll("tokenizer", "encode", "--tokenizer", path, input: Array(text.utf8))
      #expect(ids.status == 0, "\(ids.error)")
      let decoded = try unroll("tokenizer", "decode", "--tokenizer", path, input: ids.output)
      #expect(decoded.status == 0 && decoded.output == Array(text.utf8))
      let asJSON = try unroll("tokenizer", "encode", "-t", path, "--format", "json", input: Array(text.utf8))
      let json = try JSON(parsing: asJSON.output)
      let count = ids.text.split(separator: "\n").count
      #expect(json["ids"]?.array?.count == count && json["offsets"]?.array?.count == count)
      #expect(json["offsets"]?.array?.last?.array?[1].integer == text.utf8.count)
      let again = try unroll("tokenizer", "decode", "-t", path, "--format", "json", input: asJSON.output)
      #expect(again.output == Array(text.utf8))
      let tokens = try unroll("tokenizer", "encode", "-t", path, "--format", "tokens", input: Array(text.utf8))
      #expect(tokens.text.split(separator: "\n").count == count)
    }
  }

  @Test func describes() throws {
    try withTokenizer(["--tokenizer", "bpe", "--vocabulary-size", "300"]) { folder, path in
      let result = try unroll("tokenizer", "info", path, "--text", "\(folder)/text")
      #expect(result.status == 0, "\(result.error)")
      for part in ["300", "tokens per word", "bytes per token", "unknown"] { #expect(result.text.contains(part)) }
      let speed = try unroll(
        "bench", "tokenizer", "--tokenizer", path, "--text", "\(folder)/text", "--seconds", "0.05", "--json")
      #expect((try JSON(parsing: speed.output)["bytes_per_second"]?.double ?? 0) > 0)
    }
  }

  /// Trains, writes and scores with every kind; bits are of the same bytes whatever the vocabulary.
  @Test(arguments: [
    ["--tokenizer", "byte"], ["--tokenizer", "bpe", "--vocabulary-size", "290"],
    ["--tokenizer", "unigram", "--vocabulary-size", "330"],
  ])
  func trainsModels(_ arguments: [String]) throws {
    try withSmallModel(arguments) { _, model, text in
      let written = try unroll("generate", "--model", model, "--prompt", "Line é", "--length", "40", "--seed", "3")
      #expect(written.status == 0 && written.text.hasPrefix("Line é"), "\(written.error)")
      #expect(String(validating: written.output, as: UTF8.self) != nil)
      let report = try unroll("perplexity", "--model", model, "--format", "json", text)
      let json = try JSON(parsing: report.output)
      let tokens = try #require(json["scored_tokens"]?.integer)
      let bytes = try #require(json["bytes"]?.integer)
      let nats = try #require(json["nats_per_token"]?.double)
      let bits = try #require(json["bits_per_byte"]?.double)
      #expect(abs(bits * Double(bytes) - nats * Double(tokens) / 0.6931471805599453) < 1e-6 * bits * Double(bytes))
      #expect(bytes < smallText.utf8.count && bytes > smallText.utf8.count - 20)
      #expect(arguments[1] != "byte" || tokens == bytes)
    }
  }

  /// A tokenizer that is there already is used as it is.
  @Test func trainsWithATokenizerFromAFile() throws {
    try withTokenizer(["--tokenizer", "bpe", "--vocabulary-size", "280"]) { folder, path in
      let result = try run(
        unrollPath,
        ["train", "\(folder)/text", "-o", "\(folder)/m", "--steps", "3", "--tokenizer", path] + smallSizes)
      #expect(result.status == 0, "\(result.error)")
      #expect(try Files.read("\(folder)/m/tokenizer.json") == Files.read(path))
      #expect(try unroll("tokenizer", "info", "\(folder)/m").text.contains("280"))
    }
  }

  @Test(arguments: [
    (["tokenizer", "encode", "-t", "/nowhere"], Int32(66), "no such file"),
    (["train", "TEXT", "-o", "OUT", "--vocabulary-size", "300"], 64, "--vocabulary-size is for"),
    (["train", "TEXT", "-o", "OUT", "--tokenizer", "nonesuch"], 66, "no such file"),
    (
      ["tokenizer", "train", "TEXT", "-o", "OUT", "--tokenizer", "bpe", "--vocabulary-size", "200"], 65,
      "cannot hold its alphabet of 256"
    ),
    (
      ["tokenizer", "train", "TEXT", "-o", "OUT", "--tokenizer", "bpe", "--vocabulary-size", "0"], 64, "it must be 1 to"
    ),
    (
      ["tokenizer", "train", "TEXT", "-o", "OUT", "--tokenizer", "bpe", "--pre-tokenization", "x"], 64,
      "--pre-tokenization is"
    ),
    (["tokenizer", "encode", "-t", "TEXT"], 65, "is not JSON"), (["bench", "tokenizer"], 64, "wants both"),
  ])
  func saysWhatIsWrong(_ arguments: [String], _ status: Int32, _ message: String) throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(Array(smallText.utf8), to: "\(folder)/text")
      let names = ["TEXT": "\(folder)/text", "OUT": "\(folder)/out"]
      let result = try run(unrollPath, arguments.map { names[$0] ?? $0 })
      #expect(result.status == status && result.error.contains(message), "\(result.status) \(result.error)")
    }
  }

  @Test(arguments: ["1 x", "-1", "99999", "1e3"])
  func refusesIdsThatAreNone(_ ids: String) throws {
    try withTokenizer(["--tokenizer", "byte"]) { _, path in
      let result = try unroll("tokenizer", "decode", "-t", path, input: Array(ids.utf8))
      #expect(result.status == 65 && result.error.contains("is not an id of 0 ..< 256"), "\(result.error)")
    }
  }

  @Test func nothingIsNoTokens() throws {
    let result = try unroll("tokenizer", "encode", "--tokenizer", "\(packagePath)/models/harbour", input: [])
    #expect(result.status == 0 && result.text.split(separator: "\n").isEmpty && result.error.isEmpty)
  }
}
