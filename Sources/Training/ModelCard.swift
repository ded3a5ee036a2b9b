import LanguageModeling
import ModelFiles
import Reports

/// The README of a model folder: what the model is, what it was trained on and how, and how well it predicts.
struct ModelCard {
  let name: String
  var configuration: TrainingConfiguration
  let model: ModelConfiguration
  let data: TrainingData
  /// The outcome, once there is one.
  var end: TrainingEvent.End?
  var best = BestLoss()

  var text: String {
    """
    ---
    library_name: unroll
    pipeline_tag: text-generation
    tags: [recurrent, \(model.cell.rawValue), \(levelTag)]
    ---

    # \(name)

    A recurrent language model trained by truncated backpropagation through time.\(cellNote)

    | | |
    |---|---|
    \(rows.map { "| \($0.label) | \(cell($0.value)) |" }.joined(separator: "\n"))

    Made by:

        \(configuration.command.replacing("\n", with: " "))

    """
  }

  private var cellNote: String {
    guard model.cell == .layerNormLSTM else { return "" }
    return
      " Its cell is an LSTM with layer\nnormalization as in Ba, Kiros & Hinton 2016 (supplement, equations 20 to 22; "
      + "ε 1e-5): `torch.nn.LSTM` does not load it."
  }

  /// What is said of the run, and after its end of its outcome.
  var rows: [(label: String, value: String)] {
    return [
      (
        "architecture",
        "\(model.layers) × \(model.cellName), hidden size \(model.hiddenSize), embedding size \(model.embeddingSize)"
      ),
      ("parameters", grouped(model.parameterCount)),
      (
        "vocabulary",
        "\(grouped(model.vocabularySize)) \(unit)s, normalization \(data.tokenizer.normalization)"
      ),
      ("corpus", "\(corpusName), \(grouped(data.corpusBytes)) bytes, SHA-256 `\(data.corpusHash)`"),
    ] + begun + knownAnswer + documents + [
      (
        "training part",
        "\(grouped(data.predictedTargets)) \(unit)s an epoch, in \(data.training.lanes) lanes, \(truncation)"
      ),
      ("validation part", "\(grouped(data.validationTokens)) \(unit)s"),
      ("optimiser", "\(configuration.optimizer.description), gradients \(clipping)"),
      ("learning rate", learningRate),
    ] + averaged + [
      ("regularisation", regularization),
      ("seed", "\(configuration.seed)"),
      ("precision", configuration.precision.rawValue),
    ] + outcome
  }

  /// A value as a table's cell can hold it.
  private func cell(_ value: String) -> String { value.replacing("|", with: "\\|").replacing("\n", with: " ") }

  private var truncation: String {
    let k1 = data.training.steps
    let offset = configuration.hasRandomOffset ? ", epochs from random places" : ""
    let state =
      switch configuration.statePolicy {
      case .carried: ""
      case .reset: ", state reset at every window"
      case .dropped(let probability): ", state dropped with probability \(probability)"
      }
    guard !data.windows.varies else {
      let k2 = configuration.k2.map { ", k2 \($0)" } ?? ""
      return "windows of variable length around k1 \(k1)\(k2)\(state)\(offset)"
    }
    return (configuration.k2 ?? k1 == k1 ? "k1 = k2 = \(k1)" : "k1 \(k1), k2 \(configuration.k2 ?? k1)") + state
      + offset
  }

  private var regularization: String {
    let parts = configuration.regularization.named.map { "\($0.name) \($0.value)" }
    return parts.isEmpty ? "none" : parts.joined(separator: ", ")
  }

  /// What a token is.
  var unit: String { data.tokenizer.unitName }

  private var levelTag: String { unit == "token" ? "subword" : "\(unit)-level" }

  /// A source, or the names of files.
  private var corpusName: String {
    if let source = data.source { return "the source `\(source.description)`" }
    return configuration.corpus.map { Paths.name(Paths.title($0)) }.joined(separator: ", ")
  }

  /// A row for the model that the run began with.
  private var begun: [(label: String, value: String)] {
    guard let initial = configuration.initialModel else { return [] }
    let hash = initial.hash.map { ", whose model.safetensors has SHA-256 `\($0)`" } ?? ""
    return [("fine-tuned from", "the model `\(Paths.name(initial.path))`\(hash)")]
  }

  /// Rows for a source.
  private var knownAnswer: [(label: String, value: String)] {
    data.source.map { [("optimal loss", $0.text), ("learnt when", $0.criterion)] } ?? []
  }

  /// A row for documents.
  private var documents: [(label: String, value: String)] {
    guard let counts = data.documentCounts else { return [] }
    let cut =
      switch configuration.documents {
      case .stream, .file: "one a file"
      case .line: "one a line"
      case .separator: "between separators (`config.json` has the separator)"
      }
    let value =
      "\(grouped(counts.training)) to train on and \(grouped(counts.validation)) to validate on, \(cut), "
      + "each from the beginning state and `<s>` to `</s>`"
    return [("documents", value)]
  }

  private var clipping: String {
    let value = configuration.clipValue.map { "clipped to values of ±\($0)" }
    let norm = configuration.clip.map { "clipped to norm \($0)" }
    let parts = [value, norm].compactMap { $0 }
    return parts.isEmpty ? "not clipped" : parts.joined(separator: ", then ")
  }

  private var learningRate: String {
    "\(configuration.learningRate)\(configuration.findsLearningRate ? " (found by a range test)" : ""), "
      + configuration.schedule.description
  }

  /// A row for averaged weights.
  private var averaged: [(label: String, value: String)] {
    switch configuration.average {
    case nil: []
    case .exponential(let decay): [("weights", "their exponential moving average, decay \(decay)")]
    case .triggered(let interval):
      [("weights", "their mean since validations ceased to improve (NT-ASGD, interval \(interval))")]
    }
  }

  private var outcome: [(label: String, value: String)] {
    guard let end else {
      return [("outcome", "the run had not ended when this card was written; see training/metrics.jsonl")]
    }
    let loss = end.bestValidationLoss.map {
      "\(decimal($0, places: 4)) nats/\(unit) (\(decimal($0 * bitsPerNat, places: 4)) bits)"
        + (best.step.map { ", after step \(grouped($0))" } ?? "")
        + (best.temperature.map { ", logits divided by \(decimal($0, places: 3)), which fits this part best" } ?? "")
    }
    return [
      ("best validation loss", loss ?? "none: there was no validation part")
    ] + (end.testLoss.map { [("test loss", "\(decimal($0, places: 4)) nats/\(unit)")] } ?? []) + [
      ("steps", "\(grouped(end.steps)) in \(duration(end.seconds)), ended by: \(end.reason.rawValue)")
    ]
  }
}
