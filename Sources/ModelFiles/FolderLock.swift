#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Holds a folder for this process alone, until it is released or the process ends, however it ends. The lock is on the
/// folder itself: it leaves no file behind, and goes along when the folder is renamed.
public final class FolderLock: Sendable {
  private let descriptor: Int32

  /// - Throws: ``FileError`` where another process holds the folder.
  public init(_ path: String) throws {
    descriptor = retrying { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw FileError(.cannotCreate, path, "cannot be opened: \(systemMessage())") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let holder = Self.holder(of: descriptor).map { "another run, process \($0)," } ?? "another run"
      close(descriptor)
      throw FileError(.cannotCreate, path, "\(holder) is writing here; wait for it, or name another --output")
    }
  }

  /// The process that holds a folder, where the system tells: Linux does, in /proc/locks.
  private static func holder(of descriptor: Int32) -> Int? {
    var information = stat()
    guard fstat(descriptor, &information) == 0, let bytes = try? Files.read("/proc/locks", limit: 1 << 24) else {
      return nil
    }
    // 1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 5, fields[1] == "FLOCK",
        fields[5].split(separator: ":").last.flatMap({ UInt64($0) })
          == UInt64(information.st_ino), let process = Int(fields[4]), process > 0
      else { continue }
      return process
    }
    return nil
  }

  deinit { close(descriptor) }
}
