import Compute
import TestSupport
import Testing
import UnicodeText

@Suite struct UTF8CheckerTests {
  /// Pieces come out as whole scalars, and together they are the text.
  @Test(arguments: 1..<20)
  func cutsBetweenScalars(_ size: Int) throws {
    var random = CounterRandom(seed: UInt64(size), purpose: .corpus)
    let bytes = Array(randomText(400, using: &random).utf8)
    var checker = UTF8Checker()
    var all: [UInt8] = []
    for piece in bytes.pieces(of: size) {
      let whole = try checker.append(Array(piece))
      #expect(String(validating: whole, as: UTF8.self) != nil)
      all += whole
    }
    #expect(try checker.finish().isEmpty)
    #expect(all == bytes && checker.replacements == 0)
  }

  /// Replaced piece by piece as in the whole.
  @Test(arguments: 0..<40, [1, 2, 3, 5, 64])
  func replacesAsInTheWhole(_ seed: Int, _ size: Int) throws {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus, step: size)
    let words: [[UInt8]] = [
      [0x61], [0xFF], [0xC3], [0xC3, 0xA9], [0xE2, 0x82], [0xE2, 0x82, 0xAC], [0xF0, 0x9F, 0x98],
      [0xF0, 0x9F, 0x98, 0x80],
      [0xED, 0xA0, 0x80], [0x80], [0xF4, 0x90], [0x0D, 0x0A], [0xC0, 0x80],
    ]
    let bytes = (0..<50).flatMap { _ in words[Int(random.uniform() * Double(words.count))] }
    var checker = UTF8Checker(.replace)
    var all: [UInt8] = []
    for piece in bytes.pieces(of: size) { all += try checker.append(Array(piece)) }
    all += try checker.finish()
    let whole = decodeUTF8Replacing(bytes)
    #expect(all == Array(whole.text.utf8) && checker.replacements == whole.replacements)
  }

  /// The offset is that of the whole text, wherever it is cut.
  @Test(
    arguments: [
      [0x61, 0xFF], [0x61, 0xC3], [0xC3, 0xA9, 0xE2, 0x82], [0xE2, 0x82, 0x61], [0xF0, 0x9F, 0x98, 0x61],
      [0xED, 0xA0, 0x80], [0x61, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC0, 0x80],
    ] as [[UInt8]], 1..<5)
  func namesTheOffset(_ bytes: [UInt8], _ size: Int) {
    let expected = #expect(throws: InvalidUTF8.self) { try decodeUTF8(bytes) }
    let error = #expect(throws: InvalidUTF8.self) {
      var checker = UTF8Checker()
      for piece in bytes.pieces(of: size) { _ = try checker.append(Array(piece)) }
      _ = try checker.finish()
    }
    #expect(error == expected)
  }

  @Test(arguments: 0..<30)
  func countsText(_ seed: Int) throws {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    let spaces = [" ", "\n", "\t ", "\u{A0}", "\u{2003}\u{3000}", "\u{85}", "\u{1680}"]
    let text = (0..<20).map { _ in
      randomText(Int.random(in: 0..<5, using: &random), using: &random) + (spaces.randomElement(using: &random) ?? "")
    }.joined()
    var figures = TextFigures()
    var checker = UTF8Checker()
    for piece in Array(text.utf8).pieces(of: seed + 1) { figures.add(try checker.append(Array(piece))) }
    #expect(figures.bytes == text.utf8.count)
    #expect(figures.characters == text.unicodeScalars.count)
    #expect(figures.words == text.unicodeScalars.split { $0.properties.isWhitespace }.count)
  }

  @Test func findsPlacesByScalars() {
    let bytes = Array("aé日🦊z".utf8)
    let places = (0...6).map { bytes[...].place(afterScalars: $0) }
    #expect(places == [0, 1, 3, 6, 10, 11, 11])
    #expect(bytes[3...].place(afterScalars: 1) == 6 && bytes[3...].scalarCount == 3)
  }
}
