import Compute
import Foundation
import LanguageModeling
import ModelFiles
import Recurrence
import Sampling
import TestSupport
import Testing
import Tokenization

/// Texts that are written in stretches, and their files.
@Suite struct SessionTests {
  /// Characters of one to four bytes, bytes by bytes: a stretch may end inside one.
  private static let bytes = ByteTokenizer(normalization: .none)

  private func model<K: Kernels>(
    _ cell: TestedCell, _: K.Type, vocabularySize: Int = 256, documents: DocumentSymbols? = nil
  ) throws -> any LanguageModel {
    func open<Layer: RecurrentLayer>(_: Layer.Type) throws -> any LanguageModel {
      let network = Network<Layer>(
        try ModelConfiguration(
          cell: cell.cell, nonlinearity: cell.nonlinearity, vocabularySize: vocabularySize, embeddingSize: 8,
          hiddenSize: 20, layers: 2, documents: documents))
      var parameters = network.initialParameters(seed: 1)
      for slot in parameters.layout.slots {
        Layer.K.Real.scale(parameters.writable(slot), by: cell == .reluRNN ? 1.5 : 4)
      }
      return RecurrentLanguageModel(network: network, parameters: parameters)
    }
    return try open(cell.layer(K.self))
  }

  private func settings(_ change: (inout GenerationSettings) -> Void = { _ in }) -> GenerationSettings {
    var settings = GenerationSettings()
    settings.length = 60
    settings.sampling.temperature = 1
    change(&settings)
    return settings
  }

  private func session(
    _ model: any LanguageModel, _ settings: GenerationSettings, _ tokenizer: any Tokenizer = bytes,
    state: TextState? = nil
  ) -> Session {
    Session(model: model, tokenizer: tokenizer, start: 10, settings: settings, seed: 5, state: state)
  }

  /// Writes stretches, each in a session of its own that goes on from the last one's file.
  private func write(
    _ model: any LanguageModel, _ settings: GenerationSettings, _ tokenizer: any Tokenizer, _ precision: Precision,
    prompt: [Int32], stretches: [Int]
  ) throws -> (text: String, tokens: [Int32]) {
    try withTemporaryFolder { folder in
      let path = "\(folder)/state"
      var (text, tokens): (String, [Int32]) = ("", [])
      for (index, length) in stretches.enumerated() {
        let state =
          index == 0
          ? nil : try StateFile(reading: path, model: "m", model.configuration, precision: precision).state
        let session = session(model, settings, tokenizer, state: state)
        if index == 0 { session.append(prompt) }
        session.settings.length = length
        let written = try session.write()
        text += written.text
        tokens += written.tokens
        try StateFile(model: "m", precision: precision, seed: 5, state: session.state).write(to: path)
      }
      return (text, tokens)
    }
  }

  private func expectStretchesToBeOne(
    _ model: any LanguageModel, _ settings: GenerationSettings, _ precision: Precision, prompt: String
  ) throws {
    let tokenizer = Self.bytes
    let prompt = try tokenizer.encode(prompt, unknown: .fail).ids
    let generator = Generator(model: model, tokenizer: tokenizer, start: 10, settings: settings, seed: 5)
    let one = try generator.texts(after: prompt)[0]
    let many = try write(
      model, settings, tokenizer, precision, prompt: prompt, stretches: [1, 2, 1, 30, 0, 1, 25])
    #expect(one.tokens.count == 60 && many.tokens == one.tokens && many.text == one.text)
  }

  @Test(arguments: TestedCell.allCases, ["", "A naïve 🦊"])
  func stretchesAreOneText(_ cell: TestedCell, _ prompt: String) throws {
    try expectStretchesToBeOne(model(cell, Float32Kernels.self), settings(), .float32, prompt: prompt)
    try expectStretchesToBeOne(model(cell, DoubleKernels.self), settings(), .float64, prompt: prompt)
    guard cell != .reluRNN else { return }
    try expectStretchesToBeOne(model(cell, Int8Kernels.self), settings(), .int8, prompt: prompt)
  }

  @Test(.needsBFloat16, arguments: TestedCell.allCases)
  func stretchesAreOneTextInBFloat16(_ cell: TestedCell) throws {
    try expectStretchesToBeOne(model(cell, BFloat16Kernels.self), settings(), .bfloat16, prompt: "ab")
  }

  /// What processors remember goes on.
  @Test(
    arguments: [
      { $0.repetitionPenalty = 1.5 }, { $0.mirostatTarget = 3 },
      {
        $0.frequencyPenalty = 0.7
        $0.penaltyWindow = 20
      }, { $0.repeatedSequences.multiplier = 2 },
    ] as [@Sendable (inout SamplingSettings) -> Void])
  func processorsGoOn(_ change: @Sendable (inout SamplingSettings) -> Void) throws {
    let settings = settings { change(&$0.sampling) }
    try expectStretchesToBeOne(model(.lstm, Float32Kernels.self), settings, .float32, prompt: "abcabc")
  }

  /// A prompt that ends inside a token, whose healing reaches into the second stretch.
  @Test func healingGoesOn() throws {
    let tokens = ["h", "a", "r", "b", "o", "ha", "har", "harb", "ho"]
    let vocabulary = tokens.enumerated().map { "\"\($1)\":\($0)" }.joined(separator: ",")
    let merges = tokens.filter { $0.count > 1 }.map { "[\"\($0.dropLast())\",\"\($0.suffix(1))\"]" }
    let tokenizer = try TokenizerReader.read(
      Array(#"{"model":{"type":"BPE","vocab":{\#(vocabulary)},"merges":[\#(merges.joined(separator: ","))]}}"#.utf8))
    let model = try model(.lstm, Float32Kernels.self, vocabularySize: tokens.count)
    for seed in 0..<8 as Range<UInt64> {
      var generator = Generator(model: model, tokenizer: tokenizer, start: 0, settings: settings(), seed: seed)
      generator.settings.length = 12
      let one = try generator.texts(after: [4, 0, 1])[0]
      let session = Session(model: model, tokenizer: tokenizer, start: 0, settings: settings(), seed: seed)
      session.append([4, 0, 1])
      session.settings.length = 1
      var text = ""
      for _ in 0..<12 { text += try session.write().text }
      #expect(text == one.text && session.state.tokens == [4] + one.tokens && session.text == "oha" + text)
    }
  }

  /// Text handed in between is read as if it had stood there.
  @Test func textIsReadOn() throws {
    let model = try model(.gru, DoubleKernels.self)
    let first = session(model, settings())
    first.append(Array("ab".utf8).map { Int32($0) })
    _ = try first.write()
    first.append(Array("CD\n".utf8).map { Int32($0) })
    let second = session(model, settings())
    second.append(first.state.tokens)
    #expect(try first.alternatives(256) == second.alternatives(256))
    #expect(first.state.tokens.suffix(3) == [67, 68, 10])
    let sum = try first.alternatives(256).reduce(0) { $0 + $1.probability }
    #expect(abs(sum - 1) < 1e-12)
    let told = try session(model, settings { $0.alternatives = 5 }).write().alternatives[0]
    #expect(try session(model, settings()).alternatives(5) == told)
  }

  /// Taking back leads to the text before; what is written then is another text, and the same for the same steps.
  @Test func takesBack() throws {
    let model = try model(.lstm, Float32Kernels.self)
    func texts() throws -> [String] {
      let session = session(model, settings())
      #expect(!session.undo())
      session.append([97])
      let before = session.state
      let first = try session.write().text
      #expect(session.undo() && session.state.tokens == before.tokens && session.state.draws == 60)
      let second = try session.write().text
      session.seed = 5
      #expect(session.undo())
      #expect(session.undo() && session.text.isEmpty && !session.undo())
      session.append([97])
      session.seed = 5
      #expect(try session.write().text == first)
      return [first, second]
    }
    #expect(try texts() == texts() && Set(texts()).count == 2)
  }

  /// Who stops listening gets a text that goes on where it stopped; an error leaves the text as it was.
  @Test func stopsAnywhere() throws {
    let model = try model(.lstm, Float32Kernels.self)
    let one = try session(model, settings()).write()
    let stopped = session(model, settings())
    try stopped.write { _ in stopped.state.tokens.count < 7 }
    #expect(stopped.state.tokens == Array(one.tokens.prefix(7)))
    stopped.settings.length = 53
    #expect(try stopped.write().tokens == Array(one.tokens.dropFirst(7)))
    struct Refused: Error {}
    let failed = session(model, settings())
    failed.append([97, 98])
    let before = failed.state
    #expect(throws: Refused.self) { try failed.write { _ in throw Refused() } }
    #expect(failed.state == before)
  }

  /// After the end of a document another begins.
  @Test func documentsFollowEachOther() throws {
    let symbols = DocumentSymbols(start: 1, end: 2, cut: .line)
    let model = try model(.lstm, DoubleKernels.self, documents: symbols)
    let session = session(model, settings { $0.length = 100_000 })
    #expect(try session.write().finishReason == .eos)
    let fresh = self.session(model, settings())
    session.append([97])
    fresh.append([97])
    #expect(try session.alternatives(20) == fresh.alternatives(20))
  }

  // MARK: Files

  private func withFile(_ body: (_ path: String, _ model: any LanguageModel) throws -> Void) throws {
    let model = try model(.lstm, Float32Kernels.self)
    let session = session(model, settings())
    session.append([97, 98])
    _ = try session.write()
    try withTemporaryFolder { folder in
      try StateFile(model: "m", precision: .float32, seed: 5, state: session.state).write(to: "\(folder)/state")
      try body("\(folder)/state", model)
    }
  }

  @Test func filesOfOthersAreRefused() throws {
    try withFile { path, model in
      func message(_ name: String, _ precision: Precision) -> String {
        let error = #expect(throws: FileError.self) {
          try StateFile(reading: path, model: name, model.configuration, precision: precision)
        }
        return error?.message ?? ""
      }
      #expect(message("other", .float32).contains("another model"))
      #expect(message("m", .bfloat16).contains("was saved in float32, and this is bf16"))
      let file = try StateFile(reading: path, model: "m", model.configuration, precision: .float32)
      #expect(file.seed == 5)
    }
  }

  /// Whatever is changed in a file: it is read as what it was, or refused.
  @Test func damagedFilesAreRefused() throws {
    try withFile { path, model in
      let content = try Safetensors(parsing: Files.read(path))
      func refuses(_ entries: [Safetensors.Entry], _ metadata: [String: String]) throws {
        try Files.writeDurably(StateFile.sealed(entries, metadata).serialized(), to: path)
        let error = #expect(throws: FileError.self) {
          try StateFile(reading: path, model: "m", model.configuration, precision: .float32)
        }
        #expect(error?.kind == .invalid && error?.message.contains("is") == true)
      }
      for key in ["format", "model", "precision", "seed", "draws", "handed_in", "layers"] {
        for value in [nil, "", "-1", "x"] {
          var metadata = content.metadata
          metadata[key] = value
          try refuses(content.entries, metadata)
        }
      }
      for (key, value) in [("rest", "1 300"), ("mirostat_bound", "nan"), ("handed_in", "9999")] {
        try refuses(content.entries, content.metadata.merging([key: value]) { $1 })
      }
      for index in content.entries.indices {
        var entries = content.entries
        let name = entries.remove(at: index).name
        try refuses(entries, content.metadata)
        entries.append(.init(name, StoredTensor([Float.nan], shape: [1])))
        try refuses(entries, content.metadata)
      }
      let bytes = Safetensors(content.entries, metadata: content.metadata).serialized()
      for cut in [0, 7, 100, bytes.count - 1] {
        try Files.writeDurably(Array(bytes[..<cut]), to: path)
        #expect(throws: FileError.self) {
          try StateFile(reading: path, model: "m", model.configuration, precision: .float32)
        }
      }
    }
  }

  /// A bit of a state that has turned would be another state: 200 places, some in each part of the file.
  @Test func turnedBitsAreRefused() throws {
    try withFile { path, model in
      let bytes = try Files.read(path)
      let original = try StateFile(reading: path, model: "m", model.configuration, precision: .float32)
      var random = CounterRandom(seed: 7, purpose: .corpus)
      for _ in 0..<200 {
        let bit = Int(random.uniform() * Double(8 * bytes.count))
        var turned = bytes
        turned[bit / 8] ^= 1 << UInt8(bit % 8)
        try Files.writeDurably(turned, to: path)
        let error = #expect(throws: FileError.self, "bit \(bit)") {
          try StateFile(reading: path, model: "m", model.configuration, precision: .float32)
        }
        #expect(error?.kind == .invalid && error?.message.contains("\n") == false)
      }
      try Files.writeDurably(bytes, to: path)
      #expect(try StateFile(reading: path, model: "m", model.configuration, precision: .float32) == original)
    }
  }
}
