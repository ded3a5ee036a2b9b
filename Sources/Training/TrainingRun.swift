import Compute
import Corpora
import Evaluation
import LanguageModeling
import ModelFiles
import Optimization
import Recurrence
import Tokenization

/// One run: windows in order, an update after each, validation now and then, the best weights kept.
///
/// Before an update, a ``StabilityGuard`` judges the step. A bad step changes neither weights nor moments. The carried
/// state goes on where the loss was ordinary and the state is finite, since it is what the unchanged weights make of the
/// text; else the streams begin anew. After many bad steps in a row the run goes back, once, to the weights, moments and
/// carried state of its last good step, which it keeps in memory, and on with half the learning rate, in the text that
/// follows: what the weights blew up on is not read again in this epoch.
///
/// What the next step depends on is a ``Snapshot`` and a ``RunProgress``; both go into checkpoints, so that a run that is
/// taken up again makes the same weights and the same log.
package struct TrainingRun<Layer: RecurrentLayer> {
  typealias Real = Layer.K.Real

  let configuration: TrainingConfiguration
  let data: TrainingData
  let output: OutputFolder
  let log: TrainingLog
  let bptt: TruncatedBPTT<Layer>
  /// Nil for each epoch's end.
  let validateEvery: Int?
  var clock: RunClock

  var card: ModelCard
  var parameters: ParameterSet<Real>
  var update: ClippedUpdate<Real>
  var progress: RunProgress
  var good: Snapshot<Layer>?
  var isOutOfPatience = false
  private var lastShown = 0.0
  /// Weights that could not be saved yet, and the step that they are of.
  var unsaved: (weights: ParameterSet<Real>, step: Int)?
  /// Why something could not be written; nil where everything was in the end.
  var diskTrouble: String?
  var lastCheckpoint: (step: Int, seconds: Double)

  /// Whether the log still lacks the line of the checkpoint that the run goes on from: that came after it was written.
  var owesCheckpointLine = false
  private let isResumed: Bool
  private let observe: (_ step: Int, _ gradients: inout ParameterSet<Real>) -> Void

  /// Steps between two that are kept to go back to.
  package static var stepsBetweenKept: Int { 100 }

  /// - Parameters:
  ///   - resuming: Where a run is taken up again; nil where it begins.
  ///   - initial: The weights to begin with; fresh ones of the configuration's seed where nil.
  ///   - observe: Called with each step's number and gradient before that is judged, clipped and used; what it changes
  ///     in the gradient counts. For tests and measurements.
  ///   - seconds: Since the run began, for tests; the machine's own clock where nil.
  /// - Throws: ``FileError``; where a checkpoint is damaged, with its name.
  package init(
    _ configuration: TrainingConfiguration, _ model: ModelConfiguration, _ data: TrainingData, _ output: OutputFolder,
    resuming point: ResumePoint? = nil, initial: ParameterSet<Layer.K.Real>? = nil,
    observe: @escaping (_ step: Int, _ gradients: inout ParameterSet<Layer.K.Real>) -> Void = { _, _ in },
    seconds: (() -> Double)? = nil
  ) throws {
    self.configuration = configuration
    self.data = data
    self.output = output
    isResumed = point != nil
    log = try TrainingLog(
      metrics: AppendFile(creating: output.folder.file(OutputFolder.metricsName), keeping: point?.metricsLength ?? 0),
      tensorBoard: configuration.tensorBoard, after: point?.content.step ?? 0)
    let network = Network<Layer>(model)
    clock = RunClock(configuration.limit, data.windows, before: point?.seconds ?? 0, seconds: seconds)
    clock.plan = point?.plan
    let stepsPerEpoch = data.windows.windowCount(ofEpoch: 0)
    validateEvery =
      configuration.validateEvery ?? (stepsPerEpoch < 100 ? 100 : stepsPerEpoch > 500 ? 500 : nil)
    bptt = TruncatedBPTT(
      network, lanes: configuration.lanes,
      Truncation(k1: data.windows.longestWindow, k2: configuration.k2, recompute: configuration.recompute),
      workers: Workers(threads: configuration.threads), regularization: configuration.regularization,
      seed: configuration.seed)
    parameters =
      initial ?? network.initialParameters(seed: configuration.seed, forgetBias: configuration.forgetBias)
    update = ClippedUpdate(
      configuration.optimizer.makeOptimizer(network.layout),
      clipping: GradientClipping(maximumNorm: configuration.clip, maximumValue: configuration.clipValue),
      average: configuration.average.map { WeightAverage($0, layout: network.layout) })
    let peak = configuration.learningRate
    progress = RunProgress(
      data.windows, peak: peak,
      rates: configuration.schedule.plan(peak: peak, planned: clock.plannedSteps ?? 1),
      patience: configuration.patience, vocabularySize: model.vocabularySize)
    lastCheckpoint = (point?.content.step ?? 0, clock.elapsed)
    self.observe = observe
    card = ModelCard(
      name: Paths.name(configuration.output), configuration: configuration, model: model, data: data)
    if let point { try resume(point) }
    try output.folder.writeDescription(model, tokenizer: data.tokenizer, startToken: data.startToken)
    if point == nil {
      try Files.writeDurably(Array(card.text.utf8), to: output.folder.file(OutputFolder.cardName))
    }
  }

  package consuming func run(stop: StopRequest, report: (TrainingEvent) -> Void) throws -> TrainingEvent.End {
    if isResumed {
      tell(.resumed(step: progress.step), report)
    } else {
      tell(startEvent, report)
      try prepare(stop, report)
    }
    var reason = try settle(stop, report)
    while reason == nil {
      try takeStep(report)
      progress.owesValidation = isValidationDue
      reason = try settle(stop, report)
    }
    if progress.recent.tokens > 0 {  // every loss is logged once
      tell(.step(stepReport(progress.recent.take(now: clock.elapsed))), report)
    }
    let isSuspect = progress.stability.isInTrouble || !parameters.norm.isFinite
    if isSuspect, let good { goBack(to: good) }
    if progress.owesValidation || progress.lastValidated != progress.step, !isSuspect || good != nil {
      try validate(report)
    }
    try saveAtLast(report)
    guard progress.savedStep != nil else {
      throw TrainingError(
        "the loss or the gradient was bad up to the last step, \(progress.step); no model was saved: "
          + "use a smaller --learning-rate")
    }
    return try end(reason ?? .steps, report)
  }

  /// What is due between two steps: the end, a validation, a checkpoint.
  ///
  /// - Returns: Why the run ends, where it does. A checkpoint is then written: from it the run can go on.
  private mutating func settle(
    _ stop: StopRequest, _ report: (TrainingEvent) -> Void
  ) throws -> TrainingEvent.EndReason? {
    var reason = stop.isRaised ? .signal : isOutOfPatience ? .patience : clock.endReason(step: progress.step)
    if progress.owesValidation && reason == nil {
      // Weights under suspicion are not worth a validation; the next steps tell.
      if !progress.stability.isInTrouble && parameters.norm.isFinite {
        let begin = clock.elapsed
        try validate(report)
        progress.recent.leaveOut(seconds: clock.elapsed - begin)
        if isOutOfPatience { reason = .patience }
      }
      progress.owesValidation = false
    }
    if progress.step > 0 { keepCheckpoint(isLast: reason != nil, report) }
    return reason
  }

  private mutating func end(
    _ reason: TrainingEvent.EndReason, _ report: (TrainingEvent) -> Void
  ) throws -> TrainingEvent.End {
    var end = TrainingEvent.End(
      reason: reason, steps: progress.step, seconds: clock.elapsed, bestValidationLoss: progress.best.loss)
    if progress.savedStep != nil,
      let test = try TestScore.event(of: data.test, by: output.folder, threads: configuration.threads)
    {
      tell(.test(test), report)
      end.testLoss = test.loss
    }
    card.end = end
    card.best = progress.best
    try Files.writeDurably(Array(card.text.utf8), to: output.folder.file(OutputFolder.cardName))
    log.write(.end(end))
    try log.flush()
    if let history = try RunHistory(ofModel: output.folder.path) {
      let page = TrainingPage(card: card, history: history)
      try Files.writeDurably(Array(page.html.utf8), to: output.folder.file(OutputFolder.reportName))
      end.advice = history.advice
    }
    if reason != .signal && reason != .diverged { try output.checkpoints.markEnd(end) }
    report(.end(end))
    try requireCheckpoint()
    return end
  }

  // MARK: Before the first step

  /// Finds the learning rate and makes the plan of a budget, where that is wanted; neither leaves a trace in the weights.
  private mutating func prepare(_ stop: StopRequest, _ report: (TrainingEvent) -> Void) throws {
    if configuration.findsLearningRate {
      let test = try RangeTest.run(bptt, data, parameters: parameters, update: update, stop: stop)
      try Files.writeDurably(Array(test.csv.utf8), to: output.folder.file(OutputFolder.rangeTestName))
      (progress.peak, progress.lastRate) = (test.suggestion, test.suggestion)
      card.configuration.learningRate = test.suggestion
      tell(.rangeTest(test), report)
    }
    if case .budget(let seconds) = configuration.limit {
      let plan = plan(budget: seconds, stop)
      clock.plan = plan
      tell(.plan(plan), report)
    }
    progress.rates = configuration.schedule.plan(peak: progress.peak, planned: clock.plannedSteps ?? 1)
    progress.recent.restart(now: clock.elapsed)
    progress.ofEpoch.restart(now: clock.elapsed)
  }

  private func plan(budget: Double, _ stop: StopRequest) -> BudgetPlan {
    var trial = SpeedTrial(
      bptt: bptt, data: data, parameters: parameters, update: update, learningRate: progress.peak)
    let ofValidation = trial.secondsPerValidation(warmUp: Self.validationLanes * Self.validationWarmUp) {
      _ = score($0, by: parameters)
    }
    let ofCalibration = secondsPerCalibration
    let limit = min(SpeedTrial<Layer>.longest, SpeedTrial<Layer>.share * budget)
    let ofStep = trial.secondsPerStep(trying: limit, stop)
    return BudgetPlan(
      budget: budget, elapsed: clock.elapsed, secondsPerStep: ofStep,
      secondsPerValidation: ofValidation + ofCalibration,
      validateEvery: validationInterval, most: mostSteps)
  }

  /// Most often three temperatures are tried.
  private var secondsPerCalibration: Double {
    guard fitsTemperature else { return 0 }
    return 3 * (ContinuousClock().measure { _ = excessSurprisal(of: parameters) } / .seconds(1))
  }

  /// The most steps that a budget's plan may have.
  var mostSteps: Int {
    guard let epochs = configuration.mostEpochs else { return .max }
    let (steps, isOver) = data.windows.windowCount(ofEpoch: 0).multipliedReportingOverflow(by: epochs)
    return isOver ? .max : steps
  }

  /// Steps between two validations.
  var validationInterval: Int { validateEvery ?? data.windows.windowCount(ofEpoch: 0) }

  // MARK: Steps

  /// One window: forward, backward, clip, update; state and time carried on.
  private mutating func takeStep(_ report: (TrainingEvent) -> Void) throws {
    switch configuration.statePolicy {
    case _ where progress.cursor.index == 0: bptt.resetState()
    case .carried: break
    case .reset: bptt.resetState()
    case .dropped(let probability):
      bptt.dropState(probability: probability, seed: configuration.seed, step: progress.step)
    }
    let window = data.training.window(progress.cursor.steps, offset: progress.cursor.offset)
    progress.lastRate = progress.rates.rate(step: progress.step) * progress.cursor.learningRateScale
    progress.epoch = progress.cursor.epoch + 1
    progress.cursor.advance()
    let before = isKeepingDue ? current : nil
    let loss = bptt.step(window, parameters: parameters, number: progress.step)
    progress.step += 1
    let predicted = window.predicted(except: data.documents?.start)
    progress.tokens += predicted
    observe(progress.step, &bptt.gradients)
    progress.lastNorm = bptt.gradients.norm
    let mean = loss / Double(max(1, predicted))
    let verdict = progress.stability.judge(loss: mean, tokens: predicted, norm: progress.lastNorm)
    if verdict == .update {
      if let before, progress.stability.isCalm { good = before }
      let isClipped = update.apply(
        &bptt.gradients, measured: progress.lastNorm, to: &parameters, learningRate: progress.lastRate,
        on: bptt.workers)
      progress.clips.add(isClipped: isClipped)
      progress.recent.add(loss, tokens: predicted)
      progress.ofEpoch.add(loss, tokens: predicted)
    } else {
      try skip(verdict, loss: mean, report)
    }
    reportStep(report)
    if progress.cursor.index == 0 { reportEpoch(report) }
  }

  private var isValidationDue: Bool {
    validateEvery.map { progress.step % $0 == 0 } ?? (progress.cursor.index == 0)
  }

  private mutating func reportStep(_ report: (TrainingEvent) -> Void) {
    if progress.step % configuration.logEvery == 0 {
      tell(.step(stepReport(progress.recent.take(now: clock.elapsed))), report)
      progress.clips.restart()
      lastShown = clock.elapsed
    } else if clock.elapsed - lastShown > 1 {
      report(.step(stepReport(progress.recent.mean(now: clock.elapsed))))  // shown, not logged: steps are slow
      lastShown = clock.elapsed
    }
  }

  // MARK: Stability

  private var isKeepingDue: Bool { good.map { progress.step - $0.step >= Self.stepsBetweenKept } ?? true }

  /// What the next step begins from.
  var current: Snapshot<Layer> {
    Snapshot(step: progress.step, parameters: parameters, update: update, state: bptt.carriedState())
  }

  private mutating func skip(
    _ verdict: StabilityGuard.Verdict, loss: Double, _ report: (TrainingEvent) -> Void
  ) throws {
    guard let reason = verdict.reason else { return }
    let skipped = TrainingEvent.Skipped(
      step: progress.step, reason: reason, loss: loss, gradientNorm: progress.lastNorm,
      inBurst: progress.stability.burstLength)
    tell(.skipped(skipped), report)
    if reason.isOfLoss || !bptt.hasFiniteState { bptt.resetState() }
    switch verdict {
    case .update, .skip: return
    case .rollBack:
      guard let good else { throw try givenUp(reason, report) }
      goBack(to: good)
      progress.wentBackTo = good.step
      progress.rates.scale /= 2
      progress.lastRate /= 2
      tell(.rollback(.init(step: progress.step, toStep: good.step, learningRate: progress.lastRate)), report)
    case .giveUp: throw try givenUp(reason, report)
    }
  }

  private mutating func goBack(to good: Snapshot<Layer>) {
    parameters = good.parameters
    update = good.update
    bptt.restore(good.state)
  }

  /// The error that ends a run; the last good weights are scored before, and saved where they are the best.
  private mutating func givenUp(
    _ reason: StabilityGuard.Reason, _ report: (TrainingEvent) -> Void
  ) throws -> TrainingError {
    let again = progress.wentBackTo.map { ", also with half the learning rate after going back to step \($0)" } ?? ""
    if let good {
      goBack(to: good)
      try validate(report)
    }
    try saveAtLast(report)
    _ = try end(.diverged, report)
    let kept = progress.savedStep != nil ? "the best model so far is in \(output.folder.path)" : "no model was saved"
    return TrainingError(
      "training diverged: \(StabilityGuard.patience) steps in a row were bad, up to step \(progress.step) (\(reason.rawValue))"
        + "\(again); \(kept): use a smaller --learning-rate or a smaller --clip")
  }
}
