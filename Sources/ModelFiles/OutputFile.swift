import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file in the making, written from its beginning to its end. What must stand at the beginning and is known only at the
/// end is put there last.
public final class OutputFile {
  /// What the file is to be, or where it is kept.
  public let path: String
  /// Bytes so far.
  public private(set) var count = 0
  private let descriptor: Int32
  /// The name until ``commit()``; none of a file without a name.
  private var unfinished: String?

  private static let numbers = Atomic<Int>(0)

  /// A file that takes the place of another once it is whole: a crash at any moment leaves the old content or the new.
  public init(replacing path: String) throws {
    self.path = path
    let temporary = Paths.join(Paths.parent(path), ".\(Paths.name(path)).\(getpid()).tmp")
    descriptor = retrying { open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666) }
    guard descriptor >= 0 else { throw FileError(.cannotCreate, path, "cannot be created: \(systemMessage())") }
    unfinished = temporary
  }

  /// A file without a name, in the file system of a folder; it is gone when it is no longer used, also after a crash.
  public init(temporaryIn folder: String) throws {
    path = folder
    let number = Self.numbers.add(1, ordering: .relaxed).newValue
    let temporary = Paths.join(folder, ".unroll.\(getpid()).\(number).tmp")
    descriptor = retrying { open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600) }
    guard descriptor >= 0 else {
      throw FileError(.cannotCreate, folder, "a temporary file cannot be created in it: \(systemMessage())")
    }
    unlink(temporary)
  }

  deinit {
    close(descriptor)
    if let unfinished { unlink(unfinished) }
  }

  /// Adds bytes at the end.
  public func append(_ bytes: ArraySlice<UInt8>) throws {
    try Files.writeAll(bytes, descriptor, path)
    count += bytes.count
  }

  /// Replaces bytes that are there already.
  public func overwrite(_ bytes: [UInt8], at offset: Int) throws {
    precondition(offset >= 0 && offset + bytes.count <= count, "only what was written can be overwritten")
    var written = 0
    while written < bytes.count {
      let done = bytes.withUnsafeBytes { buffer in
        retrying {
          pwrite(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written, off_t(offset + written))
        }
      }
      guard done > 0 else { throw FileError(.inputOutput, path, "cannot be written: \(systemMessage())") }
      written += done
    }
  }

  /// Flushes the file, gives it its name, and flushes its folder. A failed flush is reported, never tried again.
  public func commit() throws {
    guard let temporary = unfinished else { preconditionFailure("a file without a name cannot get one") }
    guard fsync(descriptor) == 0 else { throw FileError(.inputOutput, path, "cannot be flushed: \(systemMessage())") }
    guard rename(temporary, path) == 0 else {
      throw FileError(.cannotCreate, path, "cannot be replaced: \(systemMessage())")
    }
    unfinished = nil
    try Files.flushFolder(Paths.parent(path))
  }

  /// The bytes of a file without a name, to be read wherever.
  public func mapped() throws -> MappedFile { try MappedFile(descriptor, name: "a temporary file in \(path)") }
}
