import ModelFiles
import TestSupport
import Testing

/// What texts go through before they are symbols, in every command alike.
@Suite struct NormalizationCommandTests {
  /// Trains, and what the model writes and scores has gone through the same steps as what it was trained on.
  @Test(arguments: ["nfd,strip-accents,lowercase", "nfkc,casefold", "line-endings,lowercase"])
  func appliesStepsEverywhere(_ names: String) throws {
    try withSmallModel(["--normalization", names]) { folder, model, text in
      let info = try unroll("tokenizer", "info", model)
      #expect(info.text.contains(names), "\(info.text) \(info.error)")
      let upper = try unroll("tokenizer", "encode", "-t", model, input: Array("LINE".utf8))
      let lower = try unroll("tokenizer", "encode", "-t", model, input: Array("line".utf8))
      #expect(upper.status == 0 && upper.text == lower.text && !upper.text.isEmpty)
      let written = try unroll("generate", "-m", model, "-p", "LINE", "-l", "20", "--greedy", "--no-echo")
      let same = try unroll("generate", "-m", model, "-p", "line", "-l", "20", "--greedy", "--no-echo")
      #expect(written.status == 0 && written.text == same.text && written.text == written.text.lowercased())
      let scores = try ["THE LINE", "the line"].map { line in
        try Files.writeDurably(Array(line.utf8), to: "\(folder)/scored")
        return try unroll("perplexity", "-m", model, "--format", "json", "\(folder)/scored").text
      }
      #expect(scores[0] == scores[1] && scores[0].contains("nats_per_token"))
    }
  }

  @Test func doesNotExportWhatOthersCannotRead() throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(Array(smallText.utf8), to: "\(folder)/text")
      for (flags, message) in [
        (["--normalization", "casefold"], "no word for the normalization casefold"),
        (["--tokenizer", Golden.path("sentencepiece-bpe.model")], "no exact words for the rules of a sentencepiece"),
      ] {
        let result = try run(
          unrollPath, ["tokenizer", "train", "\(folder)/text", "-o", "\(folder)/t.json"] + flags)
        #expect(result.status == 65 && result.error.contains(message), "\(result.error)")
        #expect(result.error.split(separator: "\n").count == 1 && Files.names(in: folder) == ["text"])
      }
    }
  }

  @Test func trainsWithASentencepieceModel() throws {
    try withSmallModel(["--tokenizer", Golden.path("sentencepiece-bpe.model")]) { _, model, _ in
      let prompt = "the fox went to the har"
      let here = try unroll(
        "tokenizer", "encode", "-t", Golden.path("sentencepiece-bpe.model"), input: Array(prompt.utf8))
      #expect(try unroll("tokenizer", "encode", "-t", model, input: Array(prompt.utf8)).text == here.text)
      let written = try unroll("generate", "-m", model, "-p", prompt, "-l", "10", "--seed", "1")
      #expect(written.status == 0 && written.text.hasPrefix(prompt), "\(written.error)")
    }
  }

  @Test func trainsWithGraphemes() throws {
    try withSmallModel(["--unit", "grapheme"]) { _, model, _ in
      let written = try unroll("generate", "-m", model, "-p", "Line", "-l", "30", "--seed", "1")
      #expect(written.status == 0 && written.text.hasPrefix("Line"), "\(written.error)")
      #expect(try unroll("tokenizer", "info", model).text.contains("clusters"))
    }
  }

  /// Every command that reads text says how many sequences it replaced.
  @Test func replacesInvalidUTF8() throws {
    try withSmallModel(["--tokenizer", "byte"]) { folder, model, text in
      let path = "\(folder)/damaged"
      let damaged = Array("Line ".utf8) + [0xFF, 0xE2, 0x82] + (try Files.read(text))
      try Files.writeDurably(damaged, to: path)
      for arguments in [
        ["perplexity", "-m", model, path], ["tokenizer", "info", model, "--text", path],
        ["gradients", "-m", model, path, "--lags", "5"],
        ["bench", "tokenizer", "--tokenizer", model, "--text", path, "--seconds", "0.01"],
        ["tokenizer", "train", path, "-o", "\(folder)/t.json", "--tokenizer", "byte"],
        ["train", path, "-o", "\(folder)/m2", "--steps", "1", "--tokenizer", "byte"] + smallSizes,
        ["generate", "-m", model, "-p", "-", "-l", "3"], ["tokenizer", "encode", "-t", model],
      ] {
        let refused = try run(unrollPath, arguments, input: damaged)
        #expect(refused.status == 65 && refused.error.contains("invalid UTF-8 at byte 5"), "\(arguments)")
        let replaced = try run(unrollPath, arguments + ["--invalid-utf8", "replace"], input: damaged)
        #expect(replaced.status == 0, "\(arguments) \(replaced.error)")
        #expect(replaced.error.contains("2 sequences of bytes were not UTF-8"), "\(arguments) \(replaced.error)")
      }
    }
  }

  @Test(arguments: [
    (["--normalization", "nfc,upper"], "there is no normalization step \"upper\""),
    (["--unit", "grapheme", "--tokenizer", "byte"], "--unit is for --tokenizer character"),
  ])
  func saysWhatIsWrong(_ flags: [String], _ message: String) throws {
    let result = try run(unrollPath, ["tokenizer", "train", "t", "-o", "o"] + flags)
    #expect(result.status == 64 && result.error.contains(message), "\(result.error)")
  }
}
