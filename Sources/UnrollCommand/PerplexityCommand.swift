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

  @Argument(help: CorpusHelp.texts)
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

  private func cost(
    of precision: Precision, _ loaded: ModelFolder.Loaded, _ texts: [String]
  ) throws -> PrecisionCost? {
    let float32 = try ModelFolder(model).load(precision: .float32).model
    for text in texts {
      let tokens = try loaded.tokenizer.encode(text, unknown: unknown).ids
      if let cost = PrecisionCost(
        of: precision, model: loaded.model, against: float32, on: tokens, threads: compute.threadCount)
      {
        return cost
      }
    }
    return nil
  }

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  func run() throws {
    try reportingErrors {
      let precision = compute.precision.precision(automatic: .float32)
      let loaded = try ModelFolder(model).load(precision: precision)
      let corpus = try Corpus(files)
      Terminal.complain(of: corpus)
      let texts = try corpus.paths.map { file in
        let text = try CorpusText(reading: [file]).text
        // Refused symbols are told with the name of their own file.
        if unknown != .skip { _ = try InText.named(file) { try loaded.tokenizer.encode(text, unknown: unknown) } }
        return text
      }
      var report = try InText.named(files.joined(separator: ", ")) {
        try PerplexityReport(
          of: texts, by: loaded.model, loaded.tokenizer, unknownPolicy: unknown, threads: compute.threadCount)
      }
      if precision != .float32 { report.precisionCost = try cost(of: precision, loaded, texts) }
      switch format {
      case .text: _ = try Terminal.write(report.text)
      case .json: _ = try Terminal.write(report.json.text(indented: true) + "\n")
      }
    }
  }
}
