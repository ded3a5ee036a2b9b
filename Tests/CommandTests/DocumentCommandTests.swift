import Compute
import Foundation
import ModelFiles
import TestSupport
import Testing
import Unroll

/// `--documents`, from training to writing.
@Suite struct DocumentCommandTests {
  static let kinds = [
    ["--tokenizer", "character"], ["--tokenizer", "byte"], ["--tokenizer", "bpe", "--vocabulary-size", "300"],
    ["--tokenizer", "bpe-character", "--vocabulary-size", "340"],
    ["--tokenizer", "unigram", "--vocabulary-size", "340"],
    ["--cell", "gru", "--k2", "24", "--train-initial-state"],
    ["--cell", "rnn", "--state", "reset", "--recompute", "5"],
  ]

  /// Every kind of vocabulary, and some ways to truncate: trained, described, scored, written.
  @Test(arguments: kinds)
  func lines(_ flags: [String]) throws {
    try withSmallModel(["--documents", "line"] + flags) { _, model, text in
      let config = try JSON(parsing: Files.read("\(model)/config.json"))
      let generation = try JSON(parsing: Files.read("\(model)/generation_config.json"))
      let tokens = try JSON(parsing: Files.read("\(model)/tokenizer_config.json"))
      #expect(config["documents"]?.string == "line")
      #expect(config["bos_token_id"]?.integer == generation["bos_token_id"]?.integer)
      #expect(config["eos_token_id"]?.integer == generation["eos_token_id"]?.integer)
      #expect(tokens["bos_token"]?.string == "<s>" && tokens["eos_token"]?.string == "</s>")
      let start = try events("start", model)[0]
      #expect(start["training_documents"]?.integer == 72 && start["validation_documents"]?.integer == 8)

      let json = try JSON(parsing: unroll("perplexity", "--model", model, "--format", "json", text).output)
      #expect(json["documents"]?.integer == 80 && json["empty_documents"]?.integer == 0)
      #expect(json["characters"]?.integer == smallText.unicodeScalars.count - 80)
      #expect(json["bytes"]?.integer == smallText.utf8.count - 80)
      #expect(json["scored_tokens"]?.integer == json["tokens"]?.integer.map { $0 - 80 })
      let loss = try #require(json["nats_per_token"]?.double)
      #expect(loss > 0 && loss < 6)
      #expect(try Model(folder: model).perplexity(of: smallText).natsPerToken == loss)
      let written = try unroll("generate", "--model", model, "--length", "400", "--seed", "1", "--prompt", "Line 3")
      #expect(written.status == 0 && written.text.hasPrefix("Line 3"))
      #expect(!written.text.contains("<s>") && !written.text.contains("</s>"))
    }
  }

  /// A separator is stored as it is and found again; `--documents` of `perplexity` overrides it.
  @Test func separators() throws {
    try withTemporaryFolder { folder in
      let (model, text) = ("\(folder)/model", "\(folder)/text.txt")
      let documents = (0..<30).map { "tale \($0)\nof a fox\n" }
      try Files.writeDurably(Array(documents.joined(separator: "%\n").utf8), to: text)
      let trained = try run(
        unrollPath,
        ["train", text, "--output", model, "--documents", #"%\n"#, "--steps", "5"] + smallSizes)
      #expect(trained.status == 0, "\(trained.error)")
      #expect(trained.error.contains("27 documents to train on, 3 to validate on"))
      let config = try JSON(parsing: Files.read("\(model)/config.json"))
      #expect(config["documents"]?.string == "separator" && config["document_separator"]?.string == "%\n")
      func scored(_ extra: String...) throws -> JSON {
        let result = try run(unrollPath, ["perplexity", "--model", model, "--format", "json", text] + extra)
        return try JSON(parsing: result.output)
      }
      #expect(try scored()["documents"]?.integer == 30)
      #expect(try scored("--documents", "line")["documents"]?.integer == 89)
      #expect(try scored("--documents", "file")["documents"]?.integer == 1)
      #expect(try scored("--documents", "none")["documents"] == nil)
      #expect(try scored("--documents", "nothing")["documents"]?.integer == 1)
      let card = String(decoding: try Files.read("\(model)/README.md"), as: UTF8.self)
      #expect(card.contains("| documents | 27 to train on and 3 to validate on"))
    }
  }

  /// What is refused is told of documents, in which line ends are no symbols.
  @Test func unknownSymbols() throws {
    try withSmallModel(["--documents", "line"]) { folder, model, text in
      let known = try unroll("perplexity", "--model", model, "--unknown", "fail", text)
      #expect(known.status == 0, "\(known.error)")
      let refused = try unroll("perplexity", "--model", model, "--unknown", "fail", "-", input: Array("Line\nЖ\n".utf8))
      expectOneLine(refused, 65, "'Ж' (U+0416)")
      let int8 = try unroll("perplexity", "--model", model, "--precision", "int8", "--format", "json", text)
      #expect(try JSON(parsing: int8.output)["nats_per_token_above_float32"]?.double != nil)
    }
  }

  /// The same weights for any number of threads, with documents as without.
  @Test func threadsChangeNoBit() throws {
    func weights(_ flags: [String]) throws -> [UInt8] {
      try withSmallModel(["--documents", "line", "--lanes", "9", "--k1", "7"] + flags) { _, model, _ in
        try Files.read("\(model)/model.safetensors")
      }
    }
    let one = try weights(["--threads", "1"])
    #expect(try one == weights(["--threads", "2"]))
    #expect(try one == weights(["--recompute", "7"]))
    #expect(try one != weights(["--seed", "2"]))
  }

  /// A model that has learnt lines by heart ends them.
  @Test func anEndEnds() throws {
    try withTemporaryFolder { folder in
      let (model, text) = ("\(folder)/model", "\(folder)/text.txt")
      try Files.writeDurably(Array(String(repeating: "abc\n", count: 400).utf8), to: text)
      let trained = try run(
        unrollPath,
        ["train", text, "--output", model, "--documents", "line", "--steps", "200", "--learning-rate", "0.02"]
          + smallSizes)
      #expect(trained.status == 0, "\(trained.error)")
      let written = try unroll("generate", "--model", model, "--greedy", "--length", "50")
      #expect(written.text == "abc")
      #expect(try unroll("generate", "--model", model, "--greedy", "--prompt", "ab", "--no-echo").text == "c")
      #expect(try Model(folder: model).write(after: "a", length: 9, temperature: 0, seed: 1) == "bc")
    }
  }

  @Test(arguments: [
    (["train", "t", "--output", "m", "--documents", ""], "empty"),
    (["train", "t", "--output", "m", "--documents", #"\q"#], "backslash"),
    (["train", "--source", "reber", "--output", "m", "--documents", "line"], "--documents is for a corpus"),
    (["perplexity", "t", "--model", "m", "--documents", ""], "empty"),
  ])
  func wrongUsage(_ arguments: [String], _ expected: String) throws {
    let result = try run(unrollPath, arguments)
    #expect(result.status == 64 && result.error.contains(expected), "\(result.error)")
  }

  @Test func badInput() throws {
    try withSmallModel { folder, model, text in
      let plain = try run(unrollPath, ["perplexity", "--model", model, text, "--documents", "line"])
      expectOneLine(plain, 64, "has no <s>")
      let other = "\(folder)/other"
      for (documents, expected) in [("%%%", "never occurs in the corpus"), ("file", "a single document")] {
        let refused = try run(unrollPath, ["train", text, "--output", other, "--documents", documents] + smallSizes)
        expectOneLine(refused, 65, expected)
      }
      let vocabulary = try run(
        unrollPath, ["train", text, "--output", other, "--documents", "line", "--tokenizer", model] + smallSizes)
      expectOneLine(vocabulary, 65, "no special symbols <s> and </s>")
      #expect(!Files.names(in: folder).contains("other"))
    }
  }

  /// A folder whose vocabulary and configuration do not go together is refused.
  @Test func aFolderThatDoesNotFit() throws {
    try withSmallModel(["--documents", "line"]) { _, model, text in
      let path = "\(model)/config.json"
      let config = String(decoding: try Files.read(path), as: UTF8.self)
      for (old, new, expected) in [
        (#""bos_token_id": 0"#, #""bos_token_id": 5"#, "tokenizer.json"),
        (#""bos_token_id": 0"#, #""bos_token_id": 999999"#, "config.json"),
        (#""documents": "line""#, #""documents": "page""#, "config.json"),
        (#""documents": "line""#, #""documents": "separator""#, "document_separator"),
      ] {
        try Files.writeDurably(Array(config.replacing(old, with: new).utf8), to: path)
        let refused = try run(unrollPath, ["perplexity", "--model", model, text])
        expectOneLine(refused, 65, expected)
      }
    }
  }
}
