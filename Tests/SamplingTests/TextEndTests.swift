import Sampling
import Testing

@Suite struct StopStringTests {
  /// What is let through piece by piece (/ between), and whether a stop string ended it.
  @Test(
    arguments: [
      (["ab"], ["x", "a", "b", "c"], "x//", true), (["ab"], ["x", "a", "c"], "x//ac", false),
      (["ab"], ["xaby"], "x", true), (["ab", "b"], ["xaby"], "x", true), (["abc", "b"], ["xabc"], "xa", true),
      (["aab"], ["a", "a", "a", "b"], "//a/", true), (["aab"], ["a", "a", "c"], "//aac", false),
      (["ab", "bc"], ["a", "c", "b", "c"], "/ac//", true), (["\n\n"], ["Dear\n", "\nNell"], "Dear/", true),
      (["é"], ["e", "é", "x"], "e/", true), (["🦊"], ["a🦉", "🦊"], "a🦉/", true), ([], ["a", "b"], "a/b", false),
      (["abcab"], ["abca", "bcab"], "/", true), (["abcabd"], ["abca", "bcab", "d"], "/abc/", true),
    ] as [([String], [String], String, Bool)])
  func endTexts(_ stops: [String], _ pieces: [String], _ expected: String, _ stopped: Bool) {
    var filter = StopStrings(stops)
    var written: [String] = []
    var hasStopped = false
    for piece in pieces where !hasStopped {
      let result = filter.take(TextPiece(text: piece, bits: nil))
      written.append(result.pieces.map(\.text).joined())
      hasStopped = result.hasStopped
    }
    #expect(written.joined(separator: "/").unicodeScalars.elementsEqual(expected.unicodeScalars))
    #expect(hasStopped == stopped)
  }

  /// What is held back comes with the surprisal of the pieces that it came from, and at the end.
  @Test func keepPieces() {
    var filter = StopStrings(["abcd"])
    for (index, text) in ["xa", "b"].enumerated() { _ = filter.take(TextPiece(text: text, bits: Double(index))) }
    let (pieces, hasStopped) = filter.take(TextPiece(text: "ca", bits: 2))
    #expect(!hasStopped && pieces == [.init(text: "a", bits: 0), .init(text: "b", bits: 1), .init(text: "c", bits: 2)])
    #expect(filter.finish() == [.init(text: "a", bits: 2)] && filter.finish().isEmpty)
  }

  /// However a text is cut, what is written of it is the same.
  @Test(arguments: 1...7)
  func doNotDependOnPieces(_ length: Int) {
    let text = Array("abacabadabacabaeabacab")
    for stop in ["abae", "cabad", "b", "xyz", "aea", "abacabae", "aa"] {
      var filter = StopStrings([stop])
      var written = ""
      for start in stride(from: 0, to: text.count, by: length) {
        let piece = String(text[start..<min(start + length, text.count)])
        let result = filter.take(TextPiece(text: piece, bits: nil))
        written += result.pieces.map(\.text).joined()
        if result.hasStopped { break }
      }
      written += filter.finish().map(\.text).joined()
      let whole = String(text)
      let expected = whole.firstRange(of: stop).map { String(whole[..<$0.lowerBound]) }
      #expect(written == expected ?? whole)
    }
  }
}

@Suite struct SentenceEndTests {
  @Test(arguments: [
    ("The tide was out. The gulls", "The tide was out."), ("It cost 3.14 pounds? No.", "It cost 3.14 pounds?"),
    ("\"Go!\" he said", "\"Go!\""), ("What?! (Really.) Yes", "What?!"), ("(Really.) Yes", "(Really.)"),
    ("Wait … and see", "Wait …"), ("潮が引いた。鴎", "潮が引いた。"), ("「行け！」と", "「行け！」"),
    ("One line\nand another.\n", "One line\nand another."), ("no end", nil), ("an end.", nil), ("", nil),
    ("Ça va ? Oui", "Ça va ?"),
  ])
  func isFound(_ text: String, _ expected: String?) {
    var whole = SentenceEnd()
    #expect(whole.end(in: text) == expected)
    // The same scalar by scalar.
    var single = SentenceEnd()
    var (written, hasEnded) = ("", false)
    for scalar in text.unicodeScalars where !hasEnded {
      let end = single.end(in: String(scalar))
      written += end ?? String(scalar)
      hasEnded = end != nil
    }
    #expect(hasEnded == (expected != nil) && written == expected ?? text)
  }
}
