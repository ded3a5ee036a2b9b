import ArgumentParser
import Compute
import Corpora
import ModelFiles
import Reports
import Tokenization
import Training
import UnicodeText

/// `unroll tokenizer encode`.
struct EncodeText: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encode",
    abstract: "Turn text into tokens.",
    discussion: """
      With --output, writes a compact file of token ids, in memory that does not grow with the text: unroll train takes it
      as a corpus, with the same --tokenizer.

      Example: echo 'Dear Nell,' | unroll tokenizer encode --tokenizer letters-model --format tokens
      """)

  @Argument(help: CorpusHelp.texts)
  var corpus: [String] = ["-"]

  @Option(name: .shortAndLong, help: "A tokenizer.json, a sentencepiece .model, or the folder of a model.")
  var tokenizer: String

  @Option(
    help: "ids, one a line; tokens, one JSON string a line; json, one object with ids, tokens and offsets in bytes.")
  var format: TokenizerCommand.Format?

  @Option(name: .shortAndLong, help: "A file of token ids to write instead; one that exists is replaced.")
  var output: String?

  @Option(
    help: "What to do with characters that the vocabulary lacks: fail, skip (named on standard error) or replace.")
  var unknown: UnknownPolicy = .fail

  @Option(
    help: ArgumentHelp(
      "Of a unigram vocabulary, draw one of a text's many encodings (subword regularisation): an exponent such as 0.2.",
      discussion:
        "0 draws all alike, large numbers the likeliest. Name a corpus several times for as many encodings of it."))
  var subwordSampling: Double?

  @Option(help: "Seed of --subword-sampling.")
  var seed: UInt64 = 1

  @OptionGroup var encoding: EncodingOptions

  func validate() throws {
    try requirePath(tokenizer, "--tokenizer")
    try requireDistinctInputs(corpus)
    try requirePath(output ?? "-", "--output")
    if let subwordSampling {
      try require(
        (0...1000).contains(subwordSampling), "--subword-sampling is \(subwordSampling); it must be 0 to 1000.")
      try require(format != .json, "--format json tells offsets, which --subword-sampling has not.")
    }
    try require(output == nil || format == nil, "--format is for standard output; --output writes a file of ids.")
  }

  func run() throws {
    try reportingErrors {
      let tokenizer = try drawing(from: TokenizerChoice.read(self.tokenizer))
      let corpus = try Corpus(corpus, invalid: encoding.policy, allowsEmpty: output == nil)
      Terminal.complain(of: corpus)
      if let output { try write(corpus, tokenizer, to: output) } else { try print(corpus, tokenizer) }
    }
  }

  /// The tokenizer itself, or one that draws its encodings.
  private func drawing(from tokenizer: any Tokenizer) throws -> any Tokenizer {
    guard let subwordSampling else { return tokenizer }
    return try SampledTokenizer(
      tokenizer, exponent: subwordSampling, random: CounterRandom(seed: seed, purpose: .subwordSampling))
  }

  private var name: String { corpus.joined(separator: ", ") }

  private func write(_ corpus: Corpus, _ tokenizer: any Tokenizer, to path: String) throws {
    let (header, lacking) = try InText.named(name) {
      try TokenFile.write(corpus, tokenizer, unknown: unknown, to: path)
    }
    complain(of: lacking)
    Terminal.complain(
      "\(grouped(header.count)) \(tokenizer.unitName)s of \(header.width) bits from \(grouped(header.bytes)) bytes of "
        + "text in \(path)")
  }

  private func complain(of unknown: [UnknownSymbol]) {
    guard !unknown.isEmpty else { return }
    let named = unknown.names
    Terminal.complain(
      "Warning: the vocabulary lacks \(named); \(self.unknown == .skip ? "left out" : "read as <unk>")")
  }

  private func print(_ corpus: Corpus, _ tokenizer: any Tokenizer) throws {
    let format = format ?? .ids
    let read = try CorpusText(reading: corpus)
    EncodingOptions.say(read.replacements)
    let text = read.text
    let encoded = try InText.named(name) {
      try tokenizer.encode(text, unknown: unknown, keepsOffsets: format == .json)
    }
    complain(of: encoded.unknown)
    for start in stride(from: 0, to: encoded.ids.count, by: 1 << 16) where format != .json {
      let ids = encoded.ids[start..<min(start + 1 << 16, encoded.ids.count)]
      let lines = ids.map { format == .ids ? String($0) : JSON.string(tokenizer.text(of: $0)).text() }
      guard try Terminal.write(lines.joined(separator: "\n") + "\n") else { return }
    }
    if format == .json { _ = try Terminal.write(json(encoded, tokenizer).text() + "\n") }
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
