import ModelFiles
import TestSupport
import Testing

/// `--init-from`, as a person meets it.
@Suite struct FineTuningCommandTests {
  private static let flags = [
    "--lanes", "4", "--k1", "12", "--quiet", "--precision", "float32", "--dropout", "0", "--weight-drop", "0",
    "--average",
    "none", "--schedule", "constant", "--warmup", "0",
  ]
  private static let newText = String(repeating: "Der Fuchs läuft über 12 Äcker – 🦊.\n", count: 60)

  private func withNewText(
    _ extra: [String] = [], _ body: (_ folder: String, _ model: String, _ text: String) throws -> Void
  ) throws {
    try withSmallModel(extra) { folder, model, _ in
      let text = "\(folder)/new.txt"
      try Files.writeDurably(Array(Self.newText.utf8), to: text)
      try body(folder, model, text)
    }
  }

  /// The architecture is the model's, new characters are named, and the run goes on without the old folder.
  @Test(arguments: [
    [], ["--cell", "gru"], ["--layer-norm"], ["--cell", "rnn", "--nonlinearity", "relu", "--train-initial-state"],
    ["--tie-weights", "--embedding-size", "12"], ["--documents", "line"],
  ])
  func aRun(_ flags: [String]) throws {
    try withNewText(flags) { folder, model, text in
      let (whole, parts) = ("\(folder)/whole", "\(folder)/parts")
      let training = ["train", text, "--init-from", model, "--checkpoint-every", "10"] + Self.flags
      #expect(try run(unrollPath, training + ["-o", whole, "--steps", "40"]).status == 0)
      #expect(try run(unrollPath, training + ["-o", parts, "--steps", "20"]).status == 0)
      let notes = try #require(try events("start", whole)[0]["notes"]?.array?.compactMap(\.string))
      #expect(notes.contains { $0.hasPrefix("9 new characters: 'D' (U+0044), ") })
      try Files.remove(model)
      let rest = try unroll("train", "--resume", "-o", parts, "--steps", "40", "-q")
      #expect(rest.status == 0, "\(rest.error)")
      for name in ["model.safetensors", "tokenizer.json", "config.json"] {
        #expect(try Files.read("\(parts)/\(name)") == Files.read("\(whole)/\(name)"), "\(name)")
      }
      expectOneLine(try unroll("train", "--resume", "-o", parts, "--layers", "3", "-q"), 64, "has --layers 2, not 3")
    }
  }

  @Test func refusals() throws {
    try withNewText { folder, model, text in
      let new = "\(folder)/new"
      func refused(_ flags: [String], _ status: Int32, _ message: String, from model: String = model) throws {
        let result = try run(unrollPath, ["train", text, "-o", new, "--init-from", model] + Self.flags + flags)
        if status == 64 && result.error.contains("Usage:") {
          #expect(result.status == 64 && result.error.contains(message), "\(result.error)")
        } else {
          expectOneLine(result, status, message)
        }
        #expect(Files.kind(new) == .nothing)
      }
      try refused(["--cell", "gru"], 64, "has the cell lstm, not gru; leave out --cell")
      try refused(["--layer-norm"], 64, "has the cell lstm, not lstm with layer norm; leave out --layer-norm")
      try refused(["--hidden-size", "16"], 64, "has --hidden-size 12, not 16; leave out --hidden-size")
      try refused(["--layers", "1"], 64, "has --layers 2, not 1")
      try refused(["--tokenizer", "byte"], 64, "leave out --tokenizer")
      try refused(["--normalization", "nfd"], 64, "has the normalization nfc, not nfd")
      try refused(["--documents", "line"], 64, "leave out --documents")
      try refused(["--forget-bias", "2"], 64, "--forget-bias is for fresh weights")
      try refused([], 66, "no such model folder; check the path", from: "\(folder)/nothing")
      try refused([], 66, "is not a folder; --init-from wants the folder of a model", from: text)
      try refused([], 66, "is not a model folder", from: folder)
      try Files.writeDurably(Files.read("\(model)/model.safetensors").dropLast(), to: "\(model)/model.safetensors")
      try refused([], 65, "model.safetensors")
    }
  }

  /// A model may be trained on in its own place, and what --explain shows is what it has.
  @Test func inItsOwnPlace() throws {
    try withNewText { _, model, text in
      let explained = try unroll("train", text, "-o", model, "--init-from", model, "--explain")
      #expect(explained.status == 0 && explained.text.contains(#/hidden-size +12/#), "\(explained.text)")
      let result = try run(
        unrollPath, ["train", text, "-o", model, "--init-from", model, "--overwrite", "--steps", "5"] + Self.flags)
      #expect(result.status == 0, "\(result.error)")
      #expect(try unroll("perplexity", "--model", model, text).status == 0)
    }
  }
}
