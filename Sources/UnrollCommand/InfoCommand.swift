import ArgumentParser
import LanguageModeling
import ModelFiles
import Reports
import Training

/// `unroll info`.
struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Say what a model is, and how its training went.",
    discussion: "Example: unroll info letters-model")

  @Argument(help: "The model folder.")
  var model: String

  @Option(help: "text for people, json for programs.")
  var format: Format = .text

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  func validate() throws { try requirePath(model, "The model's name") }

  func run() throws {
    try reportingErrors {
      let summary = try ModelSummary(existing: model)
      switch format {
      case .json: _ = try Terminal.write(summary.json.text(indented: true) + "\n")
      case .text: _ = try Terminal.write(text(summary))
      }
    }
  }

  private func text(_ summary: ModelSummary) -> String {
    var table = TextTable()
    let model = summary.model
    table.add("cell", model.cellName, "\(model.layers) layer\(model.layers == 1 ? "" : "s")")
    table.add("hidden size", grouped(model.hiddenSize), "embedding size \(grouped(model.embeddingSize))")
    table.add("vocabulary", grouped(model.vocabularySize), model.tiesWeights ? "embedding and decoder tied" : "")
    table.add("parameters", grouped(model.parameterCount))
    guard let history = summary.history else {
      return table.text + "no training log: another program made this folder, or the log was removed\n"
    }
    add(history, of: summary, to: &table)
    var text = table.text
    if let hash = summary.corpusHash { text += "corpus SHA-256 \(hash)\n" }
    if history.end == nil { text += "the run has not ended, or was killed\n" }
    if let advice = history.advice { text += advice + "\n" }
    return text
  }

  private func add(_ history: RunHistory, of summary: ModelSummary, to table: inout TextTable) {
    if let best = history.best {
      table.add(
        "best validation loss", decimal(best.loss, places: 4),
        "nats/token, \(decimal(best.bitsPerCharacter, places: 4)) bits/character, after step \(grouped(best.step))")
    }
    if let last = history.validations.last { table.add("last validation loss", decimal(last.loss, places: 4)) }
    if let last = history.steps.last { table.add("last training loss", decimal(last.loss, places: 4)) }
    if let test = history.testLoss { table.add("test loss", decimal(test, places: 4)) }
    let ended = history.end.map { "in \(duration($0.seconds)), ended by: \($0.reason)" } ?? ""
    if let steps = summary.steps { table.add("steps", grouped(steps), ended) }
    if let tokens = summary.trainingTokens {
      let validation = summary.validationTokens.map { "\(grouped($0)) to validate on" } ?? ""
      table.add("training tokens", grouped(tokens), validation)
    }
    if history.skipped > 0 { table.add("updates left out", grouped(history.skipped)) }
    if let seed = summary.seed { table.add("seed", seed, summary.precision ?? "") }
  }
}

extension ModelSummary {
  /// - Throws: ``FileError`` also where there is no such folder.
  init(existing path: String) throws {
    guard Files.kind(path) == .folder else {
      throw FileError(.missing, path, "no such model folder; check the path")
    }
    try self.init(path)
  }
}
