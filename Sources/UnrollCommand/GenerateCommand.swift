import ArgumentParser
import LanguageModeling
import ModelFiles
import Sampling
import Tokenization
import UnicodeText

/// `unroll generate`.
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Write text with a model.",
    discussion: """
      Writes the prompt and what follows to standard output. Without a prompt the text starts as after a line feed. \
      A model that was trained on documents begins one with the prompt and ends where it ends it, perhaps before \
      --length.

      Example: unroll generate --model letters-model --prompt "Dear " --length 300 --temperature 0.7
      """)

  @Option(name: .shortAndLong, help: "The model folder.")
  var model: String

  @Option(name: .shortAndLong, parsing: .unconditional, help: "Text to go on from; - reads it from standard input.")
  var prompt = ""

  @Option(name: .shortAndLong, help: "Symbols to write.")
  var length = 500

  @Option(name: .shortAndLong, help: "0 takes the likeliest symbol each time; higher is more daring.")
  var temperature = 0.8

  @Flag(help: "The same as --temperature 0.")
  var greedy = false

  @Option(
    name: .shortAndLong,
    help:
      "Seed of the draws; the same seed writes the same text (in one --precision). The default is a new one each time, named on standard error."
  )
  var seed: UInt64?

  @Option(help: "What to do with characters of the prompt that the model does not know: fail, skip or replace.")
  var unknown: UnknownPolicy = .fail

  @Flag(inversion: .prefixedNo, help: "Write the prompt too.")
  var echo = true

  @OptionGroup(title: "Running") var compute: ComputeOptions

  func validate() throws {
    try requirePath(model, "--model")
    try require((0...1_000_000_000).contains(length), "--length is \(length); it must be 0 to 1,000,000,000.")
    do { _ = try Sampler(temperature: temperature) } catch { throw ValidationError("--temperature: \(error).") }
  }

  func run() throws {
    try reportingErrors {
      let sampler = try Sampler(temperature: greedy ? 0 : temperature)
      let loaded = try ModelFolder(model).load(precision: compute.precision.precision(automatic: .fastest))
      let text = try promptText()
      let encoded = try InText.named("the prompt") { try loaded.tokenizer.encode(text, unknown: unknown) }
      if encoded.unknownCount > 0 {
        let named = encoded.unknown.prefix(5).map(\.name).joined(separator: ", ")
        Terminal.complain(
          "Warning: the model does not know \(named); \(unknown == .skip ? "left out" : "read as <unk>")")
      }
      let seed = self.seed ?? UInt64(UInt32.random(in: 0...UInt32.max))
      if self.seed == nil && sampler.temperature > 0 { Terminal.complain("seed \(seed)") }
      var generator = Generator(
        model: loaded.model, tokenizer: loaded.tokenizer, start: loaded.startToken, sampler: sampler, seed: seed)
      generator.threads = compute.threadCount
      if echo { guard try Terminal.write(text) else { return } }
      try generator.write(after: encoded.ids, length: length) { try Terminal.write($0) }
      if Terminal.outputIsTerminal { _ = try Terminal.write("\n") }
    }
  }

  private func promptText() throws -> String {
    guard prompt == "-" else { return prompt }
    let bytes = try Files.read("-")
    do { return try decodeUTF8(bytes) } catch {
      throw FileError(.invalid, "standard input", "\(error); the prompt must be UTF-8")
    }
  }
}
