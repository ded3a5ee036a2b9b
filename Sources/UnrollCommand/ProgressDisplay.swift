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
  /// What a token is.
  private var unit = "character"

  init(quiet: Bool) { self.quiet = quiet }

  func show(_ event: TrainingEvent) {
    guard !quiet else { return }
    switch event {
    case .start(let start): begin(start)
    case .step(let step): isTerminal ? drawBar(step) : writeLine(step)
    case .validation(let validation):
      lastValidation = validation.loss
      say(
        "step \(grouped(validation.step))  validation loss \(decimal(validation.loss, places: 4)) nats/\(unit), "
          + "\(decimal(validation.loss * bitsPerNat, places: 3)) bits\(validation.isBest ? "  best so far, saved" : "")"
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
    case .end: clear()
    }
  }

  private func begin(_ start: TrainingEvent.Start) {
    unit = start.unit
    say(
      "\(grouped(start.parameters)) parameters, \(start.vocabularySize) symbols, "
        + "\(start.threads) thread\(start.threads == 1 ? "" : "s")")
    say(
      "training on \(grouped(start.trainingTokens)) \(unit)s (\(grouped(start.stepsPerEpoch)) steps an epoch), "
        + "validating on \(grouped(start.validationTokens))")
    start.notes.forEach(say)
    if let source = start.source { say("source \(source.description), optimal loss \(source.text)") }
    if start.leftOutTokens > 0 {
      say("the training part's last \(start.leftOutTokens) \(unit)s do not fill the lanes and are left out")
    }
    if start.unknownInValidation > 0 {
      say(
        "the validation part has \(grouped(start.unknownInValidation)) characters that the training part lacks: "
          + start.unknownNames.joined(separator: ", "))
    }
    if start.validationTokens == 0 { say("no validation part: the last weights are kept, not the best") }
  }

  /// The summary's last lines.
  func finish(_ end: TrainingEvent.End, output: String) {
    guard !quiet else { return }
    clear()
    let best = end.bestValidationLoss.map { "best validation loss \(decimal($0, places: 4)) nats/\(unit)" }
    let why = end.reason == .signal ? "stopped" : "done"
    say(
      "\(why) after \(grouped(end.steps)) steps in \(duration(end.seconds)); \(best ?? "not validated"); model in \(output)"
    )
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
      "\(bar) \(percent)", "epoch \(step.epoch)", clipped(step), "loss \(decimal(step.loss, places: 3))",
      "\(grouped(Int(step.tokensPerSecond))) \(unit)s/s", "\(duration(step.remaining)) left",
    ]
    if let lastValidation { parts.insert("validation \(decimal(lastValidation, places: 3))", at: 4) }
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
      "step \(grouped(step.step))  epoch \(step.epoch)  loss \(decimal(step.loss, places: 4))  \(clipped(step))  "
        + "\(grouped(Int(step.tokensPerSecond))) \(unit)s/s  \(duration(step.remaining)) left")
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
