import Foundation
import ModelFiles
import TestSupport
import Testing

/// Files of token ids and other corpora, from the command line.
@Suite struct TokenFileCommandTests {
  /// A folder with ``smallText``, a tokenizer and its file of ids.
  private func withTokens(_ body: (_ folder: String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(Array(smallText.utf8), to: "\(folder)/text")
      try Files.writeDurably(gzipMember(Array(smallText.utf8)), to: "\(folder)/text.gz")
      let steps = [
        ["tokenizer", "train", "text", "-o", "t.json", "--tokenizer", "bpe", "--vocabulary-size", "300"],
        ["tokenizer", "encode", "text.gz", "-t", "t.json", "-o", "text.tokens"],
      ]
      for arguments in steps {
        let result = try run(unrollPath, arguments, folder: folder)
        guard result.status == 0 else { throw Unexpected(message: result.error) }
      }
      try body(folder)
    }
  }

  @Test func encodesDescribesAndDecodes() throws {
    try withTokens { folder in
      #expect(Files.names(in: folder) == ["t.json", "text", "text.gz", "text.tokens"])
      let info = try unroll("tokenizer", "info", "\(folder)/text.tokens")
      #expect(info.status == 0 && info.text.contains("of 16 bits"), "\(info.error)")
      #expect(info.text.contains(sha256(Array(smallText.utf8))))
      let decoded = try unroll("tokenizer", "decode", "\(folder)/text.tokens", "-t", "\(folder)/t.json")
      #expect(decoded.status == 0 && decoded.output == Array(smallText.utf8), "\(decoded.error)")
    }
  }

  /// Several encodings of one text, all of them its own; the same for a seed.
  @Test func drawsEncodings() throws {
    try withTokens { folder in
      func run(_ arguments: String...) throws -> ProgramResult {
        try TestSupport.run(unrollPath, arguments, folder: folder)
      }
      let vocabulary = try run(
        "tokenizer", "train", "text", "-o", "u.json", "--tokenizer", "unigram", "--vocabulary-size", "400")
      #expect(vocabulary.status == 0, "\(vocabulary.error)")
      for (name, seed) in [("one", "7"), ("two", "7"), ("three", "8")] {
        let result = try run(
          "tokenizer", "encode", "text", "text", "-t", "u.json", "-o", name, "--subword-sampling", "0.3", "--seed", seed
        )
        #expect(result.status == 0, "\(result.error)")
      }
      #expect(try Files.read("\(folder)/one") == Files.read("\(folder)/two"))
      #expect(try Files.read("\(folder)/one") != Files.read("\(folder)/three"))
      #expect(try run("tokenizer", "decode", "one", "-t", "u.json").output == Array((smallText + smallText).utf8))
      let ids = try run("tokenizer", "encode", "text", "text", "-t", "u.json", "--subword-sampling", "0.3").text
      let plain = try run("tokenizer", "encode", "text", "text", "-t", "u.json").text
      #expect(ids.split(separator: "\n").count > plain.split(separator: "\n").count)
      let refused = try run("tokenizer", "encode", "text", "-t", "t.json", "--subword-sampling", "0.3")
      #expect(refused.status == 65 && refused.error.contains("only a unigram vocabulary"))
    }
  }

  /// The same tokens from a file of ids, text, gzip, a folder, a pipe and two halves make the same model to the bit.
  @Test func trainsOnWhateverHoldsTheText() throws {
    try withTokens { folder in
      try Files.makeFolder("\(folder)/halves")
      let half = smallText.utf8.count / 2
      let bytes = Array(smallText.utf8)
      try #require(bytes[half] & 0xC0 != 0x80)
      try Files.writeDurably(Array(bytes[..<half]), to: "\(folder)/halves/1")
      try Files.writeDurably(gzipMember(Array(bytes[half...])), to: "\(folder)/halves/2.gz")
      var models: [[UInt8]] = []
      for (place, corpus) in ["text", "text.gz", "halves", "-", "text.tokens"].enumerated() {
        let result = try run(
          unrollPath,
          ["train", corpus, "-o", "m\(place)", "-t", "t.json", "--steps", "5", "--validation-fraction", "0"]
            .map { $0 == "-t" ? "--tokenizer" : $0 } + smallSizes, input: bytes, folder: folder)
        #expect(result.status == 0, "\(corpus) \(result.error)")
        models.append(try Files.read("\(folder)/m\(place)/model.safetensors"))
        let start = try #require(try events("start", "\(folder)/m\(place)").first)
        #expect(start["corpus_sha256"]?.string == sha256(bytes))
        #expect(start["corpus_files"]?.integer == (corpus == "halves" ? 2 : 1))
        #expect(result.error.contains("halves has 2 files") == (corpus == "halves"))
      }
      #expect(models.allSatisfy { $0 == models[0] })
    }
  }

  @Test func validatesOnTheLastIds() throws {
    try withTokens { folder in
      func train(_ extra: [String]) throws -> JSON {
        let result = try run(
          unrollPath,
          ["train", "text.tokens", "-o", "m", "--overwrite", "--tokenizer", "t.json", "--steps", "5"] + smallSizes
            + extra, folder: folder)
        #expect(result.status == 0, "\(result.error)")
        return try #require(try events("start", "\(folder)/m").first)
      }
      let all = try train(["--validation-fraction", "0"])
      let count = try #require(all["training_tokens"]?.integer) + (all["left_out_tokens"]?.integer ?? 0) + 1
      let part = try train(["--validation-fraction", "0.25"])
      let rest = try #require(part["training_tokens"]?.integer) + (part["left_out_tokens"]?.integer ?? 0) + 1
      #expect(rest == count * 3 / 4 && part["validation_tokens"]?.integer == count - rest)
      let last = try #require(try events("validation", "\(folder)/m").last)
      #expect(last["bits_per_character"]?.double ?? 0 > 0)
      for other in ["text.tokens", "text"] {
        #expect(try train(["--validation", other])["validation_tokens"]?.integer == count)
      }
    }
  }

  @Test func scoresAFolder() throws {
    try withSmallModel { folder, model, text in
      try Files.makeFolder("\(folder)/texts")
      try Files.writeDurably(Array(smallText.utf8), to: "\(folder)/texts/a")
      try Files.writeDurably(gzipMember(Array(smallText.utf8)), to: "\(folder)/texts/b.gz")
      let one = try JSON(parsing: try unroll("perplexity", "--model", model, "--format", "json", text).output)
      let two = try unroll("perplexity", "--model", model, "--format", "json", "\(folder)/texts")
      #expect(two.status == 0 && two.error.contains("has 2 files"), "\(two.error)")
      let json = try JSON(parsing: two.output)
      #expect(json["scored_tokens"]?.integer == 2 * (one["scored_tokens"]?.integer ?? 0))
    }
  }

  @Test func saysWhatIsWrong() throws {
    try withTokens { folder in
      func expect(_ arguments: [String], _ message: String, status: Int32 = 65) throws {
        let result = try run(unrollPath, arguments, folder: folder)
        expectOneLine(result, status, message)
      }
      let train = ["train", "text.tokens", "-o", "m"]
      try expect(train, "name the tokenizer that made them")
      try expect(train + ["--tokenizer", "bpe"], "name the tokenizer that made them")
      _ = try run(
        unrollPath, ["tokenizer", "train", "text", "-o", "u.json", "--tokenizer", "byte"], folder: folder)
      try expect(train + ["--tokenizer", "u.json"], "was made by another tokenizer than u.json")
      try expect(["tokenizer", "decode", "text.tokens", "-t", "u.json"], "was made by another tokenizer")
      try expect(["train", "text", "text.tokens", "-o", "m"], "holds token ids, not text")
      try expect(["perplexity", "--model", "m", "text.tokens"], "no such model folder", status: 66)
      // Another vocabulary size in the header: the hash alone does not see it.
      var bytes = try Files.read("\(folder)/text.tokens")
      bytes[24] = 0xFF
      try Files.writeDurably(bytes, to: "\(folder)/text.tokens")
      try expect(train + ["--tokenizer", "t.json"], "says that its vocabulary has 511 symbols; t.json has 300")
      try Files.writeDurably(Array(bytes.dropLast(3)), to: "\(folder)/text.tokens")
      try expect(train + ["--tokenizer", "t.json"], "is cut off")
      try expect(["tokenizer", "info", "text.tokens"], "is cut off")
      try Files.writeDurably(Array(gzipMember(Array(smallText.utf8)).dropLast(4)), to: "\(folder)/text.gz")
      try expect(["train", "text.gz", "-o", "m"], "text.gz: gzip data is cut off after byte")
      try expect(["tokenizer", "encode", "text.gz", "-t", "t.json", "-o", "y"], "is cut off after byte")
      try Files.makeFolder("\(folder)/none")
      try expect(["train", "none", "-o", "m"], "none: is a folder without text files", status: 66)
      #expect(!Files.names(in: folder).contains { $0 == "m" || $0 == "y" || $0.hasSuffix(".tmp") })
      let usage = try run(
        unrollPath, ["tokenizer", "encode", "text", "-t", "t.json", "-o", "y", "--format", "ids"], folder: folder)
      #expect(usage.status == 64 && usage.error.contains("--format is for standard output"))
    }
  }
}
