import Foundation
import ModelFiles
import TestSupport
import Testing

/// Bad input gets one clear line and the right exit code, and nothing is lost.
@Suite struct BadInputTests {
  struct Corpus: CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let status: Int32
    let message: String
    var testDescription: String { name }
  }

  static let corpora: [Corpus] = [
    Corpus(name: "empty", bytes: [], status: 65, message: "is empty"),
    Corpus(name: "one character", bytes: Array("a".utf8), status: 65, message: "no symbol"),
    Corpus(name: "one symbol", bytes: Array(repeating: 97, count: 5000), status: 65, message: "one symbol only"),
    Corpus(name: "short", bytes: Array("a short text".utf8), status: 65, message: "want at least 49"),
    Corpus(
      name: "invalid UTF-8", bytes: Array("fine until here".utf8) + [0xC3, 0x28, 0x41], status: 65,
      message: "invalid UTF-8 at byte 15"),
    Corpus(name: "cut UTF-8", bytes: Array("caf".utf8) + [0xC3], status: 65, message: "invalid UTF-8 at byte 3"),
  ]

  @Test(arguments: corpora)
  func corpus(_ corpus: Corpus) throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(corpus.bytes, to: "\(folder)/text")
      let result = try run(
        unrollPath, ["train", "\(folder)/text", "-o", "\(folder)/model", "--steps", "2"] + smallSizes)
      expectOneLine(result, corpus.status, corpus.message)
      #expect(Files.names(in: folder) == ["text"], "something was left behind")
    }
  }

  @Test(arguments: [
    ("/nonexistent/file.txt", Int32(66), "no such file"), ("/dev/null", 66, "not a file"),
  ])
  func inputsThatAreNoFiles(_ path: String, _ status: Int32, _ message: String) throws {
    try withTemporaryFolder { folder in
      let trained = try unroll("train", path, "-o", "\(folder)/model")
      expectOneLine(trained, status, message)
      #expect(trained.error.contains(path))
      #expect(Files.names(in: folder).isEmpty)
    }
  }

  @Test func aSocketIsNoFile() throws {
    try withTemporaryFolder { folder in
      let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(socket) }
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      let path = "\(folder)/s"
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
      let bound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      try #require(bound == 0)
      expectOneLine(try unroll("train", path, "-o", "\(folder)/model"), 66, "socket")
    }
  }

  @Test func outputsThatCannotBe() throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(Array(smallText.utf8), to: "\(folder)/text")
      func train(_ output: String) throws -> ProgramResult {
        try run(unrollPath, ["train", "\(folder)/text", "-o", output, "--steps", "2"] + smallSizes)
      }
      expectOneLine(try train("\(folder)/text"), 73, "not a folder")
      expectOneLine(try train("\(folder)/text/model"), 73, "cannot be created")
      expectOneLine(try train("/proc/model"), 73, "cannot be created")
      try Files.makeFolder("\(folder)/photos")
      try Files.writeDurably([1], to: "\(folder)/photos/cat.jpg")
      expectOneLine(try train("\(folder)/photos"), 73, "cat.jpg")
      #expect(Files.names(in: "\(folder)/photos") == ["cat.jpg"])
    }
  }

  @Test(arguments: [
    ["generate", "--model", "m", "--temperature", "-1"], ["generate", "--model", "m", "--temperature", "nan"],
    ["generate", "--model", "m", "--temperature", "inf"], ["generate", "--model", "m", "--temperature", "warm"],
    ["generate", "--model", "m", "--length", "-1"], ["generate"], ["perplexity", "--model", "m"], ["fly"],
    ["train"], ["train", "t", "-o", "m", "--lanes", "0"], ["train", "t", "-o", "m", "--k1", "0"],
    ["train", "t", "-o", "m", "--hidden-size", "0"], ["train", "t", "-o", "m", "--hidden-size", "99999999999"],
    ["train", "t", "-o", "m", "--epochs", "1", "--steps", "1"], ["train", "t", "-o", "m", "--budget", "soon"],
    ["train", "t", "-o", "m", "--budget", "-5m"], ["train", "t", "-o", "m", "--learning-rate", "nan"],
    ["train", "t", "-o", "m", "--optimizer", "newton"], ["train", "t", "-o", "m", "--momentum", "0.9"],
    ["train", "t", "-o", "m", "--optimizer", "sgd", "--beta1", "0.9"], ["train", "t", "-o", "m", "--nesterov"],
    ["train", "t", "-o", "m", "--optimizer", "sgd", "--momentum", "1"], ["train", "t", "-o", "m", "--beta2", "nan"],
    ["train", "t", "-o", "m", "--warmup", "101%"], ["train", "t", "-o", "m", "--warmup", "-1"],
    ["train", "t", "-o", "m", "--final-learning-rate", "1e-4", "--schedule", "constant"],
    ["train", "t", "-o", "m", "--patience", "0"],
    ["train", "t", "-o", "m", "--schedule", "cosine", "--final-learning-rate", "1"],
    ["train", "t", "-o", "m", "--average-decay", "0.9", "--average", "asgd"],
    ["train", "t", "-o", "m", "--average", "ema", "--average-decay", "1"],
    ["train", "t", "-o", "m", "--validation-fraction", "0", "--patience", "3"],
    ["train", "t", "-o", "m", "--validation-fraction", "0", "--average", "asgd"],
    ["train", "t", "-o", "m", "--decay-every", "10%"], ["train", "t", "-o", "m", "--alpha", "0.9"],
    ["train", "t", "-o", "m", "--learning-rate", "0"], ["train", "t", "-o", "m", "--clip", "-1"],
    ["train", "t", "-o", "m", "--clip-value", "0"], ["train", "t", "-o", "m", "--clip-value", "nan"],
    ["train", "t", "-o", "m", "--validation-fraction", "1"], ["train", "t", "-o", "m", "--layers", "1000"],
    ["train", "t", "-o", "m", "--normalization", "nfx"], ["train", "t", "-o", "m", "--threads", "-2"],
    ["train", "t", "-o", "m", "--min-frequency", "0"], ["train", "t", "-o", "m", "--precision", "float8"],
  ])
  func wrongUsage(_ arguments: [String]) throws {
    let result = try run(unrollPath, arguments)
    #expect(result.status == 64, "\(result.error)")
    #expect(result.error.hasPrefix("Error: ") && result.output.isEmpty)
  }

  @Test func damagedModels() throws {
    try withSmallModel { folder, model, text in
      let weights = try Files.read("\(model)/model.safetensors")
      let config = String(decoding: try Files.read("\(model)/config.json"), as: UTF8.self)
      let tokenizer = String(decoding: try Files.read("\(model)/tokenizer.json"), as: UTF8.self)
      func damaged(_ name: String, _ bytes: [UInt8], _ message: String) throws {
        let original = try Files.read("\(model)/\(name)")
        try Files.writeDurably(bytes, to: "\(model)/\(name)")
        for arguments in [["generate", "--model", model, "--length", "3"], ["perplexity", "--model", model, text]] {
          let result = try run(unrollPath, arguments)
          expectOneLine(result, 65, message)
          #expect(result.error.contains(name))
        }
        try Files.writeDurably(original, to: "\(model)/\(name)")
      }
      func damagedConfig(_ key: String, _ value: String, _ message: String, in name: String = "config.json") throws {
        let lines = config.split(separator: "\n").map { line in
          line.contains("\"\(key)\"") ? "  \"\(key)\": \(value)" + (line.hasSuffix(",") ? "," : "") : String(line)
        }
        let original = try Files.read("\(model)/config.json")
        try Files.writeDurably(Array(lines.joined(separator: "\n").utf8), to: "\(model)/config.json")
        let result = try unroll("perplexity", "--model", model, text)
        expectOneLine(result, 65, message)
        #expect(result.error.contains(name))
        try Files.writeDurably(original, to: "\(model)/config.json")
      }
      try damaged("model.safetensors", Array(weights.dropLast(5)), "cut off")
      try damaged("model.safetensors", [], "at least 10")
      try damaged("model.safetensors", Array("no such thing at all".utf8), "header")
      var notFinite = weights
      for index in notFinite.count - 4..<notFinite.count { notFinite[index] = 0xFF }
      try damaged("model.safetensors", notFinite, "not finite")
      try damaged("config.json", Array("{".utf8), "not JSON")
      try damaged("config.json", Array("{\"model_type\":\"gpt2\"}".utf8), "cell is missing")
      try damaged("tokenizer.json", Array(tokenizer.replacing("\"f\": ", with: "\"ff\": ").utf8), "not one character")
      try damaged("tokenizer.json", Array("[1]".utf8), "has no model")
      try damaged("generation_config.json", Array("{\"bos_token_id\": 100000}".utf8), "bos_token_id")
      try damagedConfig("hidden_size", "13", "config.json wants", in: "model.safetensors")
      try damagedConfig("hidden_size", "16384", "config.json wants", in: "model.safetensors")
      try damagedConfig("hidden_size", "65536", "the limit is")
      try damagedConfig("hidden_size", "-1", "between 1 and")
      try damagedConfig("hidden_size", "9e99", "not a whole number")
      try damagedConfig("num_layers", "3", "no tensor rnn.weight_ih_l2", in: "model.safetensors")
      try damagedConfig("num_layers", "1", "no part of this model uses", in: "model.safetensors")
      try damagedConfig("vocab_size", "2000000", "config.json says 2000000", in: "tokenizer.json")
      try damagedConfig("cell", "\"transformer\"", "not known")
      try damagedConfig("cell", "\"gru\"", "config.json wants", in: "model.safetensors")
      try damagedConfig("cell", "\"rnn\", \"nonlinearity\": \"sine\"", "nonlinearity 'sine' is not known")
      try damagedConfig("cell", "\"rnn\", \"nonlinearity\": 1", "nonlinearity '1' is not known")
      #expect(try unroll("perplexity", "--model", model, text).status == 0)
      try Files.remove("\(model)/model.safetensors")
      expectOneLine(try unroll("generate", "--model", model), 66, "not a model folder")
      expectOneLine(try unroll("generate", "--model", "\(folder)/none"), 66, "no such model folder")
      expectOneLine(try unroll("generate", "--model", text), 66, "is not a folder")
    }
  }

  @Test func textsThatCannotBeScored() throws {
    try withSmallModel { folder, model, _ in
      func score(_ text: String, _ extra: String...) throws -> ProgramResult {
        try run(unrollPath, ["perplexity", "--model", model, "-"] + extra, input: Array(text.utf8))
      }
      expectOneLine(try score("x"), 65, "at least two")
      expectOneLine(try score("日本"), 65, "at least two")
      expectOneLine(try score("日本 fox", "--unknown", "fail"), 65, "'日' (U+65E5) at character 1")
      expectOneLine(try score("日本 fox", "--unknown", "replace"), 65, "no <unk>")
      expectOneLine(try score(""), 65, "is empty")
      // Whatever form was asked for: nothing of it is written, not even the columns.
      for flags in [
        ["--format", "html"], ["--format", "json"], ["--format", "csv"], ["--by", "line", "--format", "jsonl"],
        ["--by", "file"], ["--top", "3"], ["--dynamic"], ["--cache"],
      ] {
        expectOneLine(try run(unrollPath, ["perplexity", "-m", model, "-"] + flags), 65, "is empty")
        let unknown = try run(unrollPath, ["perplexity", "-m", model, "-"] + flags, input: Array("日本語".utf8))
        expectOneLine(unknown, 65, "has 0 symbols that the model knows")
      }
      let invalid = try unroll("perplexity", "--model", model, "-", input: [0x41, 0xFF])
      expectOneLine(invalid, 65, "invalid UTF-8 at byte 1")
    }
  }

  /// A text of another normalization than the model's is no error: the model's is applied, and the figures are of the
  /// original text. A model without any names the marks that it lacks.
  @Test(arguments: ["nfc", "none"])
  func textsOfAnotherNormalization(_ form: String) throws {
    try withSmallModel(["--normalization", form]) { folder, model, text in
      let decomposed = smallText.decomposedStringWithCanonicalMapping
      try Files.writeDurably(Array(decomposed.utf8), to: "\(folder)/decomposed")
      let scores = try [text, "\(folder)/decomposed"].map { path in
        let result = try unroll("perplexity", "--model", model, path, "--format", "json")
        #expect(result.status == 0 && result.error.isEmpty, "\(result.error)")
        return try JSON(parsing: result.output)
      }
      func same(_ key: String) -> Bool { scores[0][key]?.double == scores[1][key]?.double }
      #expect(scores[0]["unknown_tokens"]?.double == 0 && same("characters") == (form == "none"))
      if form == "nfc" {
        #expect(same("nats_per_token") && same("scored_tokens") && same("unknown_tokens"))
        #expect(scores[1]["characters"]?.double == Double(decomposed.unicodeScalars.count - 1))
        #expect(scores[1]["bytes"]?.double == Double(decomposed.utf8.count - 1))
      } else {
        #expect(scores[1]["unknown_tokens"]?.double == 80)
        #expect(try unroll("perplexity", "--model", model, "\(folder)/decomposed").text.contains("(U+0308) ×80"))
      }
    }
  }
}

/// One line on standard error that holds `message`, nothing on standard output, and the exit code.
func expectOneLine(
  _ result: ProgramResult, _ status: Int32, _ message: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(result.status == status, "\(result.error)", sourceLocation: sourceLocation)
  #expect(result.error.contains(message), "\(result.error)", sourceLocation: sourceLocation)
  let lines = result.error.split(separator: "\n").filter { !$0.hasPrefix("seed ") }
  #expect(lines.count == 1 && result.error.hasPrefix("Error: "), "\(result.error)", sourceLocation: sourceLocation)
  #expect(result.output.isEmpty, sourceLocation: sourceLocation)
}
