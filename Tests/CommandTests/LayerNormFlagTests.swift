import Foundation
import ModelFiles
import TestSupport
import Testing

/// `--layer-norm`, and the folder that it makes.
@Suite struct LayerNormFlagTests {
  @Test(arguments: [
    (["--cell", "gru", "--layer-norm"], "--layer-norm is for --cell lstm; there is none in the cell of gru."),
    (["--cell", "rnn", "--layer-norm"], "--layer-norm is for --cell lstm; there is none in the cell of rnn."),
    (["--cell", "layer_norm_lstm"], "Please provide one of lstm, gru or rnn."),
  ])
  func wrongUsage(_ flags: [String], _ words: String) throws {
    for command in [["train", "t", "-o", "m"], ["bench", "train"], ["gradients", "t"]] {
      let result = try run(unrollPath, command + flags)
      #expect(result.status == 64 && result.error.hasPrefix("Error: "), "\(result.error)")
      let listed = result.error.replacing("'", with: "")
      #expect(listed.contains(words), "\(result.error)")
    }
  }

  /// The folder says what it is, in no name of torch.nn.LSTM's beside the matrices, and every precision reads it.
  @Test func theFolderTells() throws {
    try withSmallModel(["--layer-norm", "--precision", "float32"]) { _, model, text in
      let weights = try Safetensors(parsing: Files.read("\(model)/model.safetensors"))
      let names = Set(weights.entries.map(\.name).filter { $0.hasPrefix("rnn.") && $0.contains("_l1") })
      let norms = ["ih", "hh", "c"].flatMap { place in
        ["weight", "bias"].map { "rnn.layernorm_\(place)_l1.\($0)" }
      }
      #expect(names == Set(norms + ["rnn.weight_ih_l1", "rnn.weight_hh_l1", "rnn.bias_l1"]))
      #expect(try JSON(parsing: Files.read("\(model)/config.json"))["cell"]?.string == "layer_norm_lstm")
      let card = String(decoding: try Files.read("\(model)/README.md"), as: UTF8.self)
      #expect(card.contains("lstm with layer norm") && card.contains("`torch.nn.LSTM` does not load it"))
      let info = try run(unrollPath, ["info", model])
      #expect(info.text.contains("lstm with layer norm"))
      var losses: [Double] = []
      for precision in ["float32", "int8"] {
        let result = try run(
          unrollPath, ["perplexity", "--model", model, text, "--precision", precision, "--format", "json"])
        losses.append(try #require(try JSON(parsing: result.output)["nats_per_token"]?.double))
      }
      #expect(abs(losses[0] - losses[1]) < 0.02, "\(losses)")
    }
  }

  /// A folder of another cell is not taken for one with layer normalization, nor the other way round.
  @Test func foldersAreNotMistaken() throws {
    func replaceCell(_ model: String, _ cell: String) throws {
      let config = String(decoding: try Files.read("\(model)/config.json"), as: UTF8.self)
      let pattern = /"cell": "[a-z_]+"/
      try Files.writeDurably(
        Array(config.replacing(pattern, with: "\"cell\": \"\(cell)\"").utf8), to: "\(model)/config.json")
    }
    for (flags, other, missing) in [
      (["--layer-norm"], "lstm", "rnn.bias_ih_l0"), ([], "layer_norm_lstm", "rnn.layernorm_ih_l0.weight"),
    ] {
      try withSmallModel(flags + ["--steps", "1"]) { _, model, text in
        try replaceCell(model, other)
        let result = try run(unrollPath, ["perplexity", "--model", model, text])
        #expect(result.status == 65 && result.error.contains("no tensor \(missing)"), "\(result.error)")
      }
    }
  }
}
