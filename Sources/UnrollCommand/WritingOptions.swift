import ArgumentParser
import ModelFiles
import Sampling
import Tokenization
import UnicodeText

/// What `unroll generate` goes on from.
struct PromptOptions: ParsableArguments {
  @Option(name: .shortAndLong, parsing: .unconditional, help: "Text to go on from; - reads it from standard input.")
  var prompt: String?

  @Option(help: "A file whose text to go on from, as it is, line feeds too.")
  var promptFile: String?

  @Option(help: "What to do with characters of the prompt that the model does not know: fail, skip or replace.")
  var unknown: UnknownPolicy = .fail

  @Flag(inversion: .prefixedNo, help: "Write the prompt too.")
  var echo = true

  @OptionGroup var encoding: EncodingOptions

  func validate() throws {
    try require(prompt == nil || promptFile == nil, "--prompt and --prompt-file are two prompts; leave one out.")
    if let promptFile { try requirePath(promptFile, "--prompt-file") }
  }

  /// - Throws: `FileError` that names the file.
  func read() throws -> String {
    guard let path = promptFile ?? (prompt == "-" ? "-" : nil) else { return prompt ?? "" }
    return try encoding.content(of: path, "the prompt must be UTF-8; or use --invalid-utf8 replace")
  }
}

/// Where the texts of `unroll generate` end.
struct StoppingOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "Symbols to write at most.")
  var length = 500

  @Option(
    parsing: .unconditionalSingleValue,
    help: "End before this text, wherever it comes after the prompt; repeatable. $'\\n' is a line feed in most shells.")
  var stop: [String] = []

  @Flag(help: "End with the first sentence, or with --length symbols.")
  var untilSentence = false
}

/// How many texts `unroll generate` writes, and how they are looked for.
struct SearchOptions: ParsableArguments {
  @Option(help: "Texts to write, all at once; each is the same whatever is written beside it.")
  var samples = 1

  @Option(help: "Search for the likeliest text, following N at a time, instead of drawing.")
  var beams: Int?

  @Option(
    parsing: .unconditional,
    help: "Beams are compared by log-probability / length^A: higher favours long texts. (default: 1)")
  var lengthPenalty: Double?

  func validate() throws {
    try require((1...1_000_000).contains(samples), "--samples is \(samples); it must be 1 to 1,000,000.")
    try require(lengthPenalty == nil || beams != nil, "--length-penalty is for --beams.")
    if let beams, beams > 0 {
      try require(samples <= beams, "--samples is \(samples), of \(beams) --beams; it can be as many at most.")
    }
  }

  var settings: BeamSettings? { beams.map { BeamSettings(width: $0, lengthPenalty: lengthPenalty ?? 1) } }
}

/// What `unroll generate` says besides the text.
struct TellingOptions: ParsableArguments {
  @Flag(help: "One JSON object a text, each on a line: prompt, text, tokens, log_probabilities, finish_reason.")
  var json = false

  @Option(help: "With --json: the N likeliest symbols at each place, with their log-probabilities.")
  var topAlternatives: Int?

  @Flag(help: "Colour each symbol by how surprising the model finds it, on a terminal.")
  var showProbabilities = false

  func validate() throws {
    try require(topAlternatives == nil || json, "--top-alternatives is for --json.")
    try require(!json || !showProbabilities, "--show-probabilities is for a terminal; --json has the numbers.")
  }
}
