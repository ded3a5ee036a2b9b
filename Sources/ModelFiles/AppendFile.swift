#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file that grows piece by piece; each line or record is handed to the system whole.
public final class AppendFile: @unchecked Sendable {  // one writer; the descriptor is all its state
  public let path: String
  private let descriptor: Int32

  /// Opens an empty file.
  public init(creating path: String) throws {
    self.path = path
    descriptor = retrying { open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o666) }
    guard descriptor >= 0 else { throw FileError(.cannotCreate, path, "cannot be created: \(systemMessage())") }
  }

  deinit { close(descriptor) }

  /// Appends a line; the line feed is added.
  public func append(line: String) throws { try append(Array((line + "\n").utf8)) }

  /// Appends bytes.
  public func append(_ bytes: [UInt8]) throws { try Files.writeAll(bytes[...], descriptor, path) }
}
