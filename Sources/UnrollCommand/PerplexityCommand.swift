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

  private func cost(
    of precision: Precision, _ loaded: ModelFolder.Loaded, _ texts: [String]
  ) throws -> PrecisionCost? {
    let float32 = try ModelFolder(model[0]).load(precision: .float32).model
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

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, jsonl, csv, html }

  func run() throws {
    try reportingErrors {
      let loaded = try model.map { try ModelFolder($0).load(precision: precision) }
      for one in loaded { _ = try one.model.configuration.documents(cut: documents.cut) }
      let corpus = try Corpus(files)
      Terminal.complain(of: corpus)
      let names = corpus.paths
      let texts = try names.map { file in
        let text = try encoding.text(of: [file]).text
        // Refused symbols are told with the name of their own file.
        if unknown != .skip { for one in loaded { _ = try InText.named(file) { try tokens(of: text, one) } } }
        return text
      }
      let bar = ReadingBar()
      defer { bar.clear() }
      try InText.named(files.joined(separator: ", ")) {
        isComparing ? try compare(texts, loaded, bar) : try report(texts, names, loaded[0], bar)
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

  private func report(
    _ texts: [String], _ names: [String], _ loaded: ModelFolder.Loaded, _ bar: ReadingBar
  ) throws {
    var reading = reading(loaded, bar)
    if let by = units.unit(for: format) {
      try writeUnits(by, texts, names, &reading, bar)
      return
    }
    if units.verify { reading.detail = .init(isVerifying: true) }
    if format == .html {
      try writePage(texts, names, &reading, bar)
      return
    }
    var report = try PerplexityReport(of: texts, by: reading)
    if precision != .float32 { report.precisionCost = try cost(of: precision, loaded, texts) }
    report.adaptive = try adaptation.scores(
      of: texts, loaded, documents.cut, unknown, encoding, threads: compute.threadCount)
    bar.clear()
    switch format {
    case .json: _ = try Terminal.write(report.json.text(indented: true) + "\n")
    default: _ = try Terminal.write(report.text)
    }
  }

  private func writeUnits(
    _ unit: TextUnit, _ texts: [String], _ names: [String], _ reading: inout TextReading, _ bar: ReadingBar
  ) throws {
    reading.detail = .init(isVerifying: units.verify)
    let form: UnitOutput.Form = format == .csv ? .csv : format == .jsonl ? .jsonl : .text
    if unit == .file && form == .text && units.top == nil {
      let report = try PerplexityReport(of: texts, by: reading)
      bar.clear()
      _ = try Terminal.write(fileTable(report, names: names))
      return
    }
    let output = try UnitOutput(form, names: names, top: units.top)
    do {
      var collector = UnitCollector(unit, of: texts, reading.tokenizer) { try output.add($0) }
      let report = try PerplexityReport(of: texts, by: reading) { try collector.add($0, $1) }
      try collector.finish()
      bar.clear()
      if units.by == nil && form == .text { _ = try Terminal.write(report.text + "\nmost surprising\n") }
      try output.finish()
      if let excess = report.breakdown.largestExcess {
        Terminal.complain("sums of probabilities: 1 within \(excess)")
      }
    } catch is NobodyReads {}
  }

  private func writePage(
    _ texts: [String], _ names: [String], _ reading: inout TextReading, _ bar: ReadingBar
  ) throws {
    reading.detail = .init(alternatives: 5, isVerifying: units.verify)
    var heatMap = HeatMap(texts, names: names, reading.tokenizer)
    let report = try PerplexityReport(of: texts, by: reading) { heatMap.add($0, $1) }
    bar.clear()
    _ = try Terminal.write(report.page(heatMap.finished(), model: model[0]))
  }

  // MARK: Several

  private func compare(_ texts: [String], _ loaded: [ModelFolder.Loaded], _ bar: ReadingBar) throws {
    var columns = try zip(model, loaded).map { name, one in
      try CharacterLosses(name, of: texts, by: reading(one, bar))
    }
    let first = reading(loaded[0], bar)
    if let path = baselines.baselineCorpus {
      let corpus = try first.tokens(of: [try encoding.text(of: [path]).text])
      let orders = [1] + baselines.baseline.map(\.order).filter { $0 != 1 }
      for order in orders {
        let model = NGramModel(order: order, vocabularySize: first.tokenizer.vocabularySize, texts: corpus)
        columns.append(try CharacterLosses(order == 1 ? "unigram" : "ngram:\(order)", of: texts, by: model, in: first))
      }
    }
    columns.append(try CharacterLosses.uniform(of: texts, in: first))
    let comparison = try Comparison(columns, texts: texts)
    bar.clear()
    switch format {
    case .json: _ = try Terminal.write(comparison.json.text(indented: true) + "\n")
    default: _ = try Terminal.write(comparison.text)
    }
  }
}
