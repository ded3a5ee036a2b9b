import ModelFiles
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A folder is one process's at a time, and nobody's once that has let go.
@Suite struct FolderLockTests {
  @Test func oneHolderAtATime() throws {
    try withTemporaryFolder { folder in
      var lock: FolderLock? = try FolderLock(folder)
      let error = #expect(throws: FileError.self) { try FolderLock(folder) }
      #expect(error?.kind == .cannotCreate && error?.description.contains("is writing here") == true)
      #if os(Linux)
        #expect(error?.description.contains("process \(getpid())") == true, "\(error?.description ?? "no error")")
      #endif
      #expect(Files.names(in: folder).isEmpty)
      _ = lock
      lock = nil
      _ = try FolderLock(folder)
    }
  }

  /// The lock goes along with a folder that is renamed, and another of its old name is free.
  @Test func goesAlong() throws {
    try withTemporaryFolder { folder in
      let (a, b) = ("\(folder)/a", "\(folder)/b")
      try Files.makeFolder(a)
      let lock = try FolderLock(a)
      try Files.move(a, to: b)
      try Files.makeFolder(a)
      _ = try FolderLock(a)
      #expect(throws: FileError.self) { try FolderLock(b) }
      _ = lock
    }
  }

  @Test(arguments: ["file", "nothing"])
  func whatIsNoFolder(_ name: String) throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably([1], to: "\(folder)/file")
      #expect(throws: FileError.self) { try FolderLock("\(folder)/\(name)") }
    }
  }
}
