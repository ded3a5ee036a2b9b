import ArgumentParser
import ModelFiles
import Tokenization
import Training

/// `unroll tokenizer`.
struct TokenizerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer",
    abstract: "Make vocabularies, and turn text into tokens and back.",
    subcommands: [TrainTokenizer.self, EncodeText.self, DecodeTokens.self, DescribeTokenizer.self])

  /// What `encode` writes and `decode` reads.
  enum Format: String, ExpressibleByArgument, CaseIterable { case ids, tokens, json }
}

/// `unroll tokenizer train`.
struct TrainTokenizer: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Learn a vocabulary from text and write it as tokenizer.json.",
    discussion: """
      Example: unroll tokenizer train letters.txt --tokenizer bpe --vocabulary-size 2000 --output tokenizer.json
      """)

  @Argument(help: "Text files, read one after another as one stream; - is standard input.")
  var corpus: [String]

  @Option(name: .shortAndLong, help: "The file to write; one that exists is replaced.")
  var output: String

  @OptionGroup(title: "Vocabulary") var vocabulary: VocabularyOptions
  @OptionGroup var encoding: EncodingOptions

  func validate() throws {
    try requirePath(output, "--output")
    try requireDistinctInputs(corpus)
  }

  func run() throws {
    try reportingErrors {
      try refuseExport(vocabulary.normalization.exportObstacle)
      let text = try encoding.text(of: corpus).text
      let tokenizer = try vocabulary.choice.tokenizer(for: text, vocabulary.options(defaultSize: 1000))
      try refuseExport(tokenizer.exportObstacle)
      try Files.writeDurably(Array(tokenizer.tokenizerJSON().utf8), to: output)
      Terminal.complain("\(tokenizer.vocabularySize) \(tokenizer.unitName)s in \(output)")
    }
  }

  /// The file is for other programs: what they could not read is not written.
  private func refuseExport(_ obstacle: String?) throws {
    guard let obstacle else { return }
    throw FileError(.invalid, output, "is not written: \(obstacle); train keeps it in the model's own folder")
  }
}

/// `unroll tokenizer encode`.
struct EncodeText: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encode",
    abstract: "Turn text on standard input into tokens.",
    discussion: "Example: echo 'Dear Nell,' | unroll tokenizer encode --tokenizer letters-model --format tokens")

  @Option(name: .shortAndLong, help: "A tokenizer.json, a sentencepiece .model, or the folder of a model.")
  var tokenizer: String

  @Option(
    help: "ids, one a line; tokens, one JSON string a line; json, one object with ids, tokens and offsets in bytes.")
  var format: TokenizerCommand.Format = .ids

  @Option(
    help: "What to do with characters that the vocabulary lacks: fail, skip (named on standard error) or replace.")
  var unknown: UnknownPolicy = .fail

  @OptionGroup var encoding: EncodingOptions

  func validate() throws { try requirePath(tokenizer, "--tokenizer") }

  func run() throws {
    try reportingErrors {
      let tokenizer = try TokenizerChoice.read(self.tokenizer)
      let text = try encoding.standardInput("convert the text to UTF-8 first, or use --invalid-utf8 replace")
      let encoded = try InText.named("-") {
        try tokenizer.encode(text, unknown: unknown, keepsOffsets: format == .json)
      }
      if encoded.unknownCount > 0 {
        let named = encoded.unknown.prefix(5).map(\.name).joined(separator: ", ")
        Terminal.complain(
          "Warning: the vocabulary lacks \(named); \(unknown == .skip ? "left out" : "read as <unk>")")
      }
      for start in stride(from: 0, to: encoded.ids.count, by: 1 << 16) where format != .json {
        let ids = encoded.ids[start..<min(start + 1 << 16, encoded.ids.count)]
        let lines = ids.map { format == .ids ? String($0) : JSON.string(tokenizer.text(of: $0)).text() }
        guard try Terminal.write(lines.joined(separator: "\n") + "\n") else { return }
      }
      if format == .json { _ = try Terminal.write(json(encoded, tokenizer).text() + "\n") }
    }
  }

  private func json(_ encoded: EncodedText, _ tokenizer: any Tokenizer) -> JSON {
    [
      "ids": .array(encoded.ids.map { .integer(Int($0)) }),
      "tokens": .array(encoded.ids.map { .string(tokenizer.text(of: $0)) }),
      "offsets": .array((encoded.offsets ?? []).map { [.integer($0.lowerBound), .integer($0.upperBound)] }),
      "unknown_tokens": .integer(encoded.unknownCount),
    ]
  }
}

/// `unroll tokenizer decode`.
struct DecodeTokens: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Turn tokens on standard input into text.",
    discussion: "Reads ids between white space, or what encode --format json wrote.")

  @Option(name: .shortAndLong, help: "A tokenizer.json, a sentencepiece .model, or the folder of a model.")
  var tokenizer: String

  @Option(help: "ids, or json: an object with ids, or a list of them.")
  var format: InputFormat = .ids

  enum InputFormat: String, ExpressibleByArgument, CaseIterable { case ids, json }

  func validate() throws { try requirePath(tokenizer, "--tokenizer") }

  func run() throws {
    try reportingErrors {
      let tokenizer = try TokenizerChoice.read(self.tokenizer)
      let bytes = try Files.read("-")
      let ids =
        try format == .ids ? plainIDs(bytes, tokenizer.vocabularySize) : jsonIDs(bytes, tokenizer.vocabularySize)
      _ = try Terminal.write(tokenizer.decode(ids))
    }
  }

  private func plainIDs(_ bytes: [UInt8], _ size: Int) throws -> [Int32] {
    try bytes.split { $0 == 0x20 || (0x09...0x0D).contains($0) }.map { word in
      let text = String(decoding: word, as: UTF8.self)
      return try Self.checked(Int(text), named: text, size)
    }
  }

  private func jsonIDs(_ bytes: [UInt8], _ size: Int) throws -> [Int32] {
    let json: JSON
    do { json = try JSON(parsing: bytes) } catch {
      throw FileError(.invalid, "standard input", "is not JSON: \(error)")
    }
    guard let list = json.array ?? json["ids"]?.array else {
      throw FileError(.invalid, "standard input", "has no list of ids")
    }
    return try list.map { try Self.checked($0.integer, named: $0.text(), size) }
  }

  private static func checked(_ id: Int?, named name: String, _ size: Int) throws -> Int32 {
    guard let id, (0..<size).contains(id) else {
      throw FileError(.invalid, "standard input", "\"\(name.prefix(40))\" is not an id of 0 ..< \(size)")
    }
    return Int32(id)
  }
}
