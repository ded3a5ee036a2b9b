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
      close(descriptor)
      throw FileError(.cannotCreate, path, "another run is writing here; wait for it, or name another --output")
    }
  }

  deinit { close(descriptor) }
}
