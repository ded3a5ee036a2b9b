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

  /// The same on kernels that the caller chooses; nil is the fastest on this processor.
  package static func train(
    _ configuration: TrainingConfiguration, on layer: (any RecurrentLayer.Type)?, stop: StopRequest,
    report: (TrainingEvent) -> Void
  ) throws -> TrainingEvent.End {
    // What can be refused is refused before the corpus is read; nothing is written before everything is in order.
    try configuration.precision.requireTraining()
    _ = try modelConfiguration(configuration, vocabularySize: 1)
    try OutputFolder.check(configuration.output, overwrites: configuration.overwrites)
    let data = try TrainingData(configuration)
    var model = try modelConfiguration(configuration, vocabularySize: data.tokenizer.vocabularySize)
    model.documents = data.documents
    try requireMemory(model, configuration, steps: data.windows.longestWindow)
    let output = try OutputFolder(configuration.output, overwrites: configuration.overwrites)
    func run<Layer: RecurrentLayer>(_: Layer.Type) throws -> TrainingEvent.End {
      try TrainingRun<Layer>(configuration, model, data, output).run(stop: stop, report: report)
    }
    let chosen: any RecurrentLayer.Type = layer ?? model.trainingLayer(configuration.precision)
    return try run(chosen)
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
    try ModelConfiguration(
      cell: configuration.cell, nonlinearity: configuration.nonlinearity, vocabularySize: vocabularySize,
      embeddingSize: configuration.embeddingSize, hiddenSize: configuration.hiddenSize, layers: configuration.layers,
      tiesWeights: configuration.tiesWeights,
      trainsInitialState: configuration.trainsInitialState)
  }
}
