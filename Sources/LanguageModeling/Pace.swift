/// Finds out whether one thread or all of them are faster at a piece of work that is done again and again.
///
/// Threads that share a window wait for each other at every step: on an idle machine that pays for large layers, on a
/// busy one it can cost a hundredfold. So both are tried in turn, and then now and again, ever more rarely while the
/// faster one stays the same. What is computed does not depend on it.
struct Pace {
  private let threads: Int
  /// Seconds of a recent piece of work with one thread and with all; the first ones only warm up.
  private var alone = 0.0, together = 0.0
  private var pieces = 0
  private var nextTrial = Pace.trials
  private var interval = Pace.shortestInterval

  private static var trials: Int { 8 }
  private static var shortestInterval: Int { 64 }
  private static var longestInterval: Int { 4096 }

  init(threads: Int) { self.threads = threads }

  /// The number of threads for the next piece of work.
  func choose() -> Int {
    if threads == 1 { return 1 }
    if pieces < Self.trials { return pieces % 2 == 0 ? 1 : threads }
    return isTrial == (together < alone) ? 1 : threads
  }

  private var isTrial: Bool { pieces == nextTrial }

  /// Takes note of how long the piece of work took.
  mutating func note(threads used: Int, seconds: Double) {
    let before = together < alone
    if used == 1 { alone = smoothed(alone, seconds) } else { together = smoothed(together, seconds) }
    if isTrial {
      interval = before == (together < alone) ? min(2 * interval, Self.longestInterval) : Self.shortestInterval
      nextTrial += interval
    }
    pieces += 1
  }

  private func smoothed(_ old: Double, _ new: Double) -> Double {
    pieces < Self.trials ? (pieces < 2 ? new : min(old, new)) : 0.75 * old + 0.25 * new
  }
}
