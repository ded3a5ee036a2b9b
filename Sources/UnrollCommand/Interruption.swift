import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Ctrl-C in a session: it stops the writing, and reading a line goes on with the next.
enum Interruption {
  private static let wasAsked = Atomic<Bool>(false)

  /// From now on SIGINT does not end the program, unless who started it wants the signal ignored. A closed pipe is an
  /// error of its write, not a signal.
  static func install() {
    _ = take()
    signal(SIGPIPE, SIG_IGN)
    var before = sigaction()
    sigaction(SIGINT, nil, &before)
    var action = sigaction()
    setHandler(of: &action)
    guard !isIgnored(before) else { return }
    sigaction(SIGINT, &action, nil)  // without SA_RESTART: a read in progress ends
  }

  /// Whether SIGINT came since the last call.
  static func take() -> Bool { wasAsked.exchange(false, ordering: .relaxed) }

  private static func raise() { wasAsked.store(true, ordering: .relaxed) }

  private static func setHandler(of action: inout sigaction) {
    #if canImport(Darwin)
      action.__sigaction_u.__sa_handler = { _ in Interruption.raise() }
    #else
      action.__sigaction_handler.sa_handler = { _ in Interruption.raise() }
    #endif
  }

  private static func isIgnored(_ action: sigaction) -> Bool {
    #if canImport(Darwin)
      let handler = action.__sigaction_u.__sa_handler
    #else
      let handler = action.__sigaction_handler.sa_handler
    #endif
    return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
