import Compute
import LanguageModeling
import ModelFiles
import Recurrence
import Reports

/// Trains a model as a configuration says.
public enum Trainer {
  /// Runs to the end, or to the step in which `stop` is raised. The best model by validation is in the output folder.
  ///
  /// - Parameters:
  ///   - stop: Raised by whoever wants the run to end early.
  ///   - report: Called for every event, in order, on the calling thread.
  /// - Throws: ``FileError``, ``CorpusTooShort``, ``ConfigurationError``, ``TrainingError``.
  public static func train(
    _ configuration: TrainingConfiguration, stop: StopRequest, report: (TrainingEvent) -> Void
  ) throws -> TrainingEvent.End {
    try train(configuration, on: nil, stop: stop, report: report)
  }

  /// The settings of the run in a folder that can be taken up again; nil where there is none.
  ///
  /// - Throws: ``FileError`` where its checkpoint is damaged.
  public static func settings(ofRun output: String) throws -> [RunSetting]? {
    try OutputFolder.newestCheckpoint(of: output).map { try ResumePoint($0).settings }
  }

  /// The same on kernels that the caller chooses; nil is the fastest on this processor.
  package static func train(
    _ configuration: TrainingConfiguration, on layer: (any RecurrentLayer.Type)?, stop: StopRequest,
    report: (TrainingEvent) -> Void
  ) throws -> TrainingEvent.End {
    // What can be refused is refused before the corpus is read; nothing is written before everything is in order.
    try configuration.precision.requireTraining()
    if configuration.initialModel == nil { _ = try modelConfiguration(configuration, vocabularySize: 1) }
    if configuration.resumes, let output = try OutputFolder(resuming: configuration.output) {
      return try resume(configuration, output, on: layer, stop: stop, report: report)
    }
    try OutputFolder.check(configuration.output, overwrites: configuration.overwrites)
    var configuration = configuration
    let initial = try InitialModel.take(&configuration)
    var corpus = try EncodedCorpus.reading(configuration)
    if let initial { corpus.notes += initial.notes(on: corpus) }
    configuration = recipe(configuration, corpus).configuration
    let data = try TrainingData(configuration, corpus)
    let model = try model(configuration, data)
    let output = try OutputFolder(configuration.output, overwrites: configuration.overwrites)
    return try run(configuration, model, data, output, from: nil, initial, on: layer, stop: stop, report: report)
  }

  /// Goes on with the run of a folder; one that is over stays as it is.
  private static func resume(
    _ configuration: TrainingConfiguration, _ output: OutputFolder, on layer: (any RecurrentLayer.Type)?,
    stop: StopRequest, report: (TrainingEvent) -> Void
  ) throws -> TrainingEvent.End {
    guard let content = try output.checkpoints.newest() else {
      throw FileError(.missing, configuration.output, "has no checkpoint to go on from")
    }
    let point = try ResumePoint(content)
    var configuration = configuration
    if let initial = configuration.initialModel { try initial.restore(from: output.folder, point, in: &configuration) }
    try point.restoreChoices(in: &configuration)
    try point.check(configuration)
    if var end = output.checkpoints.end, point.hasLimit(of: configuration), output.folder.holdsModel {
      end.wasOver = true
      return end
    }
    configuration.command = point.command
    let data = try TrainingData(configuration)
    try point.check(data)
    let model = try model(configuration, data)
    return try run(configuration, model, data, output, from: point, nil, on: layer, stop: stop, report: report)
  }

  /// What ``train(_:stop:report:)`` would choose, and why; nothing is trained or written.
  ///
  /// - Throws: As that.
  public static func explain(_ configuration: TrainingConfiguration) throws -> Recipe {
    var configuration = configuration
    _ = try InitialModel.take(&configuration)
    return try recipe(configuration, EncodedCorpus.reading(configuration))
  }

  private static func recipe(_ configuration: TrainingConfiguration, _ corpus: EncodedCorpus) -> Recipe {
    Recipe(configuration, tokens: corpus.training.tokens.count, vocabularySize: corpus.tokenizer.vocabularySize)
  }

  private static func run(
    _ configuration: TrainingConfiguration, _ model: ModelConfiguration, _ data: TrainingData, _ output: OutputFolder,
    from point: ResumePoint?, _ initial: InitialModel?, on layer: (any RecurrentLayer.Type)?, stop: StopRequest,
    report: (TrainingEvent) -> Void
  ) throws -> TrainingEvent.End {
    func run<Layer: RecurrentLayer>(_: Layer.Type) throws -> TrainingEvent.End {
      let weights = try initial?.parameters(of: Network<Layer>(model), configuration)
      let run = try TrainingRun<Layer>(configuration, model, data, output, resuming: point, initial: weights)
      return try run.run(stop: stop, report: report)
    }
    let chosen: any RecurrentLayer.Type = layer ?? model.trainingLayer(configuration.precision)
    return try run(chosen)
  }

  /// The model of a configuration and its corpus.
  private static func model(
    _ configuration: TrainingConfiguration, _ data: TrainingData
  ) throws -> ModelConfiguration {
    var model = try modelConfiguration(configuration, vocabularySize: data.tokenizer.vocabularySize)
    model.documents = data.documents
    try requireMemory(model, configuration, steps: data.windows.longestWindow)
    return model
  }

  /// - Throws: ``TrainingError`` where the run would want more memory than the machine has.
  private static func requireMemory(
    _ model: ModelConfiguration, _ configuration: TrainingConfiguration, steps: Int
  ) throws {
    let groups = laneGroups(configuration.lanes).count
    // Weights, two moments, the three of the last good step, each group's gradient, the packed weights there and back,
    // two averages; gates, two states, gradients.
    let copies = 8 + groups + (configuration.average == nil ? 0 : 2)
    let weights = Double(model.parameterCount) * 4 * Double(copies)
    let truncation = Truncation(k1: steps, k2: configuration.k2, recompute: configuration.recompute)
    let positions = Double(configuration.lanes) * Double(truncation.segment)
    let layer = model.trainingLayer(configuration.precision)
    let dropped = configuration.regularization.named.isEmpty ? 0 : 1
    let perUnit =
      (layer.numbersKept + dropped) * model.layers + layer.gateCount * (layer.separatesProducts ? 2 : 1) + 1
    let activations = positions * Double(model.hiddenSize) * 4 * Double(perUnit)
    let (need, have) = (weights + activations, Double(Files.memory))
    guard need <= have else {
      throw TrainingError(
        "this training wants about \(decimal(need / 1e9, places: 1)) GB of memory, the machine has "
          + "\(decimal(have / 1e9, places: 1)): use a smaller --hidden-size, --lanes or --k1, or --recompute")
    }
  }

  private static func modelConfiguration(
    _ configuration: TrainingConfiguration, vocabularySize: Int
  ) throws -> ModelConfiguration {
    // Before the recipe has chosen, the two are not alike yet.
    let isChosen = configuration.tiesWeights && configuration.automatic.contains(.embeddingSize)
    return try ModelConfiguration(
      cell: configuration.cell, nonlinearity: configuration.nonlinearity, vocabularySize: vocabularySize,
      embeddingSize: isChosen ? configuration.hiddenSize : configuration.embeddingSize,
      hiddenSize: configuration.hiddenSize, layers: configuration.layers,
      tiesWeights: configuration.tiesWeights,
      trainsInitialState: configuration.trainsInitialState)
  }
}
