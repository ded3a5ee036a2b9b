import Corpora
import ModelFiles
import TestSupport
import Testing

/// `unroll train --source`.
@Suite struct SourceCommandTests {
  private func train(_ arguments: String...) throws -> ProgramResult { try run(unrollPath, ["train"] + arguments) }

  /// A fast source is learnt, and everything says what it was and how far it is from the optimum.
  @Test func learnsASourceAndComparesIt() throws {
    try withTemporaryFolder { folder in
      let model = "\(folder)/model"
      let result = try train(
        "--source", "xor:lag=2,p=0.1", "--source-length", "20000", "-o", model, "--hidden-size", "16", "--layers", "1",
        "--learning-rate", "0.01", "--lanes", "8", "--k1", "32", "--steps", "300", "--precision", "float32")
      #expect(result.status == 0 && result.output.isEmpty)
      let start = try events("start", model)[0]
      #expect(start["source"]?.string == "xor:lag=2,p=0.1" && start["validation_tokens"]?.integer == 2000)
      let optimum = try #require(start["optimal_validation_loss"]?.double)
      #expect(abs((start["optimal_loss"]?.double ?? 0) - 0.32508) < 1e-5)
      #expect(abs((start["forgetful_loss"]?.double ?? 0) - 0.69315) < 1e-5)
      let best = try #require(try events("end", model)[0]["best_validation_loss"]?.double)
      #expect(best > optimum - 0.005 && best < optimum + 0.03, "\(best), \(optimum)")
      let lines = result.error.split(separator: "\n").filter {
        $0.hasPrefix("source xor:lag=2,p=0.1, optimal loss 0.3251 ")
      }
      #expect(lines.count == 1, "\(result.error)")
      let card = String(decoding: try Files.read("\(model)/README.md"), as: UTF8.self)
      #expect(card.contains("| corpus | the source `xor:lag=2,p=0.1`, 20,000 bytes"))
      #expect(card.contains("| optimal loss | 0.3251 nats/character") && card.contains("| learnt when |"))
    }
  }

  /// The seed decides the text; another seed makes another one.
  @Test func theSeedDrawsTheText() throws {
    func hash(_ seed: String) throws -> String? {
      try withTemporaryFolder { folder in
        let model = "\(folder)/m"
        let sizes = ["--source-length", "3000", "--validation-fraction", "0", "--steps", "1", "--quiet"] + smallSizes
        let result = try run(unrollPath, ["train", "--source", "reber", "-o", model, "--seed", seed] + sizes)
        #expect(result.status == 0 && result.error.isEmpty, "\(result.error)")
        return try events("start", model)[0]["corpus_sha256"]?.string
      }
    }
    let one = try hash("1")
    #expect(one == sha256(Array(EmbeddedReber().text(length: 3000, seed: 1).utf8)))
    #expect(try hash("2") != one)
  }

  @Test func listsTheSources() throws {
    let result = try train("--source", "help")
    #expect(result.status == 0 && result.error.isEmpty)
    #expect(result.text.hasSuffix(SymbolSources.list + "\n"))
    for name in SymbolSources.names { #expect(result.text.contains("\n  \(name)")) }
    let wrong = try train("--source", "rebar", "-o", "m")
    #expect(wrong.status == 64 && wrong.error.hasPrefix("Error: there is no source 'rebar'."))
    #expect(wrong.error.contains(SymbolSources.list) && wrong.output.isEmpty)
  }

  @Test(arguments: [
    (["--source", "xor:lag=1", "-o", "m"], "the source xor wants lag"),
    (["--source", "xor:k=3", "-o", "m"], "the source xor has no parameter 'k'; it has lag, p"),
    (["--source", "reber", "text", "-o", "m"], "Give a corpus or --source, not both."),
    (["--source", "reber", "--validation", "text", "-o", "m"], "--validation is for a corpus"),
    (["--source", "reber", "--min-frequency", "2", "-o", "m"], "--min-frequency is for a corpus"),
    (["--source", "reber", "--source-length", "1", "-o", "m"], "--source-length is 1; it must be from 2"),
    (["text", "--source-length", "100", "-o", "m"], "--source-length is for --source."),
    (["--source", "reber"], "Missing expected argument '--output <output>'"),
    (["-o", "m"], "Missing expected argument '<corpus> ...'"),
    (["text"], "Missing expected argument '--output <output>'"),
    (["--source", "reber", "-o", ""], "--output is empty."),
  ])
  func wrongUsage(_ arguments: [String], _ message: String) throws {
    let result = try run(unrollPath, ["train"] + arguments)
    #expect(result.status == 64 && result.output.isEmpty)
    #expect(result.error.split(separator: "\n").first?.hasPrefix("Error: \(message)") == true, "\(result.error)")
  }

  @Test func aSourceThatIsTooShort() throws {
    try withTemporaryFolder { folder in
      let result = try run(
        unrollPath, ["train", "--source", "reber", "--source-length", "40", "-o", "\(folder)/m"] + smallSizes)
      #expect(result.status == 65 && result.error.contains("want at least 49"))
      #expect(Files.names(in: folder).isEmpty)
    }
  }
}
