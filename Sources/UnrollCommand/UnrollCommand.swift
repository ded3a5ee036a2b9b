import ArgumentParser

/// UnrollCommand: the command line. Flags in, words out; no arithmetic.
@main
struct UnrollCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unroll",
    abstract: "Trains recurrent language models on plain text, writes text with them, reports perplexity.",
    discussion: """
      Data goes to standard output; progress, warnings and errors go to standard error. A file named - is standard input.

      Exit codes: 0 done, 64 wrong usage, 65 bad data, 66 no such input, 73 cannot create the output, 74 input/output \
      error, 130 and 143 stopped by a signal after saving.
      """,
    version: "0.1.0",
    subcommands: [
      TrainCommand.self, GenerateCommand.self, WriteCommand.self, PerplexityCommand.self, InfoCommand.self,
      RunsCommand.self,
      GradientsCommand.self, TokenizerCommand.self, BenchCommand.self,
    ])

  static func main() {
    Terminal.fillStandardStreams()
    main(nil)
  }
}
