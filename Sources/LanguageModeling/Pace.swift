/// Finds out whether one thread or all of them are faster at a piece of work that is done again and again.
///
/// Threads that share a window wait for each other at every step: on an idle machine that pays for large layers, on a
/// busy one it can cost a hundredfold. So both are tried, several pieces in a row – threads that slept need a while to
/// wake –, and then now and again, ever more rarely while the faster one stays the same. What is computed does not depend
/// on it.
struct Pace {
  private enum Phase {
    case trial(together: Bool, left: Int)
    case settled(left: Int)
  }

  private let threads: Int
  private var phase = Phase.trial(together: false, left: Pace.burst)
  /// Seconds of the fastest piece of the last trial.
  private var alone = 0.0, together = 0.0
  private var interval = Pace.shortestInterval
  private var isTogetherFaster = false

  private static var burst: Int { 6 }
  private static var shortestInterval: Int { 64 }
  private static var longestInterval: Int { 4096 }

  init(threads: Int) { self.threads = threads }

  /// The number of threads for the next piece of work.
  func choose() -> Int {
    switch phase {
    case .trial(let together, _): together ? threads : 1
    case .settled: isTogetherFaster ? threads : 1
    }
  }

  /// Takes note of how long that piece of work took.
  mutating func note(seconds: Double) {
    switch phase {
    case .settled(let left): phase = left > 1 ? .settled(left: left - 1) : .trial(together: false, left: Self.burst)
    case .trial(let isTogether, let left):
      let isFirst = left == Self.burst
      if isTogether {
        together = isFirst ? seconds : min(together, seconds)
      } else {
        alone = isFirst ? seconds : min(alone, seconds)
      }
      if left > 1 {
        phase = .trial(together: isTogether, left: left - 1)
      } else if isTogether || threads == 1 {
        settle()
      } else {
        phase = .trial(together: true, left: Self.burst)
      }
    }
  }

  private mutating func settle() {
    let wasTogetherFaster = isTogetherFaster
    isTogetherFaster = threads > 1 && together < alone
    interval = isTogetherFaster == wasTogetherFaster ? min(2 * interval, Self.longestInterval) : Self.shortestInterval
    phase = .settled(left: interval)
  }
}
