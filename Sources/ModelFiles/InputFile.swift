#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file that is read piece by piece, from its beginning to its end; `-` is standard input. Devices, sockets and folders
/// are refused; pipes are read to their end.
public final class InputFile {
  /// The path, or `standard input`.
  public let name: String
  /// Bytes of a file; none of a pipe or of standard input, which can be read once only.
  public let size: Int?
  private let descriptor: Int32

  /// - Parameter allowsPipes: Whether a pipe may stand for a file.
  /// - Throws: ``FileError``.
  public init(_ path: String, allowsPipes: Bool = true) throws {
    guard path != "-" else {
      (name, size, descriptor) = (Paths.title(path), nil, 0)
      return
    }
    name = path
    descriptor = retrying { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else {
      let code = errno
      if code == ENXIO { throw FileError(.missing, path, "is a socket or a device; name a file") }
      throw FileError(.missing, path, code == ENOENT ? "no such file; check the path" : systemMessage(code))
    }
    do { size = try Self.size(descriptor, path, allowsPipes: allowsPipes) } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { if descriptor > 0 { close(descriptor) } }

  /// The size of a file that may be read, none of a pipe.
  private static func size(_ descriptor: Int32, _ path: String, allowsPipes: Bool) throws -> Int? {
    var information = stat()
    guard fstat(descriptor, &information) == 0 else { throw FileError(.inputOutput, path, systemMessage()) }
    switch Files.kind(of: information) {
    case .folder: throw FileError(.missing, path, "is a folder; name a file")
    case .device, .socket, .nothing:
      throw FileError(.missing, path, "is not a file but a device or socket; name a file")
    case .pipe:
      guard allowsPipes else { throw FileError(.missing, path, "is a pipe; name a file") }
      try awaitWriter(descriptor, path)
      let flags = fcntl(descriptor, F_GETFL)
      _ = fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK)
      return nil
    case .file: return Int(information.st_size)
    }
  }

  /// Opened without blocking, a pipe that no writer has come to yet would seem to be at its end.
  private static func awaitWriter(_ descriptor: Int32, _ path: String) throws {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard retrying({ poll(&waiting, 1, -1) }) >= 0 else { throw FileError(.inputOutput, path, systemMessage()) }
  }

  /// The next bytes, perhaps fewer than asked for; none at the end.
  public func read(upTo count: Int) throws -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      let read = retrying { Int(SystemCalls.read(descriptor, buffer.baseAddress, buffer.count)) }
      if read < 0 { failure = errno }
      filled = max(0, read)
    }
    guard failure == 0 else { throw FileError(.inputOutput, name, "cannot be read: \(systemMessage(failure))") }
    return bytes
  }

  /// All bytes; more than `limit` are refused before they are read.
  func readAll(limit: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var capacity = max(1 << 16, size.map { $0 + 1 } ?? 0)
    guard (size ?? 0) <= limit else {
      throw FileError(.invalid, name, "has \(size ?? 0) bytes; more than \(limit) are not read here")
    }
    while true {
      let chunk = try read(upTo: capacity)
      if chunk.isEmpty { return bytes }
      bytes = bytes.isEmpty ? chunk : bytes + chunk
      guard bytes.count <= limit else {
        throw FileError(.invalid, name, "has more than \(limit) bytes, which are not read here")
      }
      capacity = max(1 << 16, bytes.count)
    }
  }
}
