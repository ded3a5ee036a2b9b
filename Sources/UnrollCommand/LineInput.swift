#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Lines of standard input as they come.
struct LineInput {
  enum Next: Equatable {
    /// Without its line feed; bytes that are not UTF-8 became U+FFFD.
    case line(String)
    /// A signal came while nothing was there.
    case interrupted
    case end
  }

  static let isTerminal = isatty(STDIN_FILENO) == 1
  private var bytes: [UInt8] = []
  private var isAtEnd = false

  /// The next line; the last one may lack its line feed.
  mutating func next() -> Next {
    while true {
      if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
        let line = bytes[..<end]
        bytes = Array(bytes[(end + 1)...])
        return .line(String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self))
      }
      guard !isAtEnd else {
        defer { bytes = [] }
        return bytes.isEmpty ? .end : .line(String(decoding: bytes, as: UTF8.self))
      }
      var failure: Int32 = 0
      let chunk = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
        let got = read(STDIN_FILENO, buffer.baseAddress, buffer.count)
        if got < 0 { failure = errno }
        count = max(0, got)
      }
      if failure == EINTR {
        bytes = []  // what was typed and not sent is taken back, as a terminal does
        return .interrupted
      }
      isAtEnd = chunk.isEmpty
      bytes += chunk
    }
  }
}
