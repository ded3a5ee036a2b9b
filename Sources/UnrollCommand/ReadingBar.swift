import Corpora
import Evaluation
import ModelFiles
import Reports
import Synchronization

/// Shows on a terminal how far long texts are read.
final class ReadingBar: Sendable {
  private struct State {
    let start = ContinuousClock.now
    var last = ContinuousClock.now
    var isShown = false
  }

  private let state = Mutex(State())
  /// Bytes of all texts; nil where that is not known, as of standard input and gzip.
  private let size: Int?

  /// A bar for texts, whose files are looked for.
  ///
  /// - Throws: ``FileError`` for a file that is not there or has no bytes, before anything is read.
  init(_ corpus: Corpus) throws {
    var all: Int? = 0
    for path in corpus.paths where path != "-" && Files.kind(path) != .pipe {
      let file = try InputFile(path)
      guard file.size != 0 else { throw FileError(.invalid, path, "is empty; there is nothing to read") }
      let isPacked = try file.read(upTo: 2) == [0x1F, 0x8B]
      if let sum = all, let size = file.size, !isPacked { all = sum + size } else { all = nil }
    }
    size = corpus.paths.allSatisfy { $0 != "-" && Files.kind($0) != .pipe } ? all : nil
  }

  /// What a reading calls; nil where nobody would see it.
  var progress: (@Sendable (Int, Int) -> Void)? {
    guard Terminal.errorIsTerminal else { return nil }
    return { self.show(bytes: $0, tokens: $1) }
  }

  private func show(bytes: Int, tokens: Int) {
    state.withLock { state in
      let now = ContinuousClock.now
      guard now - state.last > .milliseconds(500), tokens > 0 else { return }
      (state.last, state.isShown) = (now, true)
      let seconds = (now - state.start) / .seconds(1)
      let speed = "\(grouped(tokens)) tokens, \(grouped(Int(Double(tokens) / seconds))) a second"
      guard let size, size > 0, bytes > 0 else {
        Terminal.writeError("\r\u{1B}[K\(speed)")
        return
      }
      let left = seconds * Double(max(0, size - bytes)) / Double(bytes)
      Terminal.writeError("\r\u{1B}[K\(min(100, 100 * bytes / size)) %, \(speed), \(duration(left)) left")
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
