import Foundation
import ModelFiles
import TestSupport
import Testing

/// `unroll gradients`: its forms, and what it refuses.
@Suite struct GradientsCommandTests {
  private static let small = ["--hidden-size", "8", "--lags", "12", "--steps", "20", "--lanes", "2"]

  private func withText(_ body: (_ folder: String, _ text: String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(Array(smallText.utf8), to: "\(folder)/text.txt")
      try body(folder, "\(folder)/text.txt")
    }
  }

  /// The keys that other programs rely on.
  @Test(arguments: [["lstm"], ["lstm", "--layer-norm"], ["gru"], ["rnn"], ["rnn", "--nonlinearity", "relu"]])
  func jsonHasItsKeys(_ flags: [String]) throws {
    try withText { _, text in
      let cell = flags.last == "--layer-norm" ? "layer_norm_lstm" : flags[0]
      let result = try run(
        unrollPath, ["gradients", text, "--layers", "2", "--format", "json", "--cell"] + flags + Self.small)
      #expect(result.status == 0 && result.error.isEmpty, "\(result.error)")
      let json = try JSON(parsing: result.output)
      let layers = try #require(json["layers"]?.array)
      #expect(layers.count == 2)
      for layer in layers {
        #expect(layer["cell"]?.string == cell)
        #expect(layer["nonlinearity"]?.string == (cell == "rnn" ? flags.last.map { $0 == cell ? "tanh" : $0 } : nil))
        #expect(layer["norm_by_lag"]?.array?.count == 13)
        #expect(["vanishing", "stable", "exploding"].contains(layer["verdict"]?.string))
        for key in ["decay", "half_life", "spectral_radius", "lyapunov_exponent"] { #expect(layer[key]?.double != nil) }
        #expect(layer["matrices"]?.array?.count == (cell.hasSuffix("lstm") ? 4 : cell == "gru" ? 3 : 1))
        #expect((layer["cell_norm_by_lag"]?.array?.count == 13) == cell.hasSuffix("lstm"))
      }
      #expect(json["weight_gradient_by_path_length"]?.array?.count == 13)
      let truncation = try #require(json["truncation"]?.array)
      for key in ["k1", "k2", "relative_error", "cosine", "activation_bytes", "milliseconds_per_step"] {
        #expect(truncation.allSatisfy { $0[key]?.double != nil }, "\(key)")
      }
      #expect(truncation.contains { $0["k2"]?.integer == json["recommended_k2"]?.integer })
    }
  }

  @Test func looksAtATrainedModel() throws {
    try withSmallModel(["--cell", "gru"]) { folder, model, text in
      let arguments = ["gradients", "--model", model, text, "--lags", "20", "--lanes", "2"]
      let words = try run(unrollPath, arguments, environment: ["NO_COLOR": "1"])
      #expect(words.status == 0 && words.text.contains("gru, 2 × 12") && words.text.contains("█"), "\(words.error)")
      #expect(words.text.contains("stable where its decay per step lies between 0.966 and 1.035"))
      let strange = "\(folder)/strange.txt"
      try Files.writeDurably(Array(("Ω" + smallText + "Ω").utf8), to: strange)
      let warned = try run(unrollPath, ["gradients", "--model", model, strange, "--lags", "5", "--lanes", "2"])
      #expect(warned.status == 0 && warned.error.contains("×2") && warned.error.split(separator: "\n").count == 1)
      let page = "\(folder)/page.html"
      let html = try run(unrollPath, arguments + ["--format", "html", "--output", page])
      #expect(html.status == 0 && html.output.isEmpty, "\(html.error)")
      let content = String(decoding: try Files.read(page), as: UTF8.self)
      #expect(content.hasPrefix("<!DOCTYPE html>") && content.contains("<svg") && content.hasSuffix("</html>\n"))
      let svg = try run(unrollPath, arguments + ["--format", "svg"])
      #expect(svg.status == 0 && svg.text.hasPrefix("<svg") && svg.text.contains("per step"))
    }
  }

  /// A fresh model is a function of its seed, and standard input a text like any other.
  @Test func seedsMakeWeights() throws {
    func loss(_ seed: String) throws -> Double? {
      let result = try run(
        unrollPath, ["gradients", "-", "--cell", "rnn", "--seed", seed, "--format", "json"] + Self.small,
        input: Array(smallText.utf8))
      return try JSON(parsing: result.output)["loss"]?.double
    }
    let (first, again, other) = (try loss("1"), try loss("1"), try loss("2"))
    #expect(first != nil && first == again && first != other)
  }

  @Test(arguments: [
    (["--cell", "rnn", "--lanes", "50"], Int32(65), "want at least"),
    (["--model", "/nonexistent"], 66, "no such model folder"),
    (["--cell", "rnn", "--nonlinearity", "relu", "--output", "/nonexistent/page"], 73, "/nonexistent"),
  ])
  func badInputGetsOneLine(_ arguments: [String], _ status: Int32, _ message: String) throws {
    try withText { _, text in
      let result = try run(unrollPath, ["gradients", text] + arguments)
      #expect(result.status == status && result.output.isEmpty)
      #expect(result.error.contains(message) && result.error.split(separator: "\n").count == 1, "\(result.error)")
    }
  }

  @Test(arguments: [
    [], ["--cell", "swim"], ["--cell", "rnn", "--lags", "20", "--steps", "20"], ["--cell", "rnn", "--lags", "0"],
    ["--model", "x", "--cell", "rnn"], ["--model", "x", "--seed", "3"], ["--cell", "gru", "--nonlinearity", "relu"],
    ["--cell", "gru", "--forget-bias", "1"], ["--cell", "lstm", "--lanes", "0"], ["--cell", "rnn", "--output", ""],
    ["--cell", "rnn", "--hidden-size", "0"], ["--cell", "rnn", "--layers", "65"],
  ])
  func wrongUsage(_ arguments: [String]) throws {
    try withText { _, text in
      let result = try run(unrollPath, ["gradients", text] + arguments)
      #expect(result.status == 64, "\(result.error)")
    }
  }
}
