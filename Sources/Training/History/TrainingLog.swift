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
///
/// A disk that takes nothing does not stop the run: what could not be written waits in memory, and is tried again with the
/// next event.
final class TrainingLog {
  private let metrics: AppendFile
  private let tensorBoard: AppendFile?
  private var waiting: [UInt8] = []
  private var waitingForTensorBoard: [UInt8] = []
  /// Why something waits; nil where nothing does.
  private(set) var trouble: (any Error)?

  /// - Parameters:
  ///   - tensorBoard: A folder for TensorBoard; made where missing. Each process adds a file of its own.
  ///   - step: Steps made before; TensorBoard is to forget what it was told of later ones.
  init(metrics: AppendFile, tensorBoard folder: String?, after step: Int = 0) throws {
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
    if step > 0 { try file.append(TensorBoardEvents.restart(after: step, at: Self.now)) }
    tensorBoard = file
  }

  func write(_ event: TrainingEvent) {
    waiting += Array((event.json.text() + "\n").utf8)
    if tensorBoard != nil, let record = event.tensorBoardRecord(at: Self.now) { waitingForTensorBoard += record }
    do { try flush() } catch { trouble = error }
  }

  /// Writes what waits.
  ///
  /// - Throws: ``FileError``.
  func flush() throws {
    if !waiting.isEmpty { try metrics.append(waiting) }
    waiting = []
    if !waitingForTensorBoard.isEmpty { try tensorBoard?.append(waitingForTensorBoard) }
    waitingForTensorBoard = []
    trouble = nil
  }

  /// The bytes of `metrics.jsonl`, once they are on the disk.
  ///
  /// - Throws: ``FileError``.
  func durableLength() throws -> Int {
    try flush()
    try metrics.flush()
    return metrics.length
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
      TensorBoardEvents.scalars([("loss/epoch", epoch.loss)], step: epoch.step, at: time)
    case .sample(let sample):
      TensorBoardEvents.text(sample.text, tag: "sample", step: sample.step, at: time)
    default: nil
    }
  }
}
