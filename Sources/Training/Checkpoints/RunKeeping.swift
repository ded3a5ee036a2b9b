import Compute
import LanguageModeling
import ModelFiles
import Recurrence

// What a run keeps on the disk: its best model and its checkpoints. A disk that fails does not stop the run; it is told
// once, and what could not be written is tried again.

extension TrainingRun {
  // MARK: The best model

  /// Saves weights as the model.
  mutating func save(_ weights: ParameterSet<Real>, _ report: (TrainingEvent) -> Void) {
    unsaved = (weights, progress.step)
    do { try saveWaiting() } catch { noteTrouble(error, report) }
  }

  private mutating func saveWaiting() throws {
    guard let waiting = unsaved else { return }
    try output.folder.writeWeights(waiting.weights)
    try output.publish()
    progress.savedStep = waiting.step
    unsaved = nil
  }

  /// The last try to write what waits.
  ///
  /// - Throws: ``FileError``.
  mutating func saveAtLast(_ report: (TrainingEvent) -> Void) throws {
    do {
      try saveWaiting()
      try log.flush()
    } catch { throw FileError(.inputOutput, output.folder.path, "\(error); \(lastCheckpointText)") }
  }

  /// - Throws: ``FileError`` where the last checkpoint could not be written up to the end.
  func requireCheckpoint() throws {
    guard let diskTrouble else { return }
    throw FileError(.inputOutput, output.folder.path, "\(diskTrouble); the model is saved, but \(lastCheckpointText)")
  }

  private var lastCheckpointText: String {
    output.checkpoints.steps.last.map { "the last checkpoint is that of step \($0)" } ?? "there is no checkpoint"
  }

  // MARK: Checkpoints

  private var isCheckpointDue: Bool {
    switch configuration.checkpointEvery {
    case .steps(let steps): progress.step % steps == 0
    case .seconds(let seconds): clock.elapsed - lastCheckpoint.seconds >= seconds
    }
  }

  /// Writes a checkpoint where one is due.
  ///
  /// - Parameter isLast: Whether the run ends here, where one is always due.
  mutating func keepCheckpoint(isLast: Bool, _ report: (TrainingEvent) -> Void) {
    if owesCheckpointLine { tell(.checkpoint(.init(step: progress.step, isPlanned: true)), report) }
    owesCheckpointLine = false
    // One of weights under suspicion is no help; the next steps tell.
    guard progress.step > lastCheckpoint.step, isLast || isCheckpointDue, parameters.norm.isFinite else { return }
    let begin = clock.elapsed
    do {
      try saveWaiting()
      try writeCheckpoint()
      tell(.checkpoint(.init(step: progress.step, isPlanned: isPlanned)), report)
      if diskTrouble != nil { report(.trouble(nil)) }
      diskTrouble = nil
    } catch { noteTrouble(error, report) }
    lastCheckpoint.seconds = clock.elapsed
    progress.recent.leaveOut(seconds: clock.elapsed - begin)
  }

  /// Whether a number of steps asked for a checkpoint here.
  private var isPlanned: Bool {
    if case .steps(let steps) = configuration.checkpointEvery { progress.step % steps == 0 } else { false }
  }

  private mutating func writeCheckpoint() throws {
    let (now, elapsed) = (current, clock.elapsed)
    let state = ResumePoint.state(
      configuration, data, seconds: elapsed, plan: clock.plan, metricsLength: try log.durableLength(),
      progress: progress.json(now: elapsed), snapshot: now.json, good: good?.json)
    let tensors = now.tensors("", bptt) + (good?.tensors("good.", bptt) ?? [])
    let best = progress.savedStep == nil ? nil : output.folder.file(ModelFolder.weightsName)
    try output.checkpoints.write(step: progress.step, state, tensors, best: best)
    lastCheckpoint.step = progress.step
    try output.checkpoints.prune(keeping: configuration.keptCheckpoints)
  }

  mutating func noteTrouble(_ error: any Error, _ report: (TrainingEvent) -> Void) {
    if diskTrouble == nil { report(.trouble("\(error)")) }
    diskTrouble = "\(error)"
  }

  // MARK: Taking up again

  /// Goes on from a checkpoint.
  mutating func resume(_ point: ResumePoint) throws {
    do {
      let (content, state) = (point.content, point.content.state)
      let tensors = try content.tensors()
      func snapshot(_ key: String, _ prefix: String) throws -> Snapshot<Layer> {
        try Snapshot(prefix, of: tensors, state.fields(key), fresh: update, bptt)
      }
      let (now, kept) = (try snapshot("now", ""), state.has("good") ? try snapshot("good", "good.") : nil)
      try progress.take(state.fields("progress"), now: clock.elapsed)
      guard progress.step == now.step, now.step == content.step, progress.rates.scale > 0 else {
        throw CheckpointDamage("its steps do not fit each other")
      }
      (parameters, update, good) = (now.parameters, now.update, kept)
      bptt.resume(now.state)
    } catch { throw CheckpointFolder.damaged(point.content.path, error) }
    try RunHistory.check(ofModel: output.folder.path, length: point.metricsLength)
    if progress.savedStep != nil {
      try output.checkpoints.restoreBest(
        of: progress.step, bptt.network.layout, to: output.folder.file(ModelFolder.weightsName))
    }
    // Where patience ended the run, it ends there again, unless it is to go on to another end.
    isOutOfPatience =
      point.hasLimit(of: configuration) && progress.lastValidated == progress.step
      && progress.earlyStopping?.isOver ?? false
    try output.checkpoints.unmarkEnd()
    owesCheckpointLine = isPlanned
    planAnew(point)
  }

  /// The learning rate and the budget may be others than before.
  private mutating func planAnew(_ point: ResumePoint) {
    if !configuration.findsLearningRate, !point.has("learning-rate", of: configuration) {
      progress.peak = configuration.learningRate
    }
    if case .budget(let budget) = configuration.limit, let plan = point.plan,
      plan.budget != budget || !point.has("max-epochs", of: configuration)
    {
      clock.plan = plan.extended(
        to: budget, step: progress.step, seconds: point.seconds, validateEvery: validationInterval,
        most: mostSteps)
    }
    let (plateau, scale) = (progress.rates.plateau, progress.rates.scale)
    progress.rates = configuration.schedule.plan(peak: progress.peak, planned: clock.plannedSteps ?? 1)
    (progress.rates.plateau.counters, progress.rates.scale) = (plateau.counters, scale)
    card.configuration.learningRate = progress.peak
  }
}
