#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file that grows piece by piece. A piece is there whole or not at all: what a full disk has left of one is taken away.
public final class AppendFile: @unchecked Sendable {  // one writer
  public let path: String
  /// Bytes so far.
  public private(set) var length: Int
  /// Whether there may still be more than was to be kept.
  private var isUncut = false
  private let descriptor: Int32

  /// Opens a file.
  ///
  /// - Parameter length: Bytes of an older content that are kept; 0 begins anew. What follows them stays up to the first
  ///   piece that is appended.
  /// - Throws: ``FileError`` where it cannot be opened, or is shorter.
  public init(creating path: String, keeping length: Int = 0) throws {
    guard length == 0 || Files.kind(path) == .file else {
      throw FileError(.invalid, path, "is not the file to which \(length) bytes were written")
    }
    self.path = path
    self.length = length
    descriptor = retrying { open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666) }
    guard descriptor >= 0 else { throw FileError(.cannotCreate, path, "cannot be created: \(systemMessage())") }
    guard Files.size(path) >= length else {
      throw FileError(.invalid, path, "has \(Files.size(path)) bytes, and \(length) were written; was it changed?")
    }
    if length == 0 { try cut() } else { isUncut = true }
  }

  deinit { close(descriptor) }

  /// Appends a line; the line feed is added.
  public func append(line: String) throws { try append(Array((line + "\n").utf8)) }

  /// Appends bytes.
  public func append(_ bytes: [UInt8]) throws {
    if isUncut { try cut() }
    do { try Files.writeAll(bytes[...], descriptor, path) } catch {
      try? cut()
      throw error
    }
    length += bytes.count
  }

  /// Waits until what was appended is on the disk.
  public func flush() throws {
    guard retrying({ fsync(descriptor) }) == 0 else { throw FileError(.inputOutput, path, systemMessage()) }
  }

  private func cut() throws {
    guard retrying({ ftruncate(descriptor, off_t(length)) }) == 0 else {
      throw FileError(.inputOutput, path, "cannot be cut to \(length) bytes: \(systemMessage())")
    }
    isUncut = false
  }
}
