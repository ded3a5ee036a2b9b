import ArgumentParser
import ModelFiles
import Reports
import Training

/// `unroll runs`.
struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs",
    abstract: "Compare training runs in a table, the best first.",
    discussion: """
      A folder that is no model stands for the models in it. Losses are comparable where the validation text is the same.

      Example: unroll runs letters-model letters-gru
      """)

  @Argument(help: "Model folders, or folders of them.")
  var folders: [String]

  @Option(help: "text for people, csv or jsonl for programs.")
  var format: Format = .text

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, csv, jsonl }

  func validate() throws { for folder in folders { try requirePath(folder, "The name of a folder") } }

  func run() throws {
    try reportingErrors {
      let runs = try folders.flatMap(models).map { try ModelSummary(existing: $0) }
      // Stable: runs without a loss stay in order, behind the others.
      let order = runs.indices.sorted { (loss(runs[$0]), $0) < (loss(runs[$1]), $1) }
      _ = try Terminal.write(text(order.map { runs[$0] }))
    }
  }

  private func loss(_ run: ModelSummary) -> Double { run.history?.best?.loss ?? .infinity }

  private func models(_ path: String) throws -> [String] {
    guard Files.kind(path) == .folder, Files.kind(Paths.join(path, "config.json")) == .nothing else { return [path] }
    let inside = Files.names(in: path).map { Paths.join(path, $0) }
      .filter { Files.kind(Paths.join($0, "config.json")) == .file }
    guard !inside.isEmpty else {
      throw FileError(.missing, path, "is neither a model folder nor a folder of them")
    }
    return inside
  }

  private func text(_ runs: [ModelSummary]) -> String {
    switch format {
    case .jsonl: return runs.map { $0.json.text() + "\n" }.joined()
    case .csv:
      let keys = runs.first?.json.members?.map(\.key) ?? []
      return keys.joined(separator: ",") + "\n"
        + runs.map { run in keys.map { field(run.json[$0] ?? .null) }.joined(separator: ",") + "\n" }.joined()
    case .text:
      var columns = ColumnTable([
        "run", "model", "parameters", "best loss", "bits/char", "at step", "steps", "time", "seed",
      ])
      for run in runs { columns.add(cells(run)) }
      return columns.text
    }
  }

  private func cells(_ run: ModelSummary) -> [String] {
    let (model, history) = (run.model, run.history)
    return [
      Paths.name(run.path), "\(model.layers)×\(model.hiddenSize) \(model.cellName)", grouped(model.parameterCount),
      history?.best.map { decimal($0.loss, places: 4) } ?? "–",
      history?.best.map { decimal($0.bitsPerCharacter, places: 3) } ?? "–",
      history?.best.map { grouped($0.step) } ?? "–", run.steps.map { grouped($0) } ?? "–",
      history?.end.map { duration($0.seconds) } ?? (history == nil ? "–" : "not ended"), run.seed ?? "–",
    ]
  }

  /// A value as CSV has it (RFC 4180).
  private func field(_ value: JSON) -> String {
    if value.isNull { return "" }
    guard let text = value.string else { return value.text() }
    return CSV.field(text)
  }
}
