import ModelFiles
import TestSupport
import Testing
import Tokenization

/// How texts are cut into documents, and the symbols around them.
@Suite struct DocumentCutTests {
  @Test(arguments: [
    ("none", DocumentCut.stream), ("file", .file), ("line", .line), ("%", .separator("%")),
    (#"\n\n"#, .separator("\n\n")), (#"a\tb\\n\f\r"#, .separator("a\tb\\n\u{C}\r")), ("---", .separator("---")),
    ("lines", .separator("lines")), ("é", .separator("é")),
  ])
  func readsArguments(_ argument: String, _ cut: DocumentCut) throws {
    #expect(try DocumentCut(argument: argument) == cut)
  }

  @Test(arguments: [("", "is empty"), (#"\x"#, "backslash"), (#"a\"#, "backslash")])
  func refusesArguments(_ argument: String, _ expected: String) {
    let error = #expect(throws: DocumentCutError.self) { try DocumentCut(argument: argument) }
    #expect(error?.description.contains(expected) == true)
  }

  @Test(arguments: [
    (DocumentCut.file, "a\nb\n", ["a\nb\n"], 0), (.file, "\n", [], 1),
    (.line, "a\nbc\n", ["a", "bc"], 0), (.line, "a\nbc", ["a", "bc"], 0), (.line, "\n\na\n\nb\n\n", ["a", "b"], 4),
    (.line, "a\r\nb\r\n\r\nc", ["a", "b", "c"], 1), (.line, "a\rb\n", ["a\rb"], 0), (.line, " \n", [" "], 0),
    (.line, "", [], 0), (.line, "e\u{301}\n\u{301}\n", ["e\u{301}", "\u{301}"], 0),
    (.separator("\n\n"), "a\nb\n\nc\n", ["a\nb", "c\n"], 0), (.separator("\n\n"), "a\n\n\nb", ["a", "\nb"], 0),
    (.separator("||"), "||a|||b||||c||", ["a", "|b", "c"], 2), (.separator("x"), "abc", ["abc"], 0),
    (.separator("<e>"), "a<e>\nb<e>\n", ["a", "\nb"], 1), (.separator("abab"), "ababab", ["ab"], 1),
    (.separator("\u{301}"), "e\u{301}f", ["e", "f"], 0),
  ])
  func cuts(_ cut: DocumentCut, _ text: String, _ documents: [String], _ empty: Int) {
    let parts = cut.documents(of: text)
    #expect(parts.documents.map(\.scalarValues) == documents.map(\.scalarValues))
    #expect(parts.empty == empty)
  }

  @Test func countsSeparators() {
    #expect(DocumentCut.separator("--").documents(of: "a--b--").separators == 2)
    #expect(DocumentCut.separator("--").documents(of: "a-b-").separators == 0)
    var sum = DocumentCut.line.documents(of: "a\n\n")
    sum.append(DocumentCut.line.documents(of: "b\n"))
    #expect(sum.documents == ["a", "b"] && sum.empty == 1 && sum.separators == 3)
  }

  // MARK: Symbols

  static func tokenizers() throws -> [any Tokenizer] {
    let text = "<s>the cat sat</s><s>on the mat; naïve mats</s>"
    let names = ["<s>", "</s>"]
    var options = SubwordTrainingOptions(vocabularySize: 300)
    options.specialSymbols = names
    var characters = CharacterTokenizerTrainer(normalization: .nfc, minimumFrequency: 2)
    characters.specialSymbols = names
    var small = options
    small.vocabularySize = 24
    small.byteFallback = false
    return [
      characters.train(text), ByteTokenizer(normalization: .nfc, specialSymbols: names),
      try BytePairTrainer(options, isByteLevel: true).train(text),
      try BytePairTrainer(small, isByteLevel: false).train(text), try UnigramTrainer(options).train(text),
    ]
  }

  /// Every kind of vocabulary finds the symbols in a text, with their places, and no token reaches across one; what is
  /// written is read again as the same.
  @Test(arguments: 0..<5)
  func symbolsAreFound(_ index: Int) throws {
    let tokenizer = try Self.tokenizers()[index]
    let symbols = try #require(DocumentSymbols(of: tokenizer, cut: .line))
    #expect(symbols.start != symbols.end)
    let plain = try tokenizer.encode("the mat", unknown: .skip).ids
    let encoded = try tokenizer.encode("the mat</s><s>the mat", unknown: .skip, keepsOffsets: true)
    #expect(encoded.ids == plain + [symbols.end, symbols.start] + plain)
    #expect(encoded.offsets?[plain.count] == 7..<11 && encoded.offsets?[plain.count + 1] == 11..<14)
    #expect(encoded.offsets?.last?.upperBound == 21)
    #expect(tokenizer.decode(encoded.ids) == "the mat</s><s>the mat")
    #expect(tokenizer.unitName == ["character", "byte", "token", "token", "token"][index])

    let again = try TokenizerReader.read(Array(tokenizer.tokenizerJSON().utf8))
    #expect(again.tokenizerJSON() == tokenizer.tokenizerJSON())
    #expect(type(of: again) == type(of: tokenizer) && again.unknownID == tokenizer.unknownID)
    #expect(DocumentSymbols(of: again, cut: .line) == symbols)
    let text = "a <s> naïve </s cat<s></s>"
    #expect(try again.encode(text, unknown: .skip).ids == tokenizer.encode(text, unknown: .skip).ids)
  }

  /// The symbols are added tokens with the ids that they have in the vocabulary, as Hugging Face's reader wants them.
  @Test(arguments: 0..<5)
  func symbolsAreAddedTokens(_ index: Int) throws {
    let tokenizer = try Self.tokenizers()[index]
    let document = try JSON(parsing: Array(tokenizer.tokenizerJSON().utf8))
    let added = try #require(document["added_tokens"]?.array)
    #expect(added.map { $0["content"]?.string } == ["<s>", "</s>"])
    #expect(added.allSatisfy { $0["special"]?.bool == true && $0["normalized"]?.bool == false })
    for token in added {
      let id = try #require(token["id"]?.integer)
      let name = try #require(token["content"]?.string)
      #expect(tokenizer.specialID(of: name) == Int32(id))
      if let members = document["model"]?["vocab"]?.members {
        #expect(members.first { $0.key == name }?.value.integer == id)
      } else {
        #expect(document["model"]?["vocab"]?.array?[id].array?[0].string == name)
      }
    }
  }

  /// What is learnt from documents knows neither the symbols' letters nor pairs across them.
  @Test func nothingIsLearntFromTheSymbols() throws {
    var characters = CharacterTokenizerTrainer(normalization: .nfc, minimumFrequency: 1)
    characters.specialSymbols = ["<s>", "</s>"]
    let tokenizer = characters.train("<s>ab</s><s>ab</s>")
    #expect(tokenizer.vocabularySize == 4)
    var options = SubwordTrainingOptions(vocabularySize: 300)
    options.specialSymbols = ["<s>", "</s>"]
    let pairs = try BytePairTrainer(options, isByteLevel: true).train("<s>ab</s><s>ab</s><s>ab</s>")
    #expect(pairs.vocabularySize == 2 + 256 + 1 && pairs.id(of: "ab") != nil)
  }

  @Test func withoutSymbols() {
    #expect(DocumentSymbols(of: ByteTokenizer(normalization: .none), cut: .line) == nil)
    let letters = CharacterTokenizer(scalars: ["<", "s", "/", ">"], hasUnknown: true, normalization: .none)
    #expect(DocumentSymbols(of: letters, cut: .line) == nil)
  }

  @Test func streams() throws {
    let tokenizer = ByteTokenizer(normalization: .none, specialSymbols: ["<s>", "</s>"])
    let symbols = try #require(DocumentSymbols(of: tokenizer, cut: .line))
    let stream = try symbols.encode(["a", "bc"], by: tokenizer, unknown: .fail).ids
    #expect(stream == [256, 97, 257, 256, 98, 99, 257])
    #expect(symbols.ranges(of: stream) == [0..<3, 3..<7])
    #expect(symbols.ranges(of: Array(stream.dropFirst())) == [0..<2, 2..<6])
    #expect(symbols.ranges(of: []) == [])
  }
}
