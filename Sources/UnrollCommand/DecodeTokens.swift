import ArgumentParser
import Corpora
import ModelFiles
import Tokenization
import Training

/// `unroll tokenizer decode`.
struct DecodeTokens: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Turn tokens into text.",
    discussion: "Reads ids between white space, what encode --format json wrote, or a file that encode --output wrote.")

  @Argument(help: "A file of tokens; - is standard input.")
  var input = "-"

  @Option(name: .shortAndLong, help: "A tokenizer.json, a sentencepiece .model, or the folder of a model.")
  var tokenizer: String

  @Option(help: "ids, or json: an object with ids, or a list of them.")
  var format: InputFormat = .ids

  enum InputFormat: String, ExpressibleByArgument, CaseIterable { case ids, json }

  func validate() throws { try requirePath(tokenizer, "--tokenizer") }

  func run() throws {
    try reportingErrors {
      let tokenizer = try TokenizerChoice.read(self.tokenizer)
      guard input == "-" || !TokenFile.isMeant(by: input) else { return try decodeFile(tokenizer) }
      let bytes = try Files.read(input)
      guard !bytes.starts(with: TokenFileHeader.magic) else {
        throw FileError(.invalid, name, "is a file of token ids in a stream; give its path instead")
      }
      let ids =
        try format == .ids ? plainIDs(bytes, tokenizer.vocabularySize) : jsonIDs(bytes, tokenizer.vocabularySize)
      _ = try Terminal.write(tokenizer.decode(ids))
    }
  }

  private var name: String { Paths.title(input) }

  private func decodeFile(_ tokenizer: any Tokenizer) throws {
    let tokens = TokenStream(try TokenFile(input, madeBy: tokenizer, named: self.tokenizer))
    var decoder = StreamingDecoder(tokenizer)
    for start in stride(from: 0, to: tokens.count, by: 1 << 14) {
      let text = tokens.part(start..<min(start + 1 << 14, tokens.count)).map { decoder.take($0) }.joined()
      guard try Terminal.write(text) else { return }
    }
    _ = try Terminal.write(decoder.finish())
  }

  private func plainIDs(_ bytes: [UInt8], _ size: Int) throws -> [Int32] {
    try bytes.split { $0 == 0x20 || (0x09...0x0D).contains($0) }.map { word in
      let text = String(decoding: word, as: UTF8.self)
      return try checked(Int(text), named: text, size)
    }
  }

  private func jsonIDs(_ bytes: [UInt8], _ size: Int) throws -> [Int32] {
    let json: JSON
    do { json = try JSON(parsing: bytes) } catch {
      throw FileError(.invalid, name, "is not JSON: \(error)")
    }
    guard let list = json.array ?? json["ids"]?.array else {
      throw FileError(.invalid, name, "has no list of ids")
    }
    return try list.map { try checked($0.integer, named: $0.text(), size) }
  }

  private func checked(_ id: Int?, named name: String, _ size: Int) throws -> Int32 {
    guard let id, (0..<size).contains(id) else {
      throw FileError(.invalid, name, "\"\(name.prefix(40))\" is not an id of 0 ..< \(size)")
    }
    return Int32(id)
  }
}
