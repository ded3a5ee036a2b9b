import Foundation
import ModelFiles
import TestSupport
import Testing

@Suite struct FileWritingTests {
  private func text(_ path: String) throws -> String { String(decoding: try Files.read(path), as: UTF8.self) }

  @Test func writesAndReplacesWithoutATrace() throws {
    try withTemporaryFolder { folder in
      let path = Paths.join(folder, "file")
      for content in ["first", "", "second and longer"] {
        try Files.writeDurably(Array(content.utf8), to: path)
        #expect(try text(path) == content)
        #expect(Files.names(in: folder) == ["file"])
      }
    }
  }

  @Test func writesPieces() throws {
    try withTemporaryFolder { folder in
      let path = Paths.join(folder, "file")
      try Files.writeDurably(to: path) { write in
        for piece in ["a", "", "bc"] { try write(Array(piece.utf8)[...]) }
      }
      #expect(try text(path) == "abc")
    }
  }

  @Test func keepsTheOldContentWhereTheNewFails() throws {
    struct Failure: Error {}
    try withTemporaryFolder { folder in
      let path = Paths.join(folder, "file")
      try Files.writeDurably([1], to: path)
      #expect(throws: Failure.self) {
        try Files.writeDurably(to: path) { write in
          try write([2])
          throw Failure()
        }
      }
      #expect(try Files.read(path) == [1])
      #expect(Files.names(in: folder) == ["file"])
    }
  }

  @Test func refusesAFileAsParent() throws {
    try withTemporaryFolder { folder in
      let file = Paths.join(folder, "file")
      try Files.writeDurably([1], to: file)
      let error = #expect(throws: FileError.self) { try Files.writeDurably([2], to: file + "/inner") }
      #expect(error?.kind == .cannotCreate)
      #expect(throws: FileError.self) { try Files.makeFolder(file + "/inner/most") }
      let exists = FileError(.cannotCreate, file, "exists and is not a folder; name another output")
      #expect(throws: exists) { try Files.makeFolder(file) }
      #expect(Files.names(in: folder) == ["file"])
    }
  }

  @Test func refusesAFolderAsTarget() throws {
    try withTemporaryFolder { folder in
      let inner = Paths.join(folder, "inner")
      try Files.makeFolder(inner)
      let error = #expect(throws: FileError.self) { try Files.writeDurably([1], to: inner) }
      #expect(error?.kind == .cannotCreate)
      #expect(Files.names(in: folder) == ["inner"])
      #expect(Files.kind(inner) == .folder)
    }
  }

  @Test func makesAndRemovesFolders() throws {
    try withTemporaryFolder { folder in
      let deep = Paths.join(folder, "a/b/c/")
      try Files.makeFolder(deep)
      try Files.makeFolder(deep)
      try Files.writeDurably([1], to: Paths.join(deep, "file"))
      #expect(symlink(folder, Paths.join(deep, "link")) == 0)
      try Files.remove(Paths.join(folder, "a"))
      #expect(Files.names(in: folder).isEmpty)
      #expect(Files.kind(folder) == .folder, "a link is removed, not what it leads to")
      try Files.remove(Paths.join(folder, "a"))
    }
  }

  @Test func moves() throws {
    try withTemporaryFolder { folder in
      let (a, b) = (Paths.join(folder, "a"), Paths.join(folder, "b"))
      try Files.writeDurably([1], to: a)
      try Files.writeDurably([2], to: b)
      try Files.move(a, to: b)
      #expect(try Files.read(b) == [1])
      #expect(throws: FileError.self) { try Files.move(a, to: b) }
    }
  }

  @Test(arguments: ["", "/"], [false, true])
  func exchangesFolders(_ ending: String, _ byRenaming: Bool) throws {
    try withTemporaryFolder { folder in
      let (a, b) = (Paths.join(folder, "a"), Paths.join(folder, "b"))
      for (path, name) in [(a, "one"), (b, "two")] {
        try Files.makeFolder(path)
        try Files.writeDurably(Array(name.utf8), to: Paths.join(path, name))
      }
      try (byRenaming ? Files.exchangeByRenaming : Files.exchange)(a + ending, b + ending)
      #expect(Files.names(in: a) == ["two"])
      #expect(Files.names(in: b) == ["one"])
      #expect(Files.names(in: folder) == ["a", "b"])
    }
  }

  /// Nothing is lost where there is nothing to exchange with.
  @Test(arguments: [false, true])
  func leavesAFolderThatHasNothingToExchangeWith(_ byRenaming: Bool) throws {
    let exchange = byRenaming ? Files.exchangeByRenaming : Files.exchange
    try withTemporaryFolder { folder in
      let (a, b) = (Paths.join(folder, "a"), Paths.join(folder, "b"))
      try Files.makeFolder(a)
      #expect(throws: FileError.self) { try exchange(a, b) }
      #expect(throws: FileError.self) { try exchange(b, a) }
      #expect(Files.names(in: folder) == ["a"])
    }
  }

  @Test func appendsLines() throws {
    try withTemporaryFolder { folder in
      let path = Paths.join(folder, "log")
      try Files.writeDurably(Array("old".utf8), to: path)
      let file = try AppendFile(creating: path)
      try file.append(line: "one")
      #expect(try text(path) == "one\n")
      try file.append(line: "")
      try file.append(line: "zwei ü")
      #expect(try text(path) == "one\n\nzwei ü\n")
      #expect(throws: FileError.self) { try AppendFile(creating: folder) }
    }
  }

  /// What follows the part that is kept stays until something takes its place.
  @Test func appendsToAPart() throws {
    try withTemporaryFolder { folder in
      let path = Paths.join(folder, "log")
      try Files.writeDurably(Array("one\ntwo\n".utf8), to: path)
      let file = try AppendFile(creating: path, keeping: 4)
      #expect(try text(path) == "one\ntwo\n")
      try file.append(line: "2")
      try file.append(line: "3")
      #expect(try text(path) == "one\n2\n3\n" && file.length == 8)
      for (name, length) in [("log", 9), ("nothing", 1)] {
        #expect(throws: FileError.self) { try AppendFile(creating: Paths.join(folder, name), keeping: length) }
      }
      #expect(throws: FileError.self) { try AppendFile(creating: folder, keeping: 1) }
      #expect(Files.names(in: folder) == ["log"])
    }
  }
}
