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
package struct TrainingRun<Layer: RecurrentLayer> {
  typealias Real = Layer.K.Real

  private let configuration: TrainingConfiguration
  private let data: TrainingData
  private let output: OutputFolder
  private let log: TrainingLog
  private let bptt: TruncatedBPTT<Layer>
  /// Nil for each epoch's end.
  private let validateEvery: Int?
  private var clock: RunClock

  private var card: ModelCard
  private var parameters: ParameterSet<Real>
  private var update: ClippedUpdate<Real>
  private var best = BestLoss()
  private var isSaved = false
  private var cursor: WindowCursor
  private var step = 0
  /// The last step's: the first is 1.
  private var epoch = 1
  private var tokens = 0
  private var stability: StabilityGuard
  private var rates: LearningRatePlan
  /// Of the last update, its window's length counted in.
  private var learningRate: Double
  private var earlyStopping: EarlyStopping?
  private var isOutOfPatience = false
  private var good: GoodStep<Layer>?
  private var wentBackTo: Int?
  private var clips = ClipMeter()
  private var recent = LossMeter()
  private var ofEpoch = LossMeter()
  private var lastShown = 0.0
  private var lastNorm = 0.0
  private var validations = 0

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
  ///   - seconds: Since the run began, for tests; the machine's own clock where nil.
  package init(
    _ configuration: TrainingConfiguration, _ model: ModelConfiguration, _ data: TrainingData, _ output: OutputFolder,
    initial: ParameterSet<Layer.K.Real>? = nil,
    observe: @escaping (_ step: Int, _ gradients: inout ParameterSet<Layer.K.Real>) -> Void = { _, _ in },
    seconds: (() -> Double)? = nil
  ) throws {
    self.configuration = configuration
    self.data = data
    self.output = output
    log = try TrainingLog(
      metrics: AppendFile(creating: output.folder.file(OutputFolder.metricsName)),
      tensorBoard: configuration.tensorBoard)
    let network = Network<Layer>(model)
    clock = RunClock(configuration.limit, data.windows, seconds: seconds)
    cursor = WindowCursor(data.windows)
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
    learningRate = configuration.learningRate
    rates = configuration.schedule.plan(peak: learningRate, planned: clock.plannedSteps ?? 1)
    earlyStopping = configuration.patience.map(EarlyStopping.init)
    stability = StabilityGuard(vocabularySize: model.vocabularySize)
    self.observe = observe
    card = ModelCard(
      name: Paths.name(configuration.output), configuration: configuration, model: model, data: data)
    try output.folder.writeDescription(model, tokenizer: data.tokenizer, startToken: data.startToken)
    try Files.writeDurably(Array(card.text.utf8), to: output.folder.file(OutputFolder.cardName))
  }

  package consuming func run(stop: StopRequest, report: (TrainingEvent) -> Void) throws -> TrainingEvent.End {
    try tell(startEvent, report)
    try prepare(stop, report)
    var reason: TrainingEvent.EndReason?
    var lastValidated = -1
    while reason == nil {
      try takeStep(report)
      reason = stop.isRaised ? .signal : clock.endReason(step: step)
      // Weights under suspicion are not worth a validation; the next steps tell.
      if isValidationDue && reason == nil && !stability.isInTrouble && parameters.norm.isFinite {
        let begin = clock.elapsed
        try validate(report)
        lastValidated = step
        recent.leaveOut(seconds: clock.elapsed - begin)
        if isOutOfPatience { reason = .patience }
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
    var end = TrainingEvent.End(reason: reason, steps: step, seconds: clock.elapsed, bestValidationLoss: best.loss)
    if isSaved, let test = try TestScore.event(of: data.test, by: output.folder, threads: configuration.threads) {
      try tell(.test(test), report)
      end.testLoss = test.loss
    }
    card.end = end
    card.bestStep = best.step
    try Files.writeDurably(Array(card.text.utf8), to: output.folder.file(OutputFolder.cardName))
    try log.write(.end(end))
    if let history = try RunHistory(ofModel: output.folder.path) {
      let page = TrainingPage(card: card, history: history)
      try Files.writeDurably(Array(page.html.utf8), to: output.folder.file(OutputFolder.reportName))
      end.advice = history.advice
    }
    report(.end(end))
    return end
  }

  // MARK: Before the first step

  /// Finds the learning rate and makes the plan of a budget, where that is wanted; neither leaves a trace in the weights.
  private mutating func prepare(_ stop: StopRequest, _ report: (TrainingEvent) -> Void) throws {
    if configuration.findsLearningRate {
      let test = try RangeTest.run(bptt, data, parameters: parameters, update: update, stop: stop)
      try Files.writeDurably(Array(test.csv.utf8), to: output.folder.file(OutputFolder.rangeTestName))
      learningRate = test.suggestion
      card.configuration.learningRate = learningRate
      try tell(.rangeTest(test), report)
    }
    if case .budget(let seconds) = configuration.limit {
      let plan = plan(budget: seconds, stop)
      clock.plan = plan
      try tell(.plan(plan), report)
    }
    rates = configuration.schedule.plan(peak: learningRate, planned: clock.plannedSteps ?? 1)
    recent.restart(now: clock.elapsed)
    ofEpoch.restart(now: clock.elapsed)
  }

  private func plan(budget: Double, _ stop: StopRequest) -> BudgetPlan {
    var trial = SpeedTrial(
      bptt: bptt, data: data, parameters: parameters, update: update, learningRate: learningRate)
    let ofValidation = trial.secondsPerValidation(warmUp: Self.validationLanes * Self.validationWarmUp) {
      _ = score($0, by: parameters)
    }
    let limit = min(SpeedTrial<Layer>.longest, SpeedTrial<Layer>.share * budget)
    let ofStep = trial.secondsPerStep(trying: limit, stop)
    return BudgetPlan(
      budget: budget, elapsed: clock.elapsed, secondsPerStep: ofStep, secondsPerValidation: ofValidation,
      validateEvery: validateEvery ?? data.windows.windowCount(ofEpoch: 0))
  }

  // MARK: Steps

  /// One window: forward, backward, clip, update; state and time carried on.
  private mutating func takeStep(_ report: (TrainingEvent) -> Void) throws {
    switch configuration.statePolicy {
    case _ where cursor.index == 0: bptt.resetState()
    case .carried: break
    case .reset: bptt.resetState()
    case .dropped(let probability): bptt.dropState(probability: probability, seed: configuration.seed, step: step)
    }
    let window = data.training.window(cursor.steps, offset: cursor.offset)
    learningRate = rates.rate(step: step) * cursor.learningRateScale
    epoch = cursor.epoch + 1
    cursor.advance()
    let before = isKeepingDue ? current : nil
    let loss = bptt.step(window, parameters: parameters, number: step)
    step += 1
    let predicted = window.predicted(except: data.documents?.start)
    tokens += predicted
    observe(step, &bptt.gradients)
    lastNorm = bptt.gradients.norm
    let mean = loss / Double(max(1, predicted))
    let verdict = stability.judge(loss: mean, tokens: predicted, norm: lastNorm)
    if verdict == .update {
      if let before, stability.isCalm { good = before }
      let isClipped = update.apply(
        &bptt.gradients, measured: lastNorm, to: &parameters, learningRate: learningRate)
      clips.add(isClipped: isClipped)
      recent.add(loss, tokens: predicted)
      ofEpoch.add(loss, tokens: predicted)
    } else {
      try skip(verdict, loss: mean, report)
    }
    try reportStep(report)
    if cursor.index == 0 { try reportEpoch(report) }
  }

  private var isValidationDue: Bool { validateEvery.map { step % $0 == 0 } ?? (cursor.index == 0) }

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
      rates.scale /= 2
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
    let weights = update.average?.weights ?? parameters
    guard data.validation.count > 1 else { return try save(weights) }
    let loss = score(data.validation, by: weights).mean
    let isBest = best.take(loss, step: step)
    if isBest { try save(weights) }
    try tell(
      .validation(
        .init(step: step, loss: loss, tokensPerCharacter: data.validationTokensPerCharacter, isBest: isBest)), report)
    rates.plateau.note(validationLoss: loss)
    isOutOfPatience = earlyStopping?.note(isBest: isBest) ?? false
    if update.average?.note(validationLoss: loss) ?? false { try tell(.averaging(step: step), report) }
    try writeSample(by: weights, report)
  }

  /// A little text at the first validation and every few after it.
  private mutating func writeSample(by weights: ParameterSet<Real>, _ report: (TrainingEvent) -> Void) throws {
    defer { validations += 1 }
    guard configuration.sampleEvery > 0, validations % configuration.sampleEvery == 0 else { return }
    let model = RecurrentLanguageModel(network: bptt.network, parameters: weights)
    try tell(.sample(.init(step: step, text: TrainingSample.text(by: model, data, seed: configuration.seed))), report)
  }

  private func score(_ tokens: TokenStream, by weights: ParameterSet<Real>) -> Score {
    Scorer(RecurrentLanguageModel(network: bptt.network, parameters: weights), threads: configuration.threads)
      .scoreQuickly(tokens, lanes: Self.validationLanes, warmUp: Self.validationWarmUp)
  }

  private mutating func save(_ weights: ParameterSet<Real>) throws {
    try output.folder.writeWeights(weights)
    try output.publish()
    isSaved = true
  }

  // MARK: Events

  private func tell(_ event: TrainingEvent, _ report: (TrainingEvent) -> Void) throws {
    try log.write(event)
    report(event)
  }

  private var startEvent: TrainingEvent {
    .start(
      .init(
        parameters: bptt.network.layout.count, vocabularySize: data.tokenizer.vocabularySize,
        trainingTokens: data.predictedTargets, leftOutTokens: data.training.leftOut,
        validationTokens: data.validationTokens,
        unknownInValidation: data.unknownInValidation.reduce(0) { $0 + $1.count },
        unknownNames: data.unknownInValidation.prefix(5).map(\.name), replacements: data.replacements,
        stepsPerEpoch: data.windows.windowCount(ofEpoch: 0), stepsVary: data.windows.varies,
        offsetsVary: data.windows.hasRandomOffset,
        corpusHash: data.corpusHash, corpusFiles: data.corpusFiles, notes: data.notes, source: data.source,
        documents: data.documentCounts, seed: configuration.seed,
        threads: configuration.threads, precision: configuration.precision.rawValue,
        unit: data.tokenizer.unitName))
  }

  private func stepReport(_ recent: (loss: Double, speed: Double)) -> TrainingEvent.Step {
    let (progress, remaining) = clock.progress(step: step)
    return .init(
      step: step, epoch: epoch, tokens: tokens, loss: recent.loss,
      gradientNorm: lastNorm, clipped: clips.share, clippedOverall: clips.overall, learningRate: learningRate,
      tokensPerSecond: recent.speed, progress: progress, remaining: remaining)
  }

  private mutating func reportEpoch(_ report: (TrainingEvent) -> Void) throws {
    let now = clock.elapsed
    let seconds = now - ofEpoch.start
    let loss = ofEpoch.take(now: now).loss
    try tell(.epoch(.init(epoch: epoch, loss: loss, seconds: seconds)), report)
  }
}
