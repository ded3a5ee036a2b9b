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
      Each file is read from the zero state; its first symbol starts it and is not scored. Several files are added up. \
      A model that was trained on documents cuts files likewise, reads each document from <s> on and scores every \
      symbol and the end. The standard error and the 95 % interval are of a block bootstrap, since neighbouring symbols \
      depend on each other.

      csv and jsonl have the columns file, line, position (Unicode scalar in the line, from 1), text, surprisal_bits, rank \
      (of what came, from 1; the highest of a unit's tokens) and entropy_bits; empty or null where nothing was scored. A \
      token of several characters shares its surprisal evenly among them; a word has the white space after it, as far as \
      that is tokens of its own.

      Texts are read piece by piece, so memory does not grow with them; rows are written as they come. --unknown fail \
      stops at the end of the file that it refuses. A page (html) shows the first 4 MB of text, as much as browsers bear; \
      its figures are of all. What has to be read as a whole is a text of at most 256 MB for vocabularies of clusters or \
      with sentencepiece's normalization, and the corpus of --baseline.

      Several models are compared on the characters that all of them score.

      Example: unroll perplexity --model letters-model new-letters.txt
      """)

  @Argument(help: CorpusHelp.texts)
  var files: [String]

  @Option(name: .shortAndLong, help: "The model folder. Given again, the models are compared with the first.")
  var model: [String]

  @Option(
    help: """
      text for people, json for programs, csv or jsonl with a row for each unit (see --by; tokens without it), html for a \
      page with the text coloured by surprisal.
      """)
  var format: Format = .text

  @OptionGroup(title: "Units") var units: UnitOptions
  @OptionGroup(title: "Comparing") var baselines: BaselineOptions

  @Option(
    help: "What to do with characters that the model does not know: fail, skip (counted, named, not scored) or replace."
  )
  var unknown: UnknownPolicy = .skip

  @OptionGroup var encoding: EncodingOptions
  @OptionGroup var documents: DocumentOptions
  @OptionGroup(title: "Adapting to the text") var adaptation: AdaptationOptions
  @OptionGroup(title: "Running") var compute: ComputeOptions

  func validate() throws {
    try require(!model.isEmpty, "Missing expected argument '--model <model>'")
    for folder in model { try requirePath(folder, "--model") }
    try requireDistinctInputs(files + (baselines.baselineCorpus.map { [$0] } ?? []))
    if isComparing {
      try require(format == .text || format == .json, "A comparison is written as --format text or json.")
      try require(units.isEmpty, "--by, --top and --verify are for one model without --baseline.")
    }
    try require(
      format != .json && format != .html || (units.by == nil && units.top == nil),
      "--by and --top want --format text, csv or jsonl.")
  }

  private var isComparing: Bool { model.count > 1 || !baselines.baseline.isEmpty }

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, jsonl, csv, html }

  func run() throws {
    try reportingErrors {
      let loaded = try model.map { try ModelFolder($0).load(precision: precision) }
      for one in loaded { _ = try one.model.configuration.documents(cut: documents.cut) }
      let corpus = try Corpus(files, invalid: encoding.policy)
      Terminal.complain(of: corpus)
      let bar = try ReadingBar(corpus)
      defer { bar.clear() }
      try InText.named(files.joined(separator: ", ")) {
        do {
          isComparing ? try compare(corpus, loaded, bar) : try report(corpus, loaded[0], bar)
        } catch is NobodyReads {}
      }
    }
  }

  private var precision: Precision { compute.precision.precision(automatic: .float32) }

  private func reading(_ loaded: ModelFolder.Loaded, _ bar: ReadingBar) -> TextReading {
    var reading = TextReading(loaded.model, loaded.tokenizer)
    (reading.unknownPolicy, reading.documents, reading.threads) = (unknown, documents.cut, compute.threadCount)
    reading.progress = bar.progress
    return reading
  }

  // MARK: One model

  private func report(_ corpus: Corpus, _ loaded: ModelFolder.Loaded, _ bar: ReadingBar) throws {
    var reading = reading(loaded, bar)
    if let by = units.unit(for: format) {
      try writeUnits(by, corpus, &reading, bar)
      return
    }
    if units.verify { reading.detail = .init(isVerifying: true) }
    if format == .html {
      try writePage(corpus, &reading, bar)
      return
    }
    let beginning = TextBeginning()
    let adaptive = try adaptation.reading(loaded, documents.cut, unknown, encoding, threads: compute.threadCount)
    let followers: [(any ReadingFollower)?] = [precision == .float32 ? nil : beginning, adaptive]
    var report = try corpus.report(by: reading, followers.compactMap { $0 })
    report.precisionCost = try cost(of: precision, loaded, beginning.tokens)
    report.adaptive = try adaptive?.finish()
    bar.clear()
    switch format {
    case .json: _ = try Terminal.write(report.json.text(indented: true) + "\n")
    default: _ = try Terminal.write(report.text)
    }
  }

  private func cost(
    of precision: Precision, _ loaded: ModelFolder.Loaded, _ tokens: [Int32]
  ) throws -> PrecisionCost? {
    guard precision != .float32 else { return nil }
    let float32 = try ModelFolder(model[0]).load(precision: .float32).model
    return PrecisionCost(
      of: precision, model: loaded.model, against: float32, on: tokens, threads: compute.threadCount)
  }

  private func writeUnits(
    _ unit: TextUnit, _ corpus: Corpus, _ reading: inout TextReading, _ bar: ReadingBar
  ) throws {
    reading.detail = .init(isVerifying: units.verify)
    let form: UnitOutput.Form = format == .csv ? .csv : format == .jsonl ? .jsonl : .text
    if unit == .file && form == .text && units.top == nil {
      let report = try corpus.report(by: reading, [])
      bar.clear()
      _ = try Terminal.write(fileTable(report, names: corpus.names))
      return
    }
    let output = UnitOutput(form, names: corpus.names, top: units.top, addsTotal: unit == .file)
    let collector = UnitCollector(unit, reading.tokenizer) { try output.add($0) }
    let report = try corpus.report(by: reading, [collector])
    bar.clear()
    if units.by == nil && form == .text { _ = try Terminal.write(report.text + "\nmost surprising\n") }
    try output.finish()
    if let excess = report.breakdown.largestExcess {
      Terminal.complain("sums of probabilities: 1 within \(excess)")
    }
  }

  private func writePage(_ corpus: Corpus, _ reading: inout TextReading, _ bar: ReadingBar) throws {
    reading.detail = .init(alternatives: 5, isVerifying: units.verify)
    let heatMap = HeatMap(names: corpus.names, reading.tokenizer)
    let report = try corpus.report(by: reading, [heatMap])
    bar.clear()
    _ = try Terminal.write(report.page(heatMap, model: model[0]))
  }

  // MARK: Several

  private func compare(_ corpus: Corpus, _ loaded: [ModelFolder.Loaded], _ bar: ReadingBar) throws {
    var predictors: [Comparison.Predictor] = []
    for (name, one) in zip(model, loaded) {
      var reading = reading(one, bar)
      // All read the same text side by side; one bar tells of it.
      if !predictors.isEmpty { reading.progress = nil }
      predictors.append(.model(name, reading))
    }
    var first = reading(loaded[0], bar)
    first.progress = nil
    if let path = baselines.baselineCorpus {
      let tokens = try first.tokens(of: [try encoding.text(of: [path]).text])
      let orders = [1] + baselines.baseline.map(\.order).filter { $0 != 1 }
      for order in orders {
        let model = NGramModel(order: order, vocabularySize: first.tokenizer.vocabularySize, texts: tokens)
        predictors.append(.counts(order == 1 ? "unigram" : "ngram:\(order)", model, in: first))
      }
    }
    predictors.append(.uniform(in: first))
    let running = try RunningComparison(predictors)
    try corpus.read(
      begin: { try running.begin() }, append: { try running.append($0) }, end: { try running.endText() })
    let comparison = try running.finish()
    bar.clear()
    switch format {
    case .json: _ = try Terminal.write(comparison.json.text(indented: true) + "\n")
    default: _ = try Terminal.write(comparison.text)
    }
  }
}

extension Corpus {
  /// Reads all texts piece by piece. Refused symbols are told with the name of their text, and on standard error how many
  /// sequences of bytes were replaced.
  fileprivate func read(
    begin: () throws -> Void, append: (ArraySlice<UInt8>) throws -> Void, end: () throws -> Void
  ) throws {
    var reader = reader()
    var name: String?
    func endText() throws { if let name { try InText.named(name, end) } }
    while let element = try reader.next() {
      switch element {
      case .file(let next):
        try endText()
        name = next
        try begin()
      case .text(let bytes): try InText.named(name ?? "") { try append(bytes[...]) }
      }
    }
    try endText()
    EncodingOptions.say(reader.replacements)
  }

  fileprivate func report(by reading: TextReading, _ followers: [any ReadingFollower]) throws -> PerplexityReport {
    let report = try RunningReport(by: reading, followers: followers)
    try read(begin: { try report.begin() }, append: { try report.append($0) }, end: { try report.endText() })
    return try report.finish()
  }
}
