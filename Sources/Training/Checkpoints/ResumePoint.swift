import LanguageModeling
import ModelFiles
import Tokenization

/// Where a run is taken up again: its newest checkpoint, and what must be the same as then.
package struct ResumePoint {
  let content: CheckpointFolder.Content
  let settings: [RunSetting]
  /// The command that began the run.
  let command: String
  /// Seconds that the run had taken.
  let seconds: Double
  let plan: BudgetPlan?
  /// Bytes of the log.
  let metricsLength: Int
  private let corpusHash, tokenizerHash: String
  /// Of the weights file that the run began with, where there was one.
  let initialHash: String?

  private static let format = "unroll-checkpoint-1"

  /// - Throws: ``FileError`` where the checkpoint is damaged, or another version's.
  init(_ content: CheckpointFolder.Content) throws {
    let state = content.state
    self.content = content
    guard (try? state.string("format")) == Self.format else {
      throw FileError(.invalid, content.path, "is no checkpoint of this version of unroll")
    }
    do {
      settings = try state.members("settings").flatMap { member in
        let values = member.value.array ?? [member.value]
        return try values.map { value in
          guard let text = value.string else { throw CheckpointDamage("its \(member.key) is no text") }
          return RunSetting(name: member.key, value: text)
        }
      }
      command = try state.string("command")
      seconds = try state.finite("seconds")
      plan = state.has("plan") ? try BudgetPlan(state.fields("plan")) : nil
      metricsLength = try state.count("metrics_bytes")
      guard metricsLength > 0 else { throw CheckpointDamage("it has no log") }
      corpusHash = try state.string("corpus_sha256")
      tokenizerHash = try state.string("tokenizer_sha256")
      initialHash = state.has("initial_sha256") ? try state.string("initial_sha256") : nil
    } catch { throw CheckpointFolder.damaged(content.path, error) }
  }

  /// What a checkpoint says beside its tensors.
  static func state(
    _ configuration: TrainingConfiguration, _ data: TrainingData, seconds: Double, plan: BudgetPlan?,
    metricsLength: Int, progress: JSON, snapshot: JSON, good: JSON?
  ) -> JSON {
    [
      "format": .string(format), "command": .string(configuration.command),
      "settings": .object(grouped(configuration.settings)), "corpus_sha256": .string(data.corpusHash),
      "tokenizer_sha256": .string(hash(data.tokenizer)),
      "initial_sha256": configuration.initialModel?.hash.map { .string($0) } ?? .null, "seconds": JSON(seconds),
      "plan": plan?.json ?? .null,
      "metrics_bytes": .integer(metricsLength), "progress": progress, "now": snapshot, "good": good ?? .null,
    ]
  }

  /// Settings as members; one that was given several times has a list.
  private static func grouped(_ settings: [RunSetting]) -> [JSON.Member] {
    var names: [String] = []
    for setting in settings where !names.contains(setting.name) { names.append(setting.name) }
    return names.map { name in
      let values = settings.filter { $0.name == name }.map { JSON.string($0.value) }
      return JSON.Member(name, values.count == 1 ? values[0] : .array(values))
    }
  }

  private static func hash(_ tokenizer: any Tokenizer) -> String { sha256(Array(tokenizer.tokenizerJSON().utf8)) }

  /// What the run chose by itself stays as it was chosen.
  ///
  /// - Throws: ``FileError`` where the checkpoint has no such choice.
  func restoreChoices(in configuration: inout TrainingConfiguration) throws {
    for choice in configuration.automatic {
      let value = settings.first { $0.name == choice.rawValue }?.value
      guard let number = value.flatMap(Double.init) ?? choice.valueWithoutUse, choice.allows(number)
      else {
        throw CheckpointFolder.damaged(content.path, CheckpointDamage("it has no \(choice.rawValue)"))
      }
      configuration.set(choice, to: number)
    }
    configuration.automatic = []
  }

  /// - Throws: ``TrainingError`` with what is different, where something is that may not be.
  func check(_ configuration: TrainingConfiguration) throws {
    try refuse(RunSetting.conflicts(settings, configuration.settings))
  }

  /// Whether a configuration has a setting as the run had it.
  func has(_ name: String, of configuration: TrainingConfiguration) -> Bool {
    settings.first { $0.name == name } == configuration.settings.first { $0.name == name }
  }

  /// Whether a configuration ends the run where it was to end.
  func hasLimit(of configuration: TrainingConfiguration) -> Bool {
    func limits(_ settings: [RunSetting]) -> [RunSetting] { settings.filter { RunSetting.limits.contains($0.name) } }
    return limits(settings) == limits(configuration.settings)
  }

  /// - Throws: ``TrainingError`` where the texts are not those of the run.
  func check(_ data: TrainingData) throws {
    let isCorpus = data.corpusHash != corpusHash
    let isTokenizer = Self.hash(data.tokenizer) != tokenizerHash
    try refuse(
      (isCorpus ? ["the corpus has other text (SHA-256 \(data.corpusHash), was \(corpusHash))"] : [])
        + (isTokenizer ? ["the tokenizer has another vocabulary"] : []))
  }

  private func refuse(_ differences: [String]) throws {
    guard !differences.isEmpty else { return }
    throw TrainingError(
      "cannot resume the run at step \(content.step): \(differences.joined(separator: "; ")); give what it was, "
        + "or begin anew with another --output")
  }
}

extension Recipe.Choice {
  /// The value in a run that had no use for it, and so does not say it.
  fileprivate var valueWithoutUse: Double? {
    switch self {
    case .averageDecay: 0.999
    case .mostEpochs: Double(Recipe.mostEpochs)
    default: nil
    }
  }

  /// Whether a run can have a value.
  fileprivate func allows(_ value: Double) -> Bool {
    switch self {
    case .mostEpochs: (1...1e12).contains(value) && value == value.rounded()
    case .hiddenSize, .embeddingSize: (1...65_536).contains(value) && value == value.rounded()
    case .lanes: (1...1e6).contains(value) && value == value.rounded()
    case .dropoutInput, .dropoutHidden, .dropoutOutput, .weightDrop, .averageDecay: (0..<1).contains(value)
    }
  }
}

extension BudgetPlan {
  /// As the log and checkpoints have it.
  var json: JSON {
    [
      "steps": .integer(steps), "budget_seconds": JSON(budget), "seconds_per_step": JSON(secondsPerStep),
      "seconds_per_validation": JSON(secondsPerValidation), "seconds": JSON(elapsed),
      "is_bounded": .bool(isBounded),
    ]
  }

  init(_ fields: JSONFields) throws {
    self.init(
      budget: try fields.finite("budget_seconds"), steps: try fields.count("steps"),
      secondsPerStep: try fields.finite("seconds_per_step"),
      secondsPerValidation: try fields.finite("seconds_per_validation"), elapsed: try fields.finite("seconds"),
      isBounded: try fields.has("is_bounded") && fields.flag("is_bounded"))
  }

  /// The plan of the same run with another budget, made when so many steps were done in so many seconds.
  ///
  /// - Parameter most: The most steps of the whole run.
  func extended(to budget: Double, step: Int, seconds: Double, validateEvery: Int, most: Int) -> BudgetPlan {
    let rest = BudgetPlan(
      budget: budget, elapsed: min(seconds, budget), secondsPerStep: secondsPerStep,
      secondsPerValidation: secondsPerValidation, validateEvery: validateEvery, most: max(1, most - step))
    return BudgetPlan(
      budget: budget, steps: step + (seconds < budget && step < most ? rest.steps : 0), secondsPerStep: secondsPerStep,
      secondsPerValidation: secondsPerValidation, elapsed: elapsed, isBounded: rest.isBounded)
  }
}
