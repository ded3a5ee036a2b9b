import ArgumentParser
import Corpora
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

  @Argument(help: CorpusHelp.texts)
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
      try refuseExport(vocabulary.options(defaultSize: 1000).normalization.exportObstacle)
      let corpus = try Corpus(corpus, invalid: encoding.policy)
      Terminal.complain(of: corpus)
      let tokenizer = try vocabulary.choice.tokenizer(vocabulary.options(defaultSize: 1000)) { learn in
        EncodingOptions.say(try corpus.forEachPiece(0..<Int.max, learn))
      }
      if !vocabulary.choice.isLearnt { EncodingOptions.say(try corpus.measured().replacements) }
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
