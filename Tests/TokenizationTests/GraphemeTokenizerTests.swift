import Compute
import ModelFiles
import TestSupport
import Testing
import Tokenization
import UnicodeText

@Suite struct GraphemeTokenizerTests {
  private static func trained(_ text: String, minimumFrequency: Int = 1) -> GraphemeTokenizer {
    GraphemeTokenizerTrainer(normalization: .none, minimumFrequency: minimumFrequency).train(text)
  }

  @Test func takesClustersForSymbols() throws {
    let text = "a\r\ne\u{301}é🇩🇪👩‍💻"
    let tokenizer = Self.trained(text)
    #expect(tokenizer.vocabularySize == 6 && tokenizer.unknownID == nil && tokenizer.unitName == "cluster")
    let encoded = try tokenizer.encode(text, unknown: .fail, keepsOffsets: true)
    #expect(encoded.ids == [1, 0, 2, 3, 4, 5])
    #expect(encoded.offsets == [0..<1, 1..<3, 3..<6, 6..<8, 8..<16, 16..<27])
    #expect(tokenizer.id(of: "e\u{301}") == 2 && tokenizer.id(of: "e") == nil)
  }

  @Test(arguments: 0..<30)
  func roundTrips(_ seed: Int) throws {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    let text = randomText(200, using: &random)
    let tokenizer = Self.trained(text)
    #expect(try tokenizer.decode(tokenizer.encode(text, unknown: .fail).ids).utf8.elementsEqual(text.utf8))
    let again = try read(tokenizer.tokenizerJSON())
    #expect(again as? GraphemeTokenizer == tokenizer)
  }

  @Test func rareClustersBecomeUnknown() throws {
    let tokenizer = Self.trained("aae\u{301}e\u{301}ex", minimumFrequency: 2)
    #expect(tokenizer.vocabularySize == 3 && tokenizer.unknownID == 0)
    #expect(try tokenizer.encode("ex\u{301}a", unknown: .replace).ids == [0, 0, 1])
    #expect(try read(tokenizer.tokenizerJSON()) as? GraphemeTokenizer == tokenizer)
  }

  @Test func namesClustersThatItLacks() {
    let error = #expect(throws: UnknownSymbolsError.self) {
      try Self.trained("ab").encode("ae\u{301}be\u{301}e", unknown: .fail)
    }
    #expect(error?.unknown.map(\.name) == ["'e\u{301}' (U+0065 U+0301)", "'e' (U+0065)"])
    #expect(error?.unknown.map(\.count) == [2, 1] && error?.unknown.map(\.firstPosition) == [1, 4])
  }

  /// Clusters that begin alike are different symbols, in one text and over several.
  @Test func clustersOfSeveralTextsStayApart() throws {
    let tokenizer = Self.trained("ab")
    var unknown = try tokenizer.encode("ae\u{301}", unknown: .skip).unknown
    unknown.add(try tokenizer.encode("eae\u{300}e\u{301}e", unknown: .skip).unknown)
    #expect(unknown.map(\.count) == [2, 2, 1])
    #expect(unknown.map(\.symbol) == ["e", "e", "e"] && unknown.map(\.others) == [["\u{301}"], [], ["\u{300}"]])
  }

  private static func document(_ vocabulary: String, pattern: String = #"\\X"#) -> String {
    #"{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"\#(pattern)"},"behavior":"Isolated","invert":false},"#
      + #""model":{"type":"WordLevel","vocab":{\#(vocabulary)},"unk_token":"<unk>"}}"#
  }

  @Test(arguments: [
    (document(#""a":0"#, pattern: #"\\w+"#), "whole words"), (document(""), "has no vocabulary"),
    (document(#""a":0,"b":0"#), "an id that is taken"), (document(#""a":7"#), "an id that is taken"),
    (document(#""ab":0"#), "which is not one grapheme cluster"),
    (document("\"\":0"), "which is not one grapheme cluster"),
  ])
  func refuses(_ text: String, _ message: String) {
    let error = #expect(throws: TokenizerJSONError.self) { try read(text) }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "nothing")")
  }
}
