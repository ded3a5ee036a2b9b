import Compute
import Evaluation
import LanguageModeling
import ModelFiles
import Optimization
import Recurrence

/// One run: windows in order, an update after each, validation now and then, the best weights kept.
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
  private var skippedInARow = 0
  private var recent = LossMeter()
  private var ofEpoch = LossMeter()
  private var lastShown = 0.0
  private var lastNorm = 0.0

  /// Updates left out one after another before the run gives up.
  private static var mostSkipped: Int { 10 }
  private static var validationLanes: Int { 32 }
  /// Tokens that warm the state of each validation lane.
  private static var validationWarmUp: Int { 256 }

  /// - Parameter initial: The weights to begin with; fresh ones of the configuration's seed where nil.
  package init(
    _ configuration: TrainingConfiguration, _ model: ModelConfiguration, _ data: TrainingData, _ output: OutputFolder,
    initial: ParameterSet<Layer.K.Real>? = nil
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
    update = ClippedUpdate(Adam(configuration.optimizer, layout: network.layout), maximumNorm: configuration.clip)
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
      if step % validateEvery == 0 && reason == nil {
        let begin = clock.elapsed
        try validate(report)
        lastValidated = step
        recent.leaveOut(seconds: clock.elapsed - begin)
      }
    }
    if recent.tokens > 0 {  // every loss is logged once
      try tell(.step(stepReport(lastNorm, recent.take(now: clock.elapsed))), report)
    }
    if lastValidated != step { try validate(report) }
    let end = TrainingEvent.End(
      reason: reason ?? .steps, steps: step, seconds: clock.elapsed, bestValidationLoss: best.loss)
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
    let loss = bptt.step(window, parameters: parameters)
    let (norm, isMade) = update.apply(
      loss: loss, gradients: &bptt.gradients, to: &parameters, learningRate: configuration.learningRate)
    lastNorm = norm
    step += 1
    tokens += window.targets.count
    if isMade {
      skippedInARow = 0
      recent.add(loss, tokens: window.targets.count)
      ofEpoch.add(loss, tokens: window.targets.count)
    } else {
      try skip(report)
    }
    if step % configuration.logEvery == 0 {
      try tell(.step(stepReport(norm, recent.take(now: clock.elapsed))), report)
      lastShown = clock.elapsed
    } else if clock.elapsed - lastShown > 1 {
      report(.step(stepReport(norm, recent.mean(now: clock.elapsed))))  // shown, not logged: steps are slow
      lastShown = clock.elapsed
    }
    if place + 1 == data.training.windowsPerEpoch { try reportEpoch(report) }
  }

  /// A loss or gradient that is not finite never reaches the weights; nor does the state that came with it go on.
  private mutating func skip(_ report: (TrainingEvent) -> Void) throws {
    try tell(.skipped(step: step), report)
    bptt.resetState()
    skippedInARow += 1
    guard skippedInARow < Self.mostSkipped else {
      let kept = isSaved ? "the best model so far is in \(output.folder.path)" : "no model was saved"
      throw TrainingError(
        "the loss or the gradient was not finite in \(skippedInARow) steps in a row, up to step \(step); \(kept): "
          + "use a smaller --learning-rate or a smaller --clip")
    }
  }

  // MARK: Validation and saving

  private mutating func validate(_ report: (TrainingEvent) -> Void) throws {
    guard parameters.norm.isFinite else { throw TrainingError("the weights are not finite after step \(step)") }
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
        corpusHash: data.corpusHash, source: data.source, seed: configuration.seed,
        threads: configuration.threads, precision: configuration.precision.rawValue,
        unit: data.tokenizer.unitName))
  }

  private func stepReport(_ norm: Double, _ recent: (loss: Double, speed: Double)) -> TrainingEvent.Step {
    let (progress, remaining) = clock.progress(step: step)
    return .init(
      step: step, epoch: (step - 1) / data.training.windowsPerEpoch + 1, tokens: tokens, loss: recent.loss,
      gradientNorm: norm, learningRate: configuration.learningRate, tokensPerSecond: recent.speed,
      progress: progress, remaining: remaining)
  }

  private mutating func reportEpoch(_ report: (TrainingEvent) -> Void) throws {
    let now = clock.elapsed
    let seconds = now - ofEpoch.start
    let loss = ofEpoch.take(now: now).loss
    try tell(.epoch(.init(epoch: step / data.training.windowsPerEpoch, loss: loss, seconds: seconds)), report)
  }
}
