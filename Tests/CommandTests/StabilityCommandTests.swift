import ModelFiles
import TestSupport
import Testing

/// What a person sees of clipping, and of a training that blows up.
@Suite struct StabilityCommandTests {
  /// A learning rate that is far too large: each burst is told once, the run goes back once, then ends with one clear
  /// line, exit code 65 and a good model.
  @Test(arguments: ["0", "0.1"])
  func aTrainingThatBlowsUp(_ validationFraction: String) throws {
    try withTemporaryFolder { folder in
      let (model, text) = ("\(folder)/model", "\(folder)/text")
      try Files.writeDurably(Array(smallText.utf8), to: text)
      let result = try run(
        unrollPath,
        ["train", text, "-o", model, "--steps", "500", "--learning-rate", "10", "--hidden-size", "64"]
          + ["--lanes", "4", "--k1", "12", "--validation-fraction", validationFraction, "--schedule", "constant"])
      #expect(result.status == 65 && result.output.isEmpty)
      let lines = result.error.split(separator: "\n")
      #expect(lines.count { $0.contains("the update is left out") } == 2, "\(result.error)")
      #expect(lines.count { $0.contains("going back to the weights of step") } == 1)
      let last = try #require(lines.last)
      #expect(last.hasPrefix("Error: training diverged: 10 steps in a row were bad, up to step "))
      #expect(last.contains("the best model so far is in \(Files.resolved(model)): use a smaller --learning-rate"))
      #expect(lines.count { $0.hasPrefix("Error: ") } == 1)

      let rollback = try #require(try events("rollback", model).first)
      #expect(rollback["to_step"]?.integer == 0 && rollback["learning_rate"]?.double == 5)
      let skipped = try events("skipped", model)
      #expect(skipped.count >= 20)
      #expect(skipped.allSatisfy { $0["reason"]?.string == "the loss is far above the usual" })
      #expect(skipped.allSatisfy { $0["loss"]?.double ?? 0 > 16 && $0["gradient_norm"]?.double != nil })
      #expect(try events("end", model).first?["reason"]?.string == "diverged")
      // A fresh model guesses among all symbols alike; one that has diverged would be far above.
      let report = try unroll("perplexity", "--model", model, "--format", "json", text)
      #expect(report.status == 0, "\(report.error)")
      #expect(try #require(try JSON(parsing: report.output)["nats_per_token"]?.double) < 4)
    }
  }

  /// By norm 1 where nothing is said; by value alone, or by value and then by norm, where the flags say so.
  @Test(
    arguments: [
      ([], "gradients clipped to norm 1.0 |"),
      (["--clip-value", "0.0625"], "gradients clipped to values of ±0.0625 |"),
      (["--clip", "0.5", "--clip-value", "0.0625"], "clipped to values of ±0.0625, then clipped to norm 0.5 |"),
    ] as [([String], String)])
  func clippingIsChosenByFlags(_ flags: [String], _ words: String) throws {
    try withSmallModel(flags) { _, model, _ in
      let card = String(decoding: try Files.read("\(model)/README.md"), as: UTF8.self)
      #expect(card.contains(words))
    }
  }

  /// Bounds that every gradient passes, and one that none does, make different models; the log says how often they bit.
  @Test func clippingIsLogged() throws {
    func shares(_ flags: [String]) throws -> (shares: [Double], weights: [UInt8]) {
      try withSmallModel(flags + ["--precision", "float32"]) { _, model, _ in
        (
          try events("step", model).compactMap { $0["clipped"]?.double },
          try Files.read("\(model)/model.safetensors")
        )
      }
    }
    let (byNorm, byValue) = (try shares(["--clip", "1e-6"]), try shares(["--clip-value", "1e-6"]))
    let (loose, none) = (try shares(["--clip-value", "1e6"]), try shares(["--clip", "1e6"]))
    #expect(byNorm.shares == [1, 1, 1] && byValue.shares == [1, 1, 1])
    #expect(loose.shares == [0, 0, 0] && none.shares == [0, 0, 0])
    #expect(loose.weights == none.weights)
    #expect(byNorm.weights != byValue.weights && byNorm.weights != none.weights)
  }
}
