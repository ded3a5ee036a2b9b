import Compute
import Corpora
import Foundation
import ModelFiles
import TestSupport
import Testing
import Tokenization
import UnicodeText

/// Files, folders and gzip, read piece by piece.
@Suite struct CorpusTests {
  private func content(_ corpus: Corpus) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try corpus.forEachPiece(0..<Int.max) { bytes += $0 }
    return bytes
  }

  private func write(_ files: [String: [UInt8]], in folder: String) throws {
    for (name, bytes) in files {
      try Files.makeFolder(Paths.parent("\(folder)/\(name)"))
      try Files.writeDurably(bytes, to: "\(folder)/\(name)")
    }
  }

  // MARK: Folders

  @Test func readsAFolderInTheOrderOfItsPaths() throws {
    try withTemporaryFolder { folder in
      let files = [
        "b.txt": "2", "B.txt": "1", "z/a.txt": "5", "b/x": "4", "b-c": "3", "é": "6", ".git/h": "0", ".x": "0",
      ]
      try write(files.mapValues { Array($0.utf8) }.merging(["empty": []]) { $1 }, in: folder)
      try FileManager.default.createSymbolicLink(atPath: "\(folder)/loop", withDestinationPath: folder)
      let corpus = try Corpus([folder])
      // By bytes: B < b-c < b.txt < b/x < z/a.txt < é.
      #expect(String(decoding: try content(corpus), as: UTF8.self) == "132456")
      #expect(
        corpus.notes == [
          "\(folder) has 6 files, read in the order of their names; left out: 1 empty and 1 linked folders or other things"
        ])
      #expect(corpus.paths.count == 6 && corpus.paths.allSatisfy { $0.hasPrefix(folder) })
    }
  }

  @Test func namesAFolderWithoutFiles() throws {
    try withTemporaryFolder { folder in
      try write([".hidden": [0x61], "empty": []], in: folder)
      let expected = FileError(.missing, folder, "is a folder without text files; name files")
      #expect(throws: expected) { try Corpus([folder]) }
    }
  }

  @Test func notesWhatIsReadTwice() throws {
    try withTemporaryFolder { folder in
      try write(["a": [0x61], "b": [0x62]], in: folder)
      let corpus = try Corpus(["\(folder)/a", "\(folder)/b", "\(folder)/./a"])
      #expect(try content(corpus) == Array("aba".utf8))
      #expect(corpus.notes == ["\(folder)/./a is read more than once"])
      #expect(try Corpus([folder, "\(folder)/b"]).notes.last == "\(folder)/b is read more than once")
    }
  }

  @Test func tellsWhereEachFileBegins() throws {
    try withTemporaryFolder { folder in
      try write(["a": [0x61], "b": gzipMember([0x62, 0x63])], in: folder)
      var reader = try Corpus(["\(folder)/a", "\(folder)/b"]).reader()
      var told: [String] = []
      while let element = try reader.next() {
        switch element {
        case .file(let name): told.append(Paths.name(name) + ":")
        case .text(let bytes): told.append(String(decoding: bytes, as: UTF8.self))
        }
      }
      #expect(told == ["a:", "a", "b:", "bc"])
    }
  }

  // MARK: Parts

  /// Longer than a piece, so that scalars are cut between two: parts are those of the whole text.
  @Test(arguments: [(0.1, 3), (0.5, 5), (0, 7), (0.999, 1)])
  func splitsAsTheWholeText(_ fraction: Double, _ seed: UInt64) throws {
    try withTemporaryFolder { folder in
      var random = CounterRandom(seed: seed, purpose: .corpus)
      let texts = [
        randomText(150_000, using: &random), randomText(10, using: &random), randomText(90_000, using: &random),
      ]
      for (place, text) in texts.enumerated() { try write(["\(place)": Array(text.utf8)], in: folder) }
      let corpus = try Corpus([folder])
      let (figures, hash, _) = try corpus.measured()
      let all = texts.joined()
      #expect(figures.characters == all.unicodeScalars.count && figures.bytes == all.utf8.count)
      #expect(hash == sha256(Array(all.utf8)))
      let parts = CorpusText.split(all, lastFraction: fraction)
      let cut = parts.first.unicodeScalars.count
      var (first, last): ([UInt8], [UInt8]) = ([], [])
      try corpus.forEachPiece(0..<cut) { first += $0 }
      try corpus.forEachPiece(cut..<Int.max) { last += $0 }
      #expect(first == Array(parts.first.utf8) && last == Array(parts.last.utf8))
    }
  }

  // MARK: gzip

  @Test func readsGzipWithSeveralMembers() throws {
    try withTemporaryFolder { folder in
      let text = Array(String(repeating: "naïve 🦊\n", count: 60_000).utf8)
      // A scalar is cut between two members, and zeros follow the last.
      let members = gzipMember(Array(text[..<3])) + gzipMember([]) + gzipMember(Array(text[3...])) + [0, 0, 0]
      try write(["a.gz": members], in: folder)
      let corpus = try Corpus(["\(folder)/a.gz"])
      #expect(try content(corpus) == text)
      let measured = try corpus.measured()
      #expect(measured.hash == sha256(text) && measured.figures.characters == 8 * 60_000)
      #expect(try CorpusText(reading: ["\(folder)/a.gz"]).hash == sha256(text))
    }
  }

  /// Cut anywhere, a file is refused; nothing is passed over in silence.
  @Test func refusesGzipThatIsCutOff() throws {
    try withTemporaryFolder { folder in
      let whole = gzipMember(Array("one line\n".utf8))
      for count in 2..<whole.count {
        try write(["a.gz": Array(whole[..<count])], in: folder)
        let expected = FileError(
          .invalid, "\(folder)/a.gz", "gzip data is cut off after byte \(count); get the whole file")
        #expect(throws: expected) { try content(Corpus(["\(folder)/a.gz"])) }
      }
    }
  }

  @Test(arguments: [
    (20, "damaged near byte"), (-1, "damaged near byte"), (-6, "damaged near byte"), (2, "damaged near byte"),
  ])
  func refusesDamagedGzip(_ place: Int, _ message: String) throws {
    try withTemporaryFolder { folder in
      var bytes = gzipMember(Array("one line and some more\n".utf8))
      bytes[place < 0 ? bytes.count + place : place] ^= 0x55
      try write(["a.gz": bytes], in: folder)
      let error = #expect(throws: FileError.self) { try content(Corpus(["\(folder)/a.gz"])) }
      #expect(error?.kind == .invalid && error?.message.contains(message) ?? false, "\(error?.message ?? "")")
    }
  }

  @Test func refusesWhatFollowsGzip() throws {
    try withTemporaryFolder { folder in
      let member = gzipMember([0x61])
      try write(["a.gz": member + [0, 0x62]], in: folder)
      let expected = FileError(
        .invalid, "\(folder)/a.gz",
        "at byte \(member.count + 1) something follows the gzip data that is none")
      #expect(throws: expected) { try content(Corpus(["\(folder)/a.gz"])) }
    }
  }

  @Test func namesInvalidTextWithinGzip() throws {
    try withTemporaryFolder { folder in
      try write(["a.gz": gzipMember([0x61, 0x62]) + gzipMember([0xFF]), "e.gz": gzipMember([])], in: folder)
      let invalid = FileError(
        .invalid, "\(folder)/a.gz",
        "invalid UTF-8 at byte 2; convert the text to UTF-8 first, or use --invalid-utf8 replace")
      #expect(throws: invalid) { try content(Corpus(["\(folder)/a.gz"])) }
      let empty = FileError(.invalid, "\(folder)/e.gz", "is empty; there is nothing to read")
      #expect(throws: empty) { try content(Corpus(["\(folder)/e.gz"])) }
    }
  }

  // MARK: Token files

  @Test func writesATokenFile() throws {
    try withTemporaryFolder { folder in
      let text = String(repeating: "to be or not – ", count: 40_000)
      try write(["a": Array(text.utf8)], in: folder)
      let tokenizer = CharacterTokenizerTrainer(normalization: .nfc, minimumFrequency: 1).train(text)
      let (header, unknown) = try TokenFile.write(
        Corpus(["\(folder)/a"]), tokenizer, unknown: .fail, to: "\(folder)/a.tokens")
      let file = try TokenFile("\(folder)/a.tokens")
      #expect(file.header == header && unknown.isEmpty && header.words == 200_000)
      #expect(header.tokenizerHash == tokenizer.fingerprint && header.textHash == sha256(Array(text.utf8)))
      #expect(try Array(TokenStream(file)) == tokenizer.encode(text, unknown: .fail).ids)
      let error = #expect(throws: FileError.self) { try content(Corpus(["\(folder)/a.tokens", "\(folder)/a"])) }
      #expect(error?.message.contains("holds token ids, not text") ?? false)
    }
  }

  /// Lanes are read from a file as from memory.
  @Test func lanesOfAFile() throws {
    try withTemporaryFolder { folder in
      let ids = (0..<1000).map { Int32($0 * 31 % 300) }
      var collector = TokenCollector(vocabularySize: 300, folder: folder, limit: 0)
      try collector.append(ids)
      let (file, memory) = (
        try LaneReader(collector.finish().part(10..<900), lanes: 7, steps: 13),
        try LaneReader(Array(ids[10..<900]), lanes: 7, steps: 13)
      )
      #expect(file.laneLength == memory.laneLength)
      for start in stride(from: 0, to: file.laneLength, by: 13) {
        let steps = start..<min(start + 13, file.laneLength)
        #expect(file.window(steps, offset: 5) == memory.window(steps, offset: 5))
      }
    }
  }
}
