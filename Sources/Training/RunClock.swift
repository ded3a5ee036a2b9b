/// How long a run goes on.
struct RunClock {
  private let limit: TrainingConfiguration.Limit
  private let stepsPerEpoch: Int
  private let begin = ContinuousClock.now

  init(_ limit: TrainingConfiguration.Limit, stepsPerEpoch: Int) {
    self.limit = limit
    self.stepsPerEpoch = stepsPerEpoch
  }

  /// Seconds since the run began.
  var elapsed: Double { (ContinuousClock.now - begin) / .seconds(1) }

  var plannedSteps: Int? {
    switch limit {
    case .epochs(let epochs):
      epochs.multipliedReportingOverflow(by: stepsPerEpoch).overflow ? .max : epochs * stepsPerEpoch
    case .steps(let steps): steps
    case .budget: nil
    }
  }

  /// Why the run ends after `step` steps, where it does.
  func endReason(step: Int) -> TrainingEvent.EndReason? {
    switch limit {
    case .budget(let seconds): elapsed >= seconds ? .budget : nil
    case .epochs: step >= plannedSteps ?? 0 ? .epochs : nil
    case .steps: step >= plannedSteps ?? 0 ? .steps : nil
    }
  }

  /// The share of the run that is done, and the seconds that are left.
  func progress(step: Int) -> (done: Double, remaining: Double) {
    let elapsed = elapsed
    if case .budget(let seconds) = limit { return (min(1, elapsed / seconds), max(0, seconds - elapsed)) }
    let done = Double(step) / Double(plannedSteps ?? step)
    return (done, elapsed / done - elapsed)
  }
}
