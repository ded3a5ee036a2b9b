import Synchronization
import Training

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// SIGINT, SIGTERM and SIGHUP while a run goes on: the first asks it to end after its step, the second ends the program at
/// once.
enum Signals {
  static let stop = StopRequest()
  private static let received = Atomic<Int32>(0)

  /// The signal that asked for the end, or 0.
  static var last: Int32 { received.load(ordering: .relaxed) }

  /// To be called when the first step begins: before, there is nothing to save, and a signal may simply end the program.
  static func install() {
    signal(SIGPIPE, SIG_IGN)  // who stops watching does not stop the run
    signal(SIGXFSZ, SIG_IGN)  // a file that may not grow is an error of its write
    _ = (stop, last)  // made before a handler can need them
    var both = sigset_t()
    sigemptyset(&both)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      let before = signal(number) { number in
        guard Signals.received.load(ordering: .relaxed) == 0 else { _exit(128 + number) }
        Signals.received.store(number, ordering: .relaxed)
        Signals.stop.raise()
        let words: StaticString = "\nfinishing the step, then saving; once more ends at once\n"
        _ = write(STDERR_FILENO, words.utf8Start, words.utf8CodeUnitCount)
      }
      // Who started us with a signal ignored, as nohup and background jobs do, means it.
      if isIgnore(before) { signal(number, SIG_IGN) }
      sigaddset(&both, number)
    }
    sigprocmask(SIG_UNBLOCK, &both, nil)
  }

  private static func isIgnore(_ handler: (@convention(c) (Int32) -> Void)?) -> Bool {
    unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
