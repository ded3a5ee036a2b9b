import ArgumentParser
import ModelFiles
import Reports
import Tokenization
import Training

/// `unroll tokenizer info`.
struct DescribeTokenizer: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Say what a vocabulary holds, and how it cuts a text.",
    discussion: "Example: unroll tokenizer info letters-model --text letters.txt")

  @Argument(help: "A tokenizer.json, a sentencepiece .model, the folder of a model, or a file of token ids.")
  var tokenizer: String

  @Option(help: "A text to measure: tokens per word, bytes per token, what is unknown; - is standard input.")
  var text: String?

  @Option(help: "How many of the text's most frequent tokens to name.")
  var top = 10

  @OptionGroup var encoding: EncodingOptions

  func validate() throws {
    try requirePath(tokenizer, "The tokenizer's name")
    try require((0...100_000).contains(top), "--top is \(top); it must be 0 to 100,000.")
  }

  func run() throws {
    try reportingErrors {
      if TokenFile.isMeant(by: self.tokenizer) { return try describe(TokenFile(self.tokenizer).header) }
      let tokenizer = try TokenizerChoice.read(self.tokenizer)
      var table = TextTable()
      table.add("vocabulary", grouped(tokenizer.vocabularySize), "\(tokenizer.unitName)s")
      table.add("normalization", tokenizer.normalization.description, "")
      table.add("unknown symbol", tokenizer.unknownID.map { "id \($0)" } ?? "none", "")
      if let path = text { try measure(encoding.text(of: [path]).text, tokenizer, &table) }
      _ = try Terminal.write(table.text)
    }
  }

  private func describe(_ header: TokenFileHeader) throws {
    guard text == nil else {
      throw FileError(.invalid, tokenizer, "holds token ids; --text wants a tokenizer")
    }
    var table = TextTable()
    table.add("tokens", grouped(header.count), "of \(header.width) bits")
    table.add("vocabulary", grouped(header.vocabularySize), "SHA-256 of the tokenizer \(header.tokenizerHash)")
    table.add("text, bytes", grouped(header.bytes), "SHA-256 \(header.textHash)")
    table.add("text, characters", grouped(header.characters), "")
    table.add("text, words", grouped(header.words), "")
    table.add("unknown", grouped(header.unknown), "symbols of the text that the vocabulary lacks")
    table.add("tokens per word", decimal(Double(header.count) / Double(max(1, header.words)), places: 3), "")
    table.add("bytes per token", decimal(Double(header.bytes) / Double(max(1, header.count)), places: 3), "")
    _ = try Terminal.write(table.text)
  }

  private func measure(_ text: String, _ tokenizer: any Tokenizer, _ table: inout TextTable) throws {
    let encoded = try tokenizer.encode(text, unknown: .skip)
    let words = text.unicodeScalars.split { $0.properties.isWhitespace }.count
    let tokens = max(1, encoded.ids.count)
    table.add("tokens", grouped(encoded.ids.count), "of \(grouped(text.utf8.count)) bytes")
    table.add("tokens per word", decimal(Double(encoded.ids.count) / Double(max(1, words)), places: 3), "")
    table.add("bytes per token", decimal(Double(text.utf8.count) / Double(tokens), places: 3), "")
    let characters = max(1, text.unicodeScalars.count)
    table.add(
      "unknown", "\(decimal(100 * Double(encoded.unknownCount) / Double(characters), places: 4)) %",
      encoded.unknown.countedNames)
    var counts = [Int](repeating: 0, count: tokenizer.vocabularySize)
    for id in encoded.ids { counts[Int(id)] += 1 }
    let frequent = counts.indices.filter { counts[$0] > 0 }.sorted { (counts[$1], $0) < (counts[$0], $1) }
    for id in frequent.prefix(top) {
      table.add("id \(id)", grouped(counts[id]), JSON.string(tokenizer.text(of: Int32(id))).text())
    }
  }
}
