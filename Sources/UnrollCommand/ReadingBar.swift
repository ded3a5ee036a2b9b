import Evaluation
import Reports
import Synchronization

/// Shows on a terminal how far a long text is read.
final class ReadingBar: Sendable {
  private struct State {
    let start = ContinuousClock.now
    var last = ContinuousClock.now
    var isShown = false
  }

  private let state = Mutex(State())

  /// What a reading calls; nil where nobody would see it.
  var progress: (@Sendable (Int, Int) -> Void)? {
    guard Terminal.errorIsTerminal else { return nil }
    return { self.show(done: $0, all: $1) }
  }

  private func show(done: Int, all: Int) {
    state.withLock { state in
      let now = ContinuousClock.now
      guard now - state.last > .milliseconds(500), done < all else { return }
      (state.last, state.isShown) = (now, true)
      let seconds = (now - state.start) / .seconds(1)
      let left = seconds * Double(all - done) / Double(max(1, done))
      Terminal.writeError(
        "\r\u{1B}[K\(100 * done / max(1, all)) % of \(grouped(all)) tokens, \(grouped(Int(Double(done) / seconds))) a second, "
          + "\(duration(left)) left")
    }
  }

  /// Takes the bar away.
  func clear() {
    state.withLock { state in
      if state.isShown { Terminal.writeError("\r\u{1B}[K") }
      state.isShown = false
    }
  }
}
