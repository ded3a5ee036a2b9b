import ArgumentParser
import Evaluation
import LanguageModeling
import Tokenization

/// `unroll perplexity`.
struct PerplexityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "perplexity",
    abstract: "Report how well a model predicts a text.",
    discussion: """
      Each file is read from the zero state; its first symbol starts it and is not scored. Several files are added up. \
      A model that was trained on documents cuts files likewise, reads each document from <s> on and scores every \
      symbol and the end.

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

  @OptionGroup var encoding: EncodingOptions
  @OptionGroup var documents: DocumentOptions
  @OptionGroup(title: "Adapting to the text") var adaptation: AdaptationOptions
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
      let tokens = try tokens(of: text, loaded)
      if let cost = PrecisionCost(
        of: precision, model: loaded.model, against: float32, on: tokens, threads: compute.threadCount)
      {
        return cost
      }
    }
    return nil
  }

  private func tokens(of text: String, _ loaded: ModelFolder.Loaded) throws -> [Int32] {
    guard let (symbols, cut) = try loaded.model.configuration.documents(cut: documents.cut) else {
      return try loaded.tokenizer.encode(text, unknown: unknown).ids
    }
    return try symbols.encode(cut.documents(of: text).documents, by: loaded.tokenizer, unknown: unknown).ids
  }

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  func run() throws {
    try reportingErrors {
      let precision = compute.precision.precision(automatic: .float32)
      let loaded = try ModelFolder(model).load(precision: precision)
      _ = try loaded.model.configuration.documents(cut: documents.cut)
      let texts = try files.map { file in
        let text = try encoding.text(of: [file]).text
        // Refused symbols are told with the name of their own file.
        if unknown != .skip { _ = try InText.named(file) { try tokens(of: text, loaded) } }
        return text
      }
      var report = try InText.named(files.joined(separator: ", ")) {
        try PerplexityReport(
          of: texts, by: loaded.model, loaded.tokenizer, unknownPolicy: unknown, documents: documents.cut,
          threads: compute.threadCount)
      }
      if precision != .float32 { report.precisionCost = try cost(of: precision, loaded, texts) }
      report.adaptive = try adaptation.scores(
        of: texts, loaded, documents.cut, unknown, encoding, threads: compute.threadCount)
      switch format {
      case .text: _ = try Terminal.write(report.text)
      case .json: _ = try Terminal.write(report.json.text(indented: true) + "\n")
      }
    }
  }
}
