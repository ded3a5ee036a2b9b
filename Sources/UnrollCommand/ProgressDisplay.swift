import Corpora
import Reports
import Training

/// Shows a run on standard error: a bar on a terminal, plain lines elsewhere.
final class ProgressDisplay {
  private let quiet: Bool
  private let isTerminal = Terminal.errorIsTerminal
  /// When the last bar or plain line was written.
  private var lastLine = ContinuousClock.now
  private var hasBar = false
  private var lastValidation: Double?
  /// The training loss over about the last ten reports.
  private var smoothedLoss: Double?
  /// Tokens for each character, once a validation has told.
  private var tokensPerCharacter = 1.0
  /// Whether something could not be written.
  private var isInTrouble = false
  /// What a token is.
  private var unit = "character"

  init(quiet: Bool) { self.quiet = quiet }

  func show(_ event: TrainingEvent) {
    guard !quiet else { return }
    switch event {
    case .start(let start): begin(start)
    case .step(let step):
      if step.loss.isFinite { smoothedLoss = (smoothedLoss ?? step.loss) * 0.9 + step.loss * 0.1 }
      isTerminal ? drawBar(step) : writeLine(step)
    case .sample(let sample): showSample(sample)
    case .test(let test):
      say(
        "test loss \(decimal(test.loss, places: 4)) nats/\(unit), \(decimal(test.bitsPerCharacter, places: 3)) bits/character "
          + "(\(grouped(test.tokens)) \(unit)s)")
    case .validation(let validation):
      lastValidation = validation.loss
      tokensPerCharacter = validation.tokensPerCharacter
      say(
        "step \(grouped(validation.step))  validation loss \(decimal(validation.loss, places: 4)) nats/\(unit), "
          + "\(bits(validation.loss)) bits/character"
          + (validation.temperature.map { " at temperature \(decimal($0, places: 2))" } ?? "")
          + "\(validation.isBest ? "  best so far\(isInTrouble ? "" : ", saved")" : "")"
      )
    case .epoch: break
    case .skipped(let skipped):
      guard skipped.inBurst == 1 else { return }  // a burst is told once
      say(
        "step \(grouped(skipped.step)): \(skipped.reason.rawValue) (loss \(decimal(skipped.loss, places: 3)), "
          + "gradient norm \(decimal(skipped.gradientNorm, places: 3))); the update is left out")
    case .rollback(let rollback):
      say(
        "step \(grouped(rollback.step)): too many updates in a row were left out; going back to the weights of step "
          + "\(grouped(rollback.toStep)), on with learning rate \(rollback.learningRate)")
    case .rangeTest(let test): say(chart(of: test))
    case .plan(let plan):
      say(
        "planned \(grouped(plan.steps)) steps for \(plan.isBounded ? "a part of " : "")the budget of \(duration(plan.budget)): "
          + "\(threeDigits(plan.secondsPerStep * 1000)) ms a step, \(threeDigits(plan.secondsPerValidation)) s a validation"
          + (plan.isBounded ? "; more epochs would learn the text by heart (--max-epochs)" : "")
      )
    case .averaging(let step):
      say("step \(grouped(step)): validations no longer improve; from here on the weights are averaged")
    case .resumed(let step): say("going on after step \(grouped(step))")
    case .checkpoint: break
    case .trouble(let what):
      isInTrouble = what != nil
      say(
        what.map { "warning: \($0); training goes on, and it is tried again" } ?? "written after all; nothing is lost")
    case .end: clear()
    }
  }

  private func begin(_ start: TrainingEvent.Start) {
    unit = start.unit
    say(
      "\(grouped(start.parameters)) parameters, \(start.vocabularySize) symbols, "
        + "\(start.threads) thread\(start.threads == 1 ? "" : "s")")
    say(
      "training on \(grouped(start.trainingTokens)) \(unit)s (\(start.stepsVary ? "about " : "")\(grouped(start.stepsPerEpoch)) steps an epoch), "
        + "validating on \(grouped(start.validationTokens))")
    start.notes.forEach(say)
    if let source = start.source { say("source \(source.description), optimal loss \(source.text)") }
    if let documents = start.documents { say(documents) }
    if start.leftOutTokens > 0 {
      let place =
        start.offsetsVary
        ? "\(start.leftOutTokens) \(unit)s of the training part, others in each epoch,"
        : "the training part's last \(start.leftOutTokens) \(unit)s"
      say("\(place) do not fill the lanes and are left out")
    }
    if start.unknownInValidation > 0 {
      say(
        "the validation part has \(grouped(start.unknownInValidation)) characters that the training part lacks: "
          + start.unknownNames.joined(separator: ", "))
    }
    if start.replacements > 0 { say(CorpusText.replaced(start.replacements)) }
    if start.validationTokens == 0 { say("no validation part: the last weights are kept, not the best") }
  }

  private func say(_ documents: DocumentCounts) {
    let empty = documents.empty > 0 ? "; \(grouped(documents.empty)) empty left out" : ""
    say(
      "\(grouped(documents.training)) documents to train on, \(grouped(documents.validation)) to validate on\(empty)")
    if documents.literalSymbols > 0 {
      say(
        "Warning: the documents hold <s> or </s> \(grouped(documents.literalSymbols)) times themselves, read as "
          + "beginnings and ends")
    }
  }

  /// The summary's last lines.
  func finish(_ end: TrainingEvent.End, output: String) {
    guard !quiet else { return }
    clear()
    guard !end.wasOver else {
      return say(
        "the run was over before, after \(grouped(end.steps)) steps; nothing is changed (to go on: more --epochs, --steps "
          + "or --budget)")
    }
    let best = end.bestValidationLoss.map { "best validation loss \(decimal($0, places: 4)) nats/\(unit)" }
    let why =
      switch end.reason {
      case .signal: "stopped"
      case .overrun: "out of time, before the planned end,"
      case .patience: "no better for long: ended"
      case .epochs, .steps, .budget, .diverged: "done"
      }
    say(
      "\(why) after \(grouped(end.steps)) steps in \(duration(end.seconds)); \(best ?? "not validated"); model in \(output)"
    )
    if let advice = end.advice { say(advice) }
  }

  // MARK: Bar and lines

  private func drawBar(_ step: TrainingEvent.Step) {
    guard !hasBar || ContinuousClock.now - lastLine >= .milliseconds(100) else { return }
    lastLine = .now
    let width = 20
    let full = Int((step.progress * Double(width)).rounded(.down))
    let bar = String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
    let percent = "\(Int(step.progress * 100))%"
    var parts = [
      "\(bar) \(percent)", "epoch \(step.epoch)", clipped(step), "gradient \(decimal(step.gradientNorm, places: 2))",
      "loss \(decimal(smoothedLoss ?? step.loss, places: 3))", "\(bits(smoothedLoss ?? step.loss)) bits/character",
      "\(grouped(Int(step.tokensPerSecond))) \(unit)s/s", "\(duration(step.remaining)) left",
    ]
    if let lastValidation { parts.insert("validation \(decimal(lastValidation, places: 3))", at: 5) }
    var line = parts.joined(separator: "  ")
    while line.count >= Terminal.width, parts.count > 2 {
      parts.remove(at: 1)
      line = parts.joined(separator: "  ")
    }
    Terminal.writeError("\r\u{1B}[K" + line)
    hasBar = true
  }

  /// A plain line now and then: every ten seconds.
  private func writeLine(_ step: TrainingEvent.Step) {
    guard ContinuousClock.now - lastLine >= .seconds(10) else { return }
    lastLine = .now
    say(
      "step \(grouped(step.step))  epoch \(step.epoch)  loss \(decimal(step.loss, places: 4)) "
        + "(smoothed \(decimal(smoothedLoss ?? step.loss, places: 4)), \(bits(smoothedLoss ?? step.loss)) bits/character)  "
        + "gradient \(decimal(step.gradientNorm, places: 2))  \(clipped(step))  "
        + "\(grouped(Int(step.tokensPerSecond))) \(unit)s/s  \(duration(step.remaining)) left")
  }

  /// What the model writes, each line set off from those that report.
  private func showSample(_ sample: TrainingEvent.Sample) {
    let lines = sample.text.split(whereSeparator: \.isNewline).prefix(4)
    guard !lines.isEmpty else { return }
    clear()
    for line in lines { Terminal.complain("  │ \(visible(String(line)))") }
  }

  /// A text as a terminal may show it: what would move the cursor is left out.
  private func visible(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.properties.generalCategory != .control }))
  }

  /// A loss in nats per token as bits per character.
  private func bits(_ loss: Double) -> String { decimal(loss * bitsPerNat * tokensPerCharacter, places: 3) }

  /// The smoothed loss of a range test over its rates, and what is made of it.
  private func chart(of test: RangeTest) -> String {
    let rows = stride(from: 0, to: test.points.count, by: 6).map { test.points[$0] }
    let losses = rows.map(\.smoothed)
    let (least, most) = (losses.min() ?? 0, losses.max() ?? 1)
    let lines = zip(rows, losses).map { point, loss in
      let share = (loss - least) / max(most - least, 1e-9)
      return [threeDigits(point.learningRate), decimal(loss, places: 3), bar(share, width: 40)]
    }
    return columns([["learning rate", "smoothed loss"]] + lines) + "learning rate \(test.suggestion)"
  }

  /// How many of the updates so far were clipped.
  private func clipped(_ step: TrainingEvent.Step) -> String {
    "clipped \(Int((step.clippedOverall * 100).rounded()))%"
  }

  private func say(_ line: String) {
    clear()
    Terminal.complain(line)
  }

  /// Removes the bar.
  func clear() {
    guard hasBar else { return }
    Terminal.writeError("\r\u{1B}[K")
    hasBar = false
  }
}
