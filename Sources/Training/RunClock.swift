/// How long a run goes on.
struct RunClock {
  private let limit: TrainingConfiguration.Limit
  private let begin = ContinuousClock.now

  init(_ limit: TrainingConfiguration.Limit) { self.limit = limit }

  /// Seconds since the run began.
  var elapsed: Double { (ContinuousClock.now - begin) / .seconds(1) }

  /// Why the run ends after `step` steps and so many epochs, where it does.
  func endReason(step: Int, epochs: Double) -> TrainingEvent.EndReason? {
    switch limit {
    case .budget(let seconds): elapsed >= seconds ? .budget : nil
    case .epochs(let most): epochs >= Double(most) ? .epochs : nil
    case .steps(let most): step >= most ? .steps : nil
    }
  }

  /// The share of the run that is done, and the seconds that are left. Epochs count by their text: how many steps they
  /// have may differ.
  func progress(step: Int, epochs: Double) -> (done: Double, remaining: Double) {
    let elapsed = elapsed
    let done =
      switch limit {
      case .budget(let seconds): elapsed / seconds
      case .epochs(let most): epochs / Double(most)
      case .steps(let most): Double(step) / Double(most)
      }
    if case .budget(let seconds) = limit { return (min(1, done), max(0, seconds - elapsed)) }
    return (done, elapsed / done - elapsed)
  }
}
