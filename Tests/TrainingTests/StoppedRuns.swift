import ModelFiles
import Training

/// Small runs that were stopped, to be taken up again.
protocol StoppedRuns {}

extension StoppedRuns {
  /// A run of 40 steps that was stopped after 20 of them, or at its end; checkpoints at 8, 16 and where it ended.
  func configuration(
    _ folder: String, isStopped: Bool = true, _ change: (inout TrainingConfiguration) -> Void = { _ in }
  ) throws -> TrainingConfiguration {
    let text = (0..<300).map { "\($0 * 37 % 101) birds and \($0 * $0 % 17) boats\n" }.joined()
    try Files.writeDurably(Array(text.utf8), to: "\(folder)/text")
    var configuration = TrainingConfiguration(corpus: ["\(folder)/text"], output: "\(folder)/model")
    (configuration.embeddingSize, configuration.hiddenSize, configuration.layers) = (6, 8, 1)
    (configuration.lanes, configuration.k1, configuration.limit) = (4, 15, .steps(40))
    (configuration.validateEvery, configuration.sampleEvery, configuration.logEvery) = (10, 0, 5)
    (configuration.checkpointEvery, configuration.keptCheckpoints) = (.steps(8), 10)
    configuration.average = .exponential(decay: 0.5)
    change(&configuration)
    let stop = StopRequest()
    _ = try Trainer.train(configuration, stop: stop) { event in
      if case .step(let step) = event, isStopped, step.step >= 20 { stop.raise() }
    }
    configuration.resumes = true
    return configuration
  }

  /// Goes on to the end, or to a step that the log has.
  @discardableResult
  func resume(_ configuration: TrainingConfiguration, to last: Int = .max) throws -> TrainingEvent.End {
    let stop = StopRequest()
    return try Trainer.train(configuration, stop: stop) { event in
      if case .step(let step) = event, step.step >= last { stop.raise() }
    }
  }

  /// What a run's checkpoint says beside its tensors.
  func state(_ folder: String, _ step: Int) throws -> JSON {
    try JSON(parsing: Files.read("\(folder)/model/training/checkpoint-\(step)/state.json"))
  }

  func change(_ path: String, _ change: (String) -> String) throws {
    try Files.writeDurably(Array(change(String(decoding: Files.read(path), as: UTF8.self)).utf8), to: path)
  }
}
