import ArgumentParser
import ModelFiles
import Training

/// `--checkpoint-every` and `--resume`.
struct CheckpointOptions: ParsableArguments {
  /// Steps, or a length of time: 500, 2m.
  enum IntervalArgument: ExpressibleByArgument {
    case steps(Int)
    case seconds(Double)

    init?(argument: String) {
      if let steps = Int(argument) {
        self = .steps(steps)
      } else if let duration = DurationArgument(argument: argument) {
        self = .seconds(duration.seconds)
      } else {
        return nil
      }
    }

    var defaultValueDescription: String {
      switch self {
      case .steps(let steps): "\(steps)"
      case .seconds(let seconds): "\(Int(seconds))s"
      }
    }
  }

  @Option(help: "Steps, or time, between two checkpoints in training/: 500, or 90s, 2m.")
  var checkpointEvery: IntervalArgument = .seconds(120)

  @Option(help: "How many of the last checkpoints are kept. The best model is kept beside each.")
  var keepCheckpoints = 2

  @Flag(
    help: ArgumentHelp(
      "Go on with the run in the output folder, from its last checkpoint, to the same bits.",
      discussion: """
        With --output alone everything is as it was; --budget, --max-epochs, --epochs or --steps (of the whole run), \
        --learning-rate, --threads, --checkpoint-every, --keep-checkpoints, --tensorboard and --test may be given \
        otherwise, and whatever else is given must be the same. Where no run has begun yet, one begins.
        """))
  var resume = false

  func validate() throws {
    if case .steps(let steps) = checkpointEvery {
      try require(steps >= 1, "--checkpoint-every is \(steps); it must be at least 1.")
    }
    try require(
      (1...10_000).contains(keepCheckpoints), "--keep-checkpoints is \(keepCheckpoints); it must be 1 to 10,000.")
  }

  func apply(to settings: inout TrainingConfiguration) {
    settings.checkpointEvery =
      switch checkpointEvery {
      case .steps(let steps): .steps(steps)
      case .seconds(let seconds): .seconds(seconds)
      }
    settings.keptCheckpoints = keepCheckpoints
    settings.resumes = resume
  }
}

extension TrainCommand {
  /// The command of the run in an output folder, with what is given anew: `arguments` are those after `train`.
  ///
  /// - Throws: ``FileError`` where the folder has no run to go on with; what ArgumentParser says of the arguments.
  static func resuming(_ arguments: [String], output: String, givesLimit: Bool) throws -> TrainCommand {
    guard let settings = try Trainer.settings(ofRun: output) else {
      throw FileError(
        .missing, output, "has no checkpoint to go on from; give the corpus too, and --resume begins the run")
    }
    let kept = settings.filter { !givesLimit || !RunSetting.limits.contains($0.name) }
    let before = kept.flatMap { setting in
      setting.name == RunSetting.corpus
        ? [setting.value] : setting.value.isEmpty ? ["--\(setting.name)"] : ["--\(setting.name)=\(setting.value)"]
    }
    do { _ = try TrainCommand.parse(before + ["--resume", "--output=\(output)"]) } catch {
      let reason = TrainCommand.message(for: error).prefix { $0 != "\n" }.prefix(200)
      throw FileError(
        .invalid, output, "the settings of its checkpoint are damaged, or those of another version of unroll: \(reason)"
      )
    }
    return try TrainCommand.parse(before + arguments)
  }
}
