import Compute
import Corpora
import Foundation
import ModelFiles
import TestSupport
import Testing

@Suite struct CorpusTextTests {
  /// The paths of files with these bytes, in a temporary folder.
  private func withFiles(_ files: [[UInt8]], _ body: ([String]) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let paths = files.indices.map { Paths.join(folder, "\($0).txt") }
      for (path, bytes) in zip(paths, files) { try Files.writeDurably(bytes, to: path) }
      try body(paths)
    }
  }

  @Test func readsFilesAsOneStream() throws {
    // A mark that begins the second file joins no file's end: the bytes are kept as they are.
    try withFiles([Array("one\r\ne".utf8), Array("\u{301}two\0".utf8), Array("three".utf8)]) { paths in
      let corpus = try CorpusText(reading: paths)
      #expect(corpus.text.scalarValues == "one\r\ne\u{301}two\0three".scalarValues)
      #expect(corpus.bytes == 6 + 6 + 5)
      #expect(corpus.hash == sha256(Array("one\r\ne\u{301}two\0three".utf8)))
    }
  }

  @Test func readsAFileTwice() throws {
    try withFiles([[0x61]]) { paths in
      let text = try CorpusText(reading: paths + paths).text
      #expect(text == "aa")
    }
  }

  @Test func namesAnEmptyFile() throws {
    try withFiles([[0x61], []]) { paths in
      let expected = FileError(.invalid, paths[1], "is empty; there is nothing to read")
      #expect(throws: expected) { try CorpusText(reading: paths) }
    }
  }

  /// A sequence cut between two files is not UTF-8, whatever the next file begins with.
  @Test(
    arguments: [
      ([[0x61], [0x61, 0x62, 0xFF, 0x61]], 1, 2), ([[0xC3], [0xA9]], 0, 0), ([[0x61, 0xE2, 0x82], [0xAC]], 0, 1),
      ([[0xEF, 0xBB, 0xBF, 0xC0, 0x80]], 0, 3),
    ] as [([[UInt8]], Int, Int)])
  func namesTheInvalidByteOfAFile(_ files: [[UInt8]], _ file: Int, _ offset: Int) throws {
    try withFiles(files) { paths in
      let expected = FileError(
        .invalid, paths[file],
        "invalid UTF-8 at byte \(offset); convert the text to UTF-8 first, or use --invalid-utf8 replace")
      #expect(throws: expected) { try CorpusText(reading: paths) }
    }
  }

  /// A sequence cut between two files is replaced in both; hash and bytes are those of the text that was read.
  @Test(
    arguments: [
      ([[0x61, 0xFF, 0x62]], "a\u{FFFD}b", 1), ([[0xC3], [0xA9]], "\u{FFFD}\u{FFFD}", 2),
      ([[0xE2, 0x82], [0x61]], "\u{FFFD}a", 1), ([[0x61], [0xC3, 0xA9]], "a\u{E9}", 0),
    ] as [([[UInt8]], String, Int)])
  func replacesInvalidBytes(_ files: [[UInt8]], _ text: String, _ count: Int) throws {
    try withFiles(files) { paths in
      let corpus = try CorpusText(reading: paths, invalid: .replace)
      #expect(corpus.text.scalarValues == text.scalarValues && corpus.replacements == count)
      #expect(corpus.bytes == text.utf8.count && corpus.hash == sha256(Array(text.utf8)))
    }
  }

  @Test func namesAMissingFile() throws {
    try withTemporaryFolder { folder in
      let path = Paths.join(folder, "nothing.txt")
      let error = #expect(throws: FileError.self) { try CorpusText(reading: [path]) }
      #expect(error?.kind == .missing)
      #expect(error?.path == path)
    }
  }
}

@Suite struct SplitTests {
  /// Tiny Shakespeare has 1,115,394 characters, of which nanoGPT trains on the first 1,003,854.
  @Test(arguments: [
    (1_115_394, 0.1, 1_003_854), (10, 0.1, 9), (10, 0.5, 5), (9, 0.5, 4), (3, 0.1, 2), (1, 0.1, 0), (0, 0.1, 0),
    (10, 0, 10),
    (10, 1, 0), (1000, 0.001, 999), (7, 0.25, 5),
  ])
  func cutsTheLastPart(_ count: Int, _ fraction: Double, _ first: Int) {
    let parts = CorpusText.split(String(repeating: "x", count: count), lastFraction: fraction)
    #expect(parts.first.utf8.count == first)
    #expect(parts.last.utf8.count == count - first)
  }

  /// Scalars are counted, not Swift's characters: a cut may fall within one.
  @Test(arguments: [
    ("e\u{301}e\u{301}", 0.25, "e\u{301}e", "\u{301}"), ("\r\n\r\n", 0.25, "\r\n\r", "\n"),
    ("👩‍💻", 0.3, "👩\u{200D}", "💻"), ("a\u{301}\u{302}\u{303}", 0.5, "a\u{301}", "\u{302}\u{303}"),
  ])
  func countsScalars(_ text: String, _ fraction: Double, _ first: String, _ last: String) {
    let parts = CorpusText.split(text, lastFraction: fraction)
    #expect(parts.first.scalarValues == first.scalarValues)
    #expect(parts.last.scalarValues == last.scalarValues)
  }

  @Test(arguments: 0..<100)
  func losesNothing(_ seed: Int) {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    let text = randomText(Int.random(in: 0..<500, using: &random), using: &random)
    let fraction = random.uniform()
    let (first, last) = CorpusText.split(text, lastFraction: fraction)
    #expect(first.scalarValues + last.scalarValues == text.scalarValues)
    let count = Double(text.unicodeScalars.count)
    #expect(abs(Double(last.unicodeScalars.count) - count * fraction) <= 1)
  }
}

extension CorpusText {
  /// A text cut by its scalars.
  static func split(_ text: String, lastFraction fraction: Double) -> (first: String, last: String) {
    let scalars = text.unicodeScalars
    let cut = scalars.index(scalars.startIndex, offsetBy: cut(scalars.count, lastFraction: fraction))
    return (String(scalars[..<cut]), String(scalars[cut...]))
  }
}
