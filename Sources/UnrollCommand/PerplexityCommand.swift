import ArgumentParser
import Corpora
import Evaluation
import LanguageModeling
import Tokenization

/// `unroll perplexity`.
struct PerplexityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "perplexity",
    abstract: "Report how well a model predicts a text.",
    discussion: """
      Each file is read from the zero state; its first symbol starts it and is not scored. Several files are added up.

      Example: unroll perplexity --model letters-model new-letters.txt
      """)

  @Argument(help: "Text files; - is standard input.")
  var files: [String]

  @Option(name: .shortAndLong, help: "The model folder.")
  var model: String

  @Option(help: "text for people, json for programs.")
  var format: Format = .text

  @Option(
    help: "What to do with characters that the model does not know: fail, skip (counted, named, not scored) or replace."
  )
  var unknown: UnknownPolicy = .skip

  @OptionGroup(title: "Running") var compute: ComputeOptions

  func validate() throws {
    try requirePath(model, "--model")
    try requireDistinctInputs(files)
  }

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  func run() throws {
    try reportingErrors {
      let loaded = try ModelFolder(model).load(precision: compute.precision.precision(automatic: .float32))
      let texts = try files.map { file in
        let text = try CorpusText(reading: [file]).text
        // Refused symbols are told with the name of their own file.
        if unknown != .skip { _ = try InText.named(file) { try loaded.tokenizer.encode(text, unknown: unknown) } }
        return text
      }
      let report = try InText.named(files.joined(separator: ", ")) {
        try PerplexityReport(of: texts, by: loaded.model, loaded.tokenizer, unknownPolicy: unknown)
      }
      switch format {
      case .text: _ = try Terminal.write(report.text)
      case .json: _ = try Terminal.write(report.json.text(indented: true) + "\n")
      }
    }
  }
}
