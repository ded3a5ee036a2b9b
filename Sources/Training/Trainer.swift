import Compute
import LanguageModeling
import Recurrence

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
    // What can be refused is refused before the corpus is read and anything is written.
    _ = try modelConfiguration(configuration, vocabularySize: 1)
    let data = try TrainingData(configuration)
    let model = try modelConfiguration(configuration, vocabularySize: data.tokenizer.vocabularySize)
    let output = try OutputFolder(configuration.output, overwrites: configuration.overwrites)
    switch configuration.precision {
    case .float32:
      return try TrainingRun<LSTM<Float32Kernels>>(configuration, model, data, output).run(stop: stop, report: report)
    case .bfloat16:
      return try TrainingRun<LSTM<BFloat16Kernels>>(configuration, model, data, output).run(stop: stop, report: report)
    case .float64:
      return try TrainingRun<LSTM<DoubleKernels>>(configuration, model, data, output).run(stop: stop, report: report)
    }
  }

  private static func modelConfiguration(
    _ configuration: TrainingConfiguration, vocabularySize: Int
  ) throws -> ModelConfiguration {
    try ModelConfiguration(
      cell: configuration.cell, vocabularySize: vocabularySize, embeddingSize: configuration.embeddingSize,
      hiddenSize: configuration.hiddenSize, layers: configuration.layers, tiesWeights: configuration.tiesWeights)
  }
}
