import Foundation
import ModelFiles
import TestSupport
import Testing

@Suite struct FileReadingTests {
  @Test(arguments: [0, 1, 65535, 65536, 65537, 300_000])
  func readsAFileWhole(_ count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try withTemporaryFolder { folder in
      let path = Paths.join(folder, "file")
      try Data(bytes).write(to: URL(filePath: path))
      #expect(try Files.read(path) == bytes)
      #expect(try Files.read(path, limit: count) == bytes)
    }
  }

  @Test func refusesMoreThanTheLimit() throws {
    try withTemporaryFolder { folder in
      let path = Paths.join(folder, "file")
      try Data([1, 2, 3]).write(to: URL(filePath: path))
      #expect(throws: FileError(.invalid, path, "has 3 bytes; more than 2 are not read here")) {
        try Files.read(path, limit: 2)
      }
    }
  }

  @Test func refusesAFolder() throws {
    try withTemporaryFolder { folder in
      #expect(throws: FileError(.missing, folder, "is a folder; name a file")) { try Files.read(folder) }
    }
  }

  @Test func refusesWhatIsNotThere() throws {
    try withTemporaryFolder { folder in
      let path = Paths.join(folder, "nothing")
      #expect(throws: FileError(.missing, path, "no such file; check the path")) { try Files.read(path) }
    }
  }

  @Test(arguments: ["/dev/null", "/dev/zero"])
  func refusesADevice(_ path: String) {
    let error = #expect(throws: FileError.self) { try Files.read(path) }
    #expect(error?.kind == .missing)
    #expect(error?.message.contains("device") == true)
  }

  @Test func refusesASocket() throws {
    try withTemporaryFolder { folder in
      let path = Paths.join(folder, "s")
      let descriptor = try listen(path)
      defer { close(descriptor) }
      let error = #expect(throws: FileError.self) { try Files.read(path) }
      #expect(error?.kind == .missing)
      #expect(error?.message.contains("socket") == true)
      #expect(Files.kind(path) == .socket)
    }
  }

  /// A listening Unix socket at a path.
  private func listen(_ path: String) throws -> Int32 {
    #if canImport(Glibc)
      let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    #else
      let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
    #endif
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
    return descriptor
  }

  /// The writer comes after the reader, and writes in parts: the reader waits for it, and reads to its end.
  @Test(arguments: [0, 1, 1_000_000])
  func readsAPipeToItsEnd(_ count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try withTemporaryFolder { folder in
      let path = Paths.join(folder, "pipe")
      try #require(mkfifo(path, 0o600) == 0)
      let thread = Thread {
        Thread.sleep(forTimeInterval: 0.1)
        guard let pipe = FileHandle(forWritingAtPath: path) else { return }
        try? pipe.write(contentsOf: Data(bytes[..<(count / 2)]))
        Thread.sleep(forTimeInterval: 0.05)
        try? pipe.write(contentsOf: Data(bytes[(count / 2)...]))
        try? pipe.close()
      }
      thread.start()
      #expect(try Files.read(path) == bytes)
      #expect(Files.kind(path) == .pipe)
    }
  }

  @Test func limitsAPipe() throws {
    try withTemporaryFolder { folder in
      let path = Paths.join(folder, "pipe")
      try #require(mkfifo(path, 0o600) == 0)
      let thread = Thread {
        guard let pipe = FileHandle(forWritingAtPath: path) else { return }
        try? pipe.write(contentsOf: Data(repeating: 1, count: 100))
        try? pipe.close()
      }
      thread.start()
      #expect(throws: FileError(.invalid, path, "has more than 99 bytes, which are not read here")) {
        try Files.read(path, limit: 99)
      }
    }
  }

  @Test func tellsKindsApart() throws {
    try withTemporaryFolder { folder in
      try Data().write(to: URL(filePath: Paths.join(folder, "file")))
      #expect(Files.kind(folder) == .folder)
      #expect(Files.kind(Paths.join(folder, "file")) == .file)
      #expect(Files.kind(Paths.join(folder, "nothing")) == .nothing)
      #expect(Files.kind("/dev/null") == .device)
    }
  }
}
