import Dispatch

/// Runs the same work for a number of lane groups on at most so many threads.
///
/// Which thread takes which group never changes a result: groups share nothing that they write, and what they made is
/// summed by the caller in the order of groups.
public struct Workers: Sendable {
  /// The largest number of threads at work.
  public let threads: Int

  /// - Parameter threads: At least 1.
  public init(threads: Int) {
    precondition(threads >= 1, "workers need at least one thread, not \(threads)")
    self.threads = threads
  }

  /// Calls `work` once for each of 0 ..< count and returns when all are done.
  public func run(_ count: Int, _ work: @Sendable (Int) -> Void) {
    let threads = min(threads, count)
    guard threads > 1 else {
      for index in 0..<count { work(index) }
      return
    }
    DispatchQueue.concurrentPerform(iterations: threads) { thread in
      for index in stride(from: thread, to: count, by: threads) { work(index) }
    }
  }
}
