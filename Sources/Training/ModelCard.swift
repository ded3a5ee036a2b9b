import LanguageModeling
import ModelFiles
import Reports

/// The README of a model folder: what the model is, what it was trained on and how, and how well it predicts.
struct ModelCard {
  let name: String
  let configuration: TrainingConfiguration
  let model: ModelConfiguration
  let data: TrainingData
  /// The outcome, once there is one.
  var end: TrainingEvent.End?
  var bestStep: Int?

  var text: String {
    """
    ---
    library_name: unroll
    pipeline_tag: text-generation
    tags: [recurrent, \(model.cell.rawValue), \(levelTag)]
    ---

    # \(name)

    A recurrent language model trained by truncated backpropagation through time.

    | | |
    |---|---|
    | architecture | \(model.layers) × \(model.cellName), hidden size \(model.hiddenSize), embedding size \(model.embeddingSize) |
    | parameters | \(grouped(model.parameterCount)) |
    | vocabulary | \(grouped(model.vocabularySize)) \(unit)s, normalization \(data.tokenizer.normalization.rawValue) |
    | corpus | \(corpusName), \(grouped(data.corpusBytes)) bytes, SHA-256 `\(data.corpusHash)` |
    \(knownAnswer)| training part | \(grouped(data.training.targetsPerEpoch)) \(unit)s an epoch, in \(data.training.lanes) lanes, \(truncation) |
    | validation part | \(grouped(data.validation.count)) \(unit)s |
    | optimiser | \(configuration.optimizer.weightDecay > 0 ? "AdamW" : "Adam"), learning rate \(configuration.learningRate), weight decay \(configuration.optimizer.weightDecay), gradients \(clipping) |
    | regularisation | \(regularization) |
    | seed | \(configuration.seed) |
    | precision | \(configuration.precision.rawValue) |
    \(outcome)

    Made by:

        \(configuration.command.replacing("\n", with: " "))

    """
  }

  private var truncation: String {
    let k1 = data.training.steps
    let state =
      switch configuration.statePolicy {
      case .carried: ""
      case .reset: ", state reset at every window"
      case .dropped(let probability): ", state dropped with probability \(probability)"
      }
    return (configuration.k2 ?? k1 == k1 ? "k1 = k2 = \(k1)" : "k1 \(k1), k2 \(configuration.k2 ?? k1)") + state
  }

  private var regularization: String {
    let parts = configuration.regularization.named.map { "\($0.name) \($0.value)" }
    return parts.isEmpty ? "none" : parts.joined(separator: ", ")
  }

  /// What a token is.
  private var unit: String { data.tokenizer.unitName }

  private var levelTag: String { unit == "token" ? "subword" : "\(unit)-level" }

  /// A source, or file names as a table's cell can hold them.
  private var corpusName: String {
    if let source = data.source { return "the source `\(source.description)`" }
    let names = configuration.corpus.map { $0 == "-" ? "standard input" : Paths.name($0) }.joined(separator: ", ")
    return names.replacing("|", with: "\\|").replacing("\n", with: " ")
  }

  /// Rows for a source.
  private var knownAnswer: String {
    data.source.map { "| optimal loss | \($0.text) |\n| learnt when | \($0.criterion) |\n" } ?? ""
  }

  private var clipping: String {
    let value = configuration.clipValue.map { "clipped to values of ±\($0)" }
    let norm = configuration.clip.map { "clipped to norm \($0)" }
    let parts = [value, norm].compactMap { $0 }
    return parts.isEmpty ? "not clipped" : parts.joined(separator: ", then ")
  }

  private var outcome: String {
    guard let end else {
      return "| outcome | the run had not ended when this card was written; see training/metrics.jsonl |"
    }
    let loss = end.bestValidationLoss.map {
      "\(decimal($0, places: 4)) nats/\(unit) (\(decimal($0 * bitsPerNat, places: 4)) bits)"
        + (bestStep.map { ", after step \(grouped($0))" } ?? "")
    }
    return """
      | best validation loss | \(loss ?? "none: there was no validation part") |
      | steps | \(grouped(end.steps)) in \(duration(end.seconds)), ended by: \(end.reason.rawValue) |
      """
  }
}
