import Foundation
import ModelFiles
import TestSupport
import Testing

/// Files that are read and written piece by piece, and mapped.
@Suite struct PieceTests {
  @Test(arguments: [1, 7, 100, 1000])
  func readsPieces(_ count: Int) throws {
    try withTemporaryFolder { folder in
      let (path, bytes) = ("\(folder)/file", (0..<500).map { UInt8(truncatingIfNeeded: $0 * 7) })
      try Files.writeDurably(bytes, to: path)
      let file = try InputFile(path)
      #expect(file.size == 500)
      var all: [UInt8] = []
      while case let piece = try file.read(upTo: count), !piece.isEmpty {
        #expect(piece.count <= count)
        all += piece
      }
      #expect(all == bytes)
      #expect(try file.read(upTo: count).isEmpty)
    }
  }

  @Test func namesWhatIsNoFile() throws {
    #expect(throws: FileError(.missing, "/dev/null", "is not a file but a device or socket; name a file")) {
      try InputFile("/dev/null")
    }
    #expect(throws: FileError.self) { try MappedFile("/nowhere") }
  }

  /// The file has its name only when it is whole; a file that is given up leaves nothing.
  @Test func appearsWhole() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/file"
      try Files.writeDurably([9], to: path)
      do {
        let abandoned = try OutputFile(replacing: path)
        try abandoned.append([1, 2, 3])
      }
      #expect(Files.names(in: folder) == ["file"])
      let file = try OutputFile(replacing: path)
      try file.append([0, 0, 0])
      try file.append([4, 5][...])
      try file.overwrite([1, 2], at: 1)
      #expect(try Files.read(path) == [9])
      try file.commit()
      #expect(try Files.read(path) == [0, 1, 2, 4, 5])
      #expect(Files.names(in: folder) == ["file"])
    }
  }

  @Test func aFileWithoutANameIsMapped() throws {
    try withTemporaryFolder { folder in
      let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      let file = try OutputFile(temporaryIn: folder)
      for piece in bytes.pieces(of: 999) { try file.append(piece) }
      #expect(Files.names(in: folder).isEmpty)
      let map = try file.mapped()
      #expect(map.count == bytes.count && map.copy(0..<map.count) == bytes)
      #expect(map.copy(12_345..<12_350) == Array(bytes[12_345..<12_350]))
      #expect(map.number(at: 4097, as: UInt32.self) == bytes[4097..<4101].reversed().reduce(0) { $0 << 8 | UInt32($1) })
      #expect(throws: FileError.self) { try OutputFile(temporaryIn: "\(folder)/nowhere") }
    }
  }

  @Test(arguments: [1, 63, 64, 65, 1000])
  func hashesPieces(_ count: Int) {
    let bytes = (0..<777).map { UInt8(truncatingIfNeeded: $0 * $0) }
    let hash = RunningSHA256()
    for piece in bytes.pieces(of: count) { hash.add(piece) }
    #expect(hash.finish() == sha256(bytes))
  }
}
