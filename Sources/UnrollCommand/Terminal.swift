import ModelFiles

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Standard output and standard error.
enum Terminal {
  static let errorIsTerminal = isatty(STDERR_FILENO) == 1
  static let outputIsTerminal = isatty(STDOUT_FILENO) == 1

  /// Whether colours are welcome on a terminal (no-color.org).
  static var wantsColours: Bool {
    func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    return (value("NO_COLOR") ?? "").isEmpty && value("TERM") != "dumb"
  }

  /// Columns of the terminal, 80 where it does not say.
  static var width: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 80 }
    return Int(size.ws_col)
  }

  /// Opens /dev/null for standard streams that are closed, so that no file of ours gets their numbers.
  static func fillStandardStreams() {
    while true {
      let descriptor = open("/dev/null", O_RDWR)
      guard (0...2).contains(descriptor) else {
        close(descriptor)
        return
      }
    }
  }

  /// Data: written at once, so that a reader sees each symbol as it comes. False where nobody reads any more.
  ///
  /// - Throws: `FileError` where the output cannot take it, as on a full disk.
  static func write(_ text: String) throws -> Bool {
    let failure = write(text, to: STDOUT_FILENO)
    guard failure == 0 || failure == EPIPE else {
      throw FileError(.inputOutput, "standard output", "cannot be written: \(String(cString: strerror(failure)))")
    }
    return failure == 0
  }

  /// A line for people, on standard error; where that is closed, nobody wants it.
  static func complain(_ line: String) { _ = write(line + "\n", to: STDERR_FILENO) }

  static func writeError(_ text: String) { _ = write(text, to: STDERR_FILENO) }

  /// - Returns: 0, or the system's error number.
  private static func write(_ text: String, to descriptor: Int32) -> Int32 {
    var text = text
    return text.withUTF8 { bytes in
      var written = 0
      while written < bytes.count {
        let count = systemWrite(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return errno }
        written += count
      }
      return 0
    }
  }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
