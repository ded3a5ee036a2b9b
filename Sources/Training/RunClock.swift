import Corpora

/// How long a run goes on.
struct RunClock {
  private let limit: TrainingConfiguration.Limit
  /// Steps of all epochs, where the run is so many.
  private let ofEpochs: Int?
  private let seconds: () -> Double
  /// Seconds that the run took before it was taken up again.
  private let before: Double
  /// What a budget has become; nil before, and without one.
  var plan: BudgetPlan?

  /// - Parameters:
  ///   - before: Seconds that the run took before it was taken up again.
  ///   - seconds: Since it was begun or taken up; the machine's own clock where nil.
  init(
    _ limit: TrainingConfiguration.Limit, _ windows: WindowSchedule, before: Double = 0, seconds: (() -> Double)? = nil
  ) {
    (self.limit, self.before) = (limit, before)
    if case .epochs(let epochs) = limit { ofEpochs = windows.windowCount(ofEpochs: epochs) } else { ofEpochs = nil }
    let begin = ContinuousClock.now
    self.seconds = seconds ?? { (ContinuousClock.now - begin) / .seconds(1) }
  }

  /// Seconds since the run began.
  var elapsed: Double { before + seconds() }

  /// Steps of the whole run; of a budget, once there is a plan.
  var plannedSteps: Int? {
    switch limit {
    case .epochs: ofEpochs
    case .steps(let steps): steps
    case .budget: plan?.steps
    }
  }

  /// Why the run ends after `step` steps, where it does.
  func endReason(step: Int) -> TrainingEvent.EndReason? {
    let isDone = step >= plannedSteps ?? 0
    switch limit {
    case .budget(let seconds): return isDone ? .budget : elapsed >= seconds * BudgetPlan.overrun ? .overrun : nil
    case .epochs: return isDone ? .epochs : nil
    case .steps: return isDone ? .steps : nil
    }
  }

  /// The share of the run that is done, and the seconds that are left.
  func progress(step: Int) -> (done: Double, remaining: Double) {
    let done = Double(step) / Double(plannedSteps ?? step)
    // What went before a plan was made says nothing of the steps to come.
    let before = plan?.elapsed ?? 0
    return (done, (elapsed - before) * (1 / done - 1))
  }
}
