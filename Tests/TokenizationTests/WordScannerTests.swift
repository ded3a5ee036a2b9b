import Testing
import Tokenization

@Suite struct WordScannerTests {
  private func words(_ text: String, _ cuts: PreTokenization) -> [String] {
    let (bytes, scanner) = (Array(text.utf8), WordScanner(cuts))
    var (words, start): ([String], Int) = ([], 0)
    while start < bytes.count {
      let end = scanner.end(bytes, from: start)
      words.append(String(decoding: bytes[start..<end], as: UTF8.self))
      start = end
    }
    return words
  }

  /// As the regular expression of GPT-2 cuts them.
  @Test(arguments: [
    ("Hello world", ["Hello", " world"]), ("a  b", ["a", " ", " b"]), ("a\n\nb", ["a", "\n", "\n", "b"]),
    ("a \n b", ["a", " \n", " b"]), ("a   ", ["a", "   "]), ("  a", [" ", " a"]), (" ", [" "]), ("\r\n", ["\r\n"]),
    ("I'll don't 're", ["I", "'ll", " don", "'t", " '", "re"]),
    ("'re've'm'd's'l", ["'re", "'ve", "'m", "'d", "'s", "'", "l"]),
    ("'S x'", ["'", "S", " x", "'"]), ("\"'s", ["\"'", "s"]), ("abc123!?x", ["abc", "123", "!?", "x"]),
    ("½Ⅻ٣", ["½Ⅻ٣"]), ("e\u{301}x", ["e", "\u{301}", "x"]), ("a\u{A0}b", ["a", "\u{A0}", "b"]),
    ("\u{3000}\u{3000}日本", ["\u{3000}", "\u{3000}", "日本"]), (" \u{2028}x", [" ", "\u{2028}", "x"]),
    ("a\u{200B}b", ["a", "\u{200B}", "b"]), (" '", [" '"]), ("'", ["'"]), ("'r", ["'", "r"]),
    ("x '\n", ["x", " '", "\n"]),
  ])
  func cutsAsGPT2(_ text: String, _ expected: [String]) {
    #expect(words(text, .gpt2).map { Array($0.utf8) } == expected.map { Array($0.utf8) })
  }

  @Test(arguments: [
    ("a  b\n", ["a", " ", " b", "\n"]), ("\r\n", ["\r", "\n"]), ("日\u{3000}本", ["日", "\u{3000}本"]), ("ab", ["ab"]),
  ])
  func cutsBeforeWhiteSpace(_ text: String, _ expected: [String]) {
    #expect(words(text, .whitespace).map { Array($0.utf8) } == expected.map { Array($0.utf8) })
  }

  @Test func cutsBeforeMarks() {
    let marked = "\u{2581}a\u{2581}\u{2581}b"
    #expect(words(marked, .metaspace(prepend: .never, splits: true)) == ["\u{2581}a", "\u{2581}", "\u{2581}b"])
    #expect(words(marked, .metaspace(prepend: .never, splits: false)) == [marked])
    #expect(words(marked, .none) == [marked])
  }

  @Test(arguments: hardTexts)
  func losesNothing(_ text: String) {
    for (_, cuts) in PreTokenization.named { #expect(words(text, cuts).joined().utf8.elementsEqual(text.utf8)) }
  }
}
