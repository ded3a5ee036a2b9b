import ModelFiles
import Reports

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where a run's events are written: `metrics.jsonl`, and the event file of TensorBoard where one is wanted.
struct TrainingLog {
  private let metrics: AppendFile
  private let tensorBoard: AppendFile?

  /// - Parameter tensorBoard: A folder for TensorBoard; made where missing. Each run adds a file of its own.
  init(metrics: AppendFile, tensorBoard folder: String?) throws {
    self.metrics = metrics
    guard let folder else {
      tensorBoard = nil
      return
    }
    try Files.makeFolder(folder)
    // TensorBoard reads every file with this in its name; the process makes it unique.
    let name = "events.out.tfevents.\(Int(Self.now)).unroll.\(getpid())"
    let file = try AppendFile(creating: Paths.join(folder, name))
    try file.append(TensorBoardEvents.beginning(at: Self.now))
    tensorBoard = file
  }

  func write(_ event: TrainingEvent) throws {
    try metrics.append(line: event.json.text())
    guard let tensorBoard, let record = event.tensorBoardRecord(at: Self.now) else { return }
    try tensorBoard.append(record)
  }

  /// Seconds since 1970.
  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

extension TrainingEvent {
  /// What TensorBoard is told of an event; nil where it is nothing.
  fileprivate func tensorBoardRecord(at time: Double) -> [UInt8]? {
    switch self {
    case .step(let step):
      TensorBoardEvents.scalars(
        [
          ("loss/training", step.loss), ("training/gradient_norm", step.gradientNorm),
          ("training/learning_rate", step.learningRate), ("training/tokens_per_second", step.tokensPerSecond),
        ], step: step.step, at: time)
    case .validation(let validation):
      TensorBoardEvents.scalars([("loss/validation", validation.loss)], step: validation.step, at: time)
    case .epoch(let epoch):
      TensorBoardEvents.scalars([("loss/epoch", epoch.loss)], step: epoch.epoch, at: time)
    case .sample(let sample):
      TensorBoardEvents.text(sample.text, tag: "sample", step: sample.step, at: time)
    default: nil
    }
  }
}
