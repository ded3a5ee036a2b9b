import ArgumentParser
import Training

/// The options that say what a training run shows and keeps of itself.
struct RecordOptions: ParsableArguments {
  @Option(help: "A text that the best model is scored on once, at the end.")
  var test: String?

  @Option(help: "A folder for TensorBoard: losses, gradient norm, learning rate, speed and samples.")
  var tensorboard: String?

  @Option(help: "Validations between two samples of what the model writes; 0 for none.")
  var sampleEvery = 5

  @Option(help: "Steps between two validations; the default is one an epoch, within 100 to 500 steps.")
  var validateEvery: Int?

  @Option(help: "Steps between two lines of the log.")
  var logEvery = 10

  func validate() throws {
    for (name, value) in [("validate-every", validateEvery ?? 1), ("log-every", logEvery)] {
      try require(value >= 1, "--\(name) is \(value); it must be at least 1.")
    }
    try require(sampleEvery >= 0, "--sample-every is \(sampleEvery); it must be at least 0.")
    if let test { try requirePath(test, "--test") }
    if let tensorboard { try requirePath(tensorboard, "--tensorboard") }
  }

  func apply(to settings: inout TrainingConfiguration) {
    settings.test = test
    settings.tensorBoard = tensorboard
    settings.sampleEvery = sampleEvery
    settings.validateEvery = validateEvery
    settings.logEvery = logEvery
  }
}
