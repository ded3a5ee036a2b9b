import Compute
import Evaluation
import LanguageModeling
import ModelFiles
import Recurrence
import Tokenization

// Validation, and what a run tells of itself.

extension TrainingRun {
  static var validationLanes: Int { 32 }
  /// Tokens that warm the state of each validation lane.
  static var validationWarmUp: Int { 256 }

  mutating func validate(_ report: (TrainingEvent) -> Void) throws {
    progress.owesValidation = false
    progress.lastValidated = progress.step
    let (weights, temperature) = calibrated(update.average?.weights ?? parameters)
    guard data.validation.count > 1 else { return save(weights, report) }
    let loss = score(data.validation, by: weights).mean
    let isBest = progress.best.take(loss, step: progress.step, temperature: temperature)
    if isBest { save(weights, report) }
    tell(
      .validation(
        .init(
          step: progress.step, loss: loss, tokensPerCharacter: data.validationTokensPerCharacter,
          temperature: temperature, isBest: isBest)),
      report)
    progress.rates.plateau.note(validationLoss: loss)
    isOutOfPatience = progress.earlyStopping?.note(isBest: isBest) ?? false
    if update.average?.note(validationLoss: loss) ?? false { tell(.averaging(step: progress.step), report) }
    try writeSample(by: weights, report)
  }

  /// A little text at the first validation and every few after it.
  private mutating func writeSample(by weights: ParameterSet<Real>, _ report: (TrainingEvent) -> Void) throws {
    defer { progress.validations += 1 }
    guard configuration.sampleEvery > 0, progress.validations % configuration.sampleEvery == 0 else { return }
    let model = RecurrentLanguageModel(network: bptt.network, parameters: weights)
    let text = try TrainingSample.text(by: model, data, seed: configuration.seed)
    tell(.sample(.init(step: progress.step, text: text)), report)
  }

  func score(_ tokens: TokenStream, by weights: ParameterSet<Real>) -> Score {
    scorer(weights).scoreQuickly(tokens, lanes: Self.validationLanes, warmUp: Self.validationWarmUp)
  }

  /// Whether a temperature is fitted: where that is wanted, and can be.
  var fitsTemperature: Bool {
    configuration.calibrates && data.validation.count > Calibration.fewestTokens
      && !bptt.network.configuration.tiesWeights
  }

  /// The weights with their logits divided by the temperature that fits the validation part, where one is fitted.
  private func calibrated(_ weights: ParameterSet<Real>) -> (weights: ParameterSet<Real>, temperature: Double?) {
    guard fitsTemperature else { return (weights, nil) }
    func divided(_ temperature: Double) -> ParameterSet<Real> {
      bptt.network.dividingLogits(of: weights, by: temperature)
    }
    let temperature = Calibration.temperature { excessSurprisal(of: divided($0)) }
    return (divided(temperature), temperature)
  }

  /// On a part of the validation part, spread evenly.
  func excessSurprisal(of weights: ParameterSet<Real>) -> Double {
    scorer(weights).excessSurprisal(of: data.validation, lanes: 64, warmUp: 64, length: 256)
  }

  private func scorer(_ weights: ParameterSet<Real>) -> Scorer {
    Scorer(RecurrentLanguageModel(network: bptt.network, parameters: weights), threads: configuration.threads)
  }

  // MARK: Events

  mutating func tell(_ event: TrainingEvent, _ report: (TrainingEvent) -> Void) {
    if event.isLogged { log.write(event) }
    report(event)
    if let error = log.trouble { noteTrouble(error, report) }
  }

  var startEvent: TrainingEvent {
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

  func stepReport(_ recent: (loss: Double, speed: Double)) -> TrainingEvent.Step {
    let (done, remaining) = clock.progress(step: progress.step)
    return .init(
      step: progress.step, epoch: progress.epoch, tokens: progress.tokens, loss: recent.loss,
      gradientNorm: progress.lastNorm, clipped: progress.clips.share, clippedOverall: progress.clips.overall,
      learningRate: progress.lastRate, tokensPerSecond: recent.speed, progress: done, remaining: remaining)
  }

  mutating func reportEpoch(_ report: (TrainingEvent) -> Void) {
    let now = clock.elapsed
    let seconds = now - progress.ofEpoch.start
    let loss = progress.ofEpoch.take(now: now).loss
    tell(.epoch(.init(epoch: progress.epoch, step: progress.step, loss: loss, seconds: seconds)), report)
  }
}
