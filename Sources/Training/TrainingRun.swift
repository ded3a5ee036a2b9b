import Compute
import Evaluation
import LanguageModeling
import ModelFiles
import Optimization
import Recurrence

/// One run: windows in order, an update after each, validation now and then, the best weights kept.
///
/// Before an update, a ``StabilityGuard`` judges the step. A bad step changes neither weights nor moments. The carried
/// state goes on where the loss was ordinary and the state is finite, since it is what the unchanged weights make of the
/// text; else the streams begin anew. After many bad steps in a row the run goes back, once, to the weights, moments and
/// carried state of its last good step, which it keeps in memory, and on with half the learning rate, in the text that
/// follows: what the weights blew up on is not read again in this epoch.
package struct TrainingRun<Layer: RecurrentLayer> {
  typealias Real = Layer.K.Real

  private let configuration: TrainingConfiguration
  private let data: TrainingData
  private let output: OutputFolder
  private let metrics: AppendFile
  private let bptt: TruncatedBPTT<Layer>
  private let validateEvery: Int
  private let clock: RunClock

  private var card: ModelCard
  private var parameters: ParameterSet<Real>
  private var update: ClippedUpdate<Real>
  private var best = BestLoss()
  private var isSaved = false
  private var step = 0
  private var tokens = 0
  private var stability: StabilityGuard
  private var learningRate: Double
  private var good: GoodStep<Layer>?
  private var wentBackTo: Int?
  private var clips = ClipMeter()
  private var recent = LossMeter()
  private var ofEpoch = LossMeter()
  private var lastShown = 0.0
  private var lastNorm = 0.0

  private let observe: (_ step: Int, _ gradients: inout ParameterSet<Real>) -> Void

  /// Steps between two that are kept to go back to.
  package static var stepsBetweenKept: Int { 100 }
  private static var validationLanes: Int { 32 }
  /// Tokens that warm the state of each validation lane.
  private static var validationWarmUp: Int { 256 }

  /// - Parameters:
  ///   - initial: The weights to begin with; fresh ones of the configuration's seed where nil.
  ///   - observe: Called with each step's number and gradient before that is judged, clipped and used; what it changes
  ///     in the gradient counts. For tests and measurements.
  package init(
    _ configuration: TrainingConfiguration, _ model: ModelConfiguration, _ data: TrainingData, _ output: OutputFolder,
    initial: ParameterSet<Layer.K.Real>? = nil,
    observe: @escaping (_ step: Int, _ gradients: inout ParameterSet<Layer.K.Real>) -> Void = { _, _ in }
  ) throws {
    self.configuration = configuration
    self.data = data
    self.output = output
    metrics = try AppendFile(creating: output.folder.file(OutputFolder.metricsName))
    let network = Network<Layer>(model)
    clock = RunClock(configuration.limit, stepsPerEpoch: data.training.windowsPerEpoch)
    validateEvery = configuration.validateEvery ?? min(500, max(100, data.training.windowsPerEpoch))
    bptt = TruncatedBPTT(
      network, lanes: configuration.lanes,
      Truncation(k1: data.training.steps, k2: configuration.k2, recompute: configuration.recompute),
      workers: Workers(threads: configuration.threads))
    parameters =
      initial ?? network.initialParameters(seed: configuration.seed, forgetBias: configuration.forgetBias)
    update = ClippedUpdate(
      Adam(configuration.optimizer, layout: network.layout),
      clipping: GradientClipping(maximumNorm: configuration.clip, maximumValue: configuration.clipValue))
    learningRate = configuration.learningRate
    stability = StabilityGuard(vocabularySize: model.vocabularySize)
    self.observe = observe
    card = ModelCard(
      name: Paths.name(configuration.output), configuration: configuration, model: model, data: data)
    try output.folder.writeDescription(model, tokenizer: data.tokenizer, startToken: data.startToken)
    try Files.writeDurably(Array(card.text.utf8), to: output.folder.file(OutputFolder.cardName))
  }

  package consuming func run(stop: StopRequest, report: (TrainingEvent) -> Void) throws -> TrainingEvent.End {
    try tell(startEvent, report)
    var reason: TrainingEvent.EndReason?
    var lastValidated = -1
    while reason == nil {
      try takeStep(report)
      reason = stop.isRaised ? .signal : clock.endReason(step: step)
      // Weights under suspicion are not worth a validation; the next steps tell.
      if step % validateEvery == 0 && reason == nil && !stability.isInTrouble && parameters.norm.isFinite {
        let begin = clock.elapsed
        try validate(report)
        lastValidated = step
        recent.leaveOut(seconds: clock.elapsed - begin)
      }
    }
    if recent.tokens > 0 {  // every loss is logged once
      try tell(.step(stepReport(recent.take(now: clock.elapsed))), report)
    }
    let isSuspect = stability.isInTrouble || !parameters.norm.isFinite
    if isSuspect, let good { goBack(to: good) }
    if lastValidated != step && (!isSuspect || good != nil) { try validate(report) }
    guard isSaved else {
      throw TrainingError(
        "the loss or the gradient was bad up to the last step, \(step); no model was saved: "
          + "use a smaller --learning-rate")
    }
    return try end(reason ?? .steps, report)
  }

  private mutating func end(
    _ reason: TrainingEvent.EndReason, _ report: (TrainingEvent) -> Void
  ) throws -> TrainingEvent.End {
    let end = TrainingEvent.End(reason: reason, steps: step, seconds: clock.elapsed, bestValidationLoss: best.loss)
    card.end = end
    card.bestStep = best.step
    try Files.writeDurably(Array(card.text.utf8), to: output.folder.file(OutputFolder.cardName))
    try tell(.end(end), report)
    return end
  }

  // MARK: Steps

  /// One window: forward, backward, clip, update; state and time carried on.
  private mutating func takeStep(_ report: (TrainingEvent) -> Void) throws {
    let place = step % data.training.windowsPerEpoch
    switch configuration.statePolicy {
    case _ where place == 0: bptt.resetState()
    case .carried: break
    case .reset: bptt.resetState()
    case .dropped(let probability): bptt.dropState(probability: probability, seed: configuration.seed, step: step)
    }
    let window = data.training.window(place)
    let before = isKeepingDue ? current : nil
    let loss = bptt.step(window, parameters: parameters)
    step += 1
    tokens += window.targets.count
    observe(step, &bptt.gradients)
    lastNorm = bptt.gradients.norm
    let mean = loss / Double(window.targets.count)
    let verdict = stability.judge(loss: mean, tokens: window.targets.count, norm: lastNorm)
    if verdict == .update {
      if let before, stability.isCalm { good = before }
      let isClipped = update.apply(
        &bptt.gradients, measured: lastNorm, to: &parameters, learningRate: learningRate)
      clips.add(isClipped: isClipped)
      recent.add(loss, tokens: window.targets.count)
      ofEpoch.add(loss, tokens: window.targets.count)
    } else {
      try skip(verdict, loss: mean, report)
    }
    try reportStep(report)
    if place + 1 == data.training.windowsPerEpoch { try reportEpoch(report) }
  }

  private mutating func reportStep(_ report: (TrainingEvent) -> Void) throws {
    if step % configuration.logEvery == 0 {
      try tell(.step(stepReport(recent.take(now: clock.elapsed))), report)
      clips.restart()
      lastShown = clock.elapsed
    } else if clock.elapsed - lastShown > 1 {
      report(.step(stepReport(recent.mean(now: clock.elapsed))))  // shown, not logged: steps are slow
      lastShown = clock.elapsed
    }
  }

  // MARK: Stability

  private var isKeepingDue: Bool { good.map { step - $0.step >= Self.stepsBetweenKept } ?? true }

  private var current: GoodStep<Layer> {
    GoodStep(step: step, parameters: parameters, update: update, state: bptt.carriedState())
  }

  private mutating func skip(
    _ verdict: StabilityGuard.Verdict, loss: Double, _ report: (TrainingEvent) -> Void
  ) throws {
    guard let reason = verdict.reason else { return }
    let skipped = TrainingEvent.Skipped(
      step: step, reason: reason, loss: loss, gradientNorm: lastNorm, inBurst: stability.burstLength)
    try tell(.skipped(skipped), report)
    if reason.isOfLoss || !bptt.hasFiniteState { bptt.resetState() }
    switch verdict {
    case .update, .skip: return
    case .rollBack:
      guard let good else { throw try givenUp(reason, report) }
      goBack(to: good)
      wentBackTo = good.step
      learningRate /= 2
      try tell(.rollback(.init(step: step, toStep: good.step, learningRate: learningRate)), report)
    case .giveUp: throw try givenUp(reason, report)
    }
  }

  private mutating func goBack(to good: GoodStep<Layer>) {
    parameters = good.parameters
    update = good.update
    bptt.restore(good.state)
  }

  /// The error that ends a run; the last good weights are scored before, and saved where they are the best.
  private mutating func givenUp(
    _ reason: StabilityGuard.Reason, _ report: (TrainingEvent) -> Void
  ) throws -> TrainingError {
    let again = wentBackTo.map { ", also with half the learning rate after going back to step \($0)" } ?? ""
    if let good {
      goBack(to: good)
      try validate(report)
    }
    _ = try end(.diverged, report)
    let kept = isSaved ? "the best model so far is in \(output.folder.path)" : "no model was saved"
    return TrainingError(
      "training diverged: \(StabilityGuard.patience) steps in a row were bad, up to step \(step) (\(reason.rawValue))"
        + "\(again); \(kept): use a smaller --learning-rate or a smaller --clip")
  }

  // MARK: Validation and saving

  private mutating func validate(_ report: (TrainingEvent) -> Void) throws {
    guard data.validation.count > 1 else { return try save() }
    let model = RecurrentLanguageModel(network: bptt.network, parameters: parameters)
    let score = Scorer(model, threads: configuration.threads).scoreInLanes(
      data.validation, lanes: Self.validationLanes, warmUp: Self.validationWarmUp)
    let isBest = best.take(score.mean, step: step)
    if isBest { try save() }
    try tell(
      .validation(
        .init(
          step: step, loss: score.mean, tokensPerCharacter: data.validationTokensPerCharacter, isBest: isBest)), report)
  }

  private mutating func save() throws {
    try output.folder.writeWeights(parameters)
    try output.publish()
    isSaved = true
  }

  // MARK: Events

  private func tell(_ event: TrainingEvent, _ report: (TrainingEvent) -> Void) throws {
    try metrics.append(line: event.json.text())
    report(event)
  }

  private var startEvent: TrainingEvent {
    .start(
      .init(
        parameters: bptt.network.layout.count, vocabularySize: data.tokenizer.vocabularySize,
        trainingTokens: data.training.targetsPerEpoch, leftOutTokens: data.training.leftOut,
        validationTokens: data.validation.count,
        unknownInValidation: data.unknownInValidation.reduce(0) { $0 + $1.count },
        unknownNames: data.unknownInValidation.prefix(5).map(\.name), stepsPerEpoch: data.training.windowsPerEpoch,
        corpusHash: data.corpusHash, corpusFiles: data.corpusFiles, notes: data.notes, source: data.source,
        seed: configuration.seed,
        threads: configuration.threads, precision: configuration.precision.rawValue,
        unit: data.tokenizer.unitName))
  }

  private func stepReport(_ recent: (loss: Double, speed: Double)) -> TrainingEvent.Step {
    let (progress, remaining) = clock.progress(step: step)
    return .init(
      step: step, epoch: (step - 1) / data.training.windowsPerEpoch + 1, tokens: tokens, loss: recent.loss,
      gradientNorm: lastNorm, clipped: clips.share, clippedOverall: clips.overall, learningRate: learningRate,
      tokensPerSecond: recent.speed, progress: progress, remaining: remaining)
  }

  private mutating func reportEpoch(_ report: (TrainingEvent) -> Void) throws {
    let now = clock.elapsed
    let seconds = now - ofEpoch.start
    let loss = ofEpoch.take(now: now).loss
    try tell(.epoch(.init(epoch: step / data.training.windowsPerEpoch, loss: loss, seconds: seconds)), report)
  }
}
