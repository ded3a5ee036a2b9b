import Compute
import TestSupport
import Testing
import Tokenization
import UnicodeText

private func trained(
  _ text: String, _ normalization: TextNormalization = .none, minimumFrequency: Int = 1
) -> CharacterTokenizer {
  CharacterTokenizerTrainer(normalization: normalization, minimumFrequency: minimumFrequency).train(text)
}

@Suite struct CharacterTokenizerTests {
  @Test(
    arguments: [
      ("banana", ["a", "b", "n"]), ("\r\nb\r\n", ["\n", "\r", "b"]), ("e\u{301}\u{E9}", ["e", "\u{E9}", "\u{301}"]),
      ("👩‍💻é\0", ["\0", "\u{E9}", "\u{200D}", "👩", "💻"]), ("<unk>", ["<", ">", "k", "n", "u"]), ("", []),
    ] as [(String, [Unicode.Scalar])])
  func givesIdsInTheOrderOfScalars(_ text: String, _ symbols: [Unicode.Scalar]) {
    let tokenizer = trained(text)
    #expect(tokenizer.vocabularySize == symbols.count)
    #expect(tokenizer.unknownID == nil)
    for (id, symbol) in symbols.enumerated() {
      #expect(tokenizer.text(of: Int32(id)).scalarValues == [symbol.value])
      #expect(tokenizer.id(of: String(symbol)) == Int32(id))
    }
  }

  @Test func isTheSameForScalarsInAnyOrder() {
    let a = CharacterTokenizer(scalars: ["z", "a", "m"], hasUnknown: true, normalization: .nfc)
    let b = CharacterTokenizer(scalars: ["m", "z", "a"], hasUnknown: true, normalization: .nfc)
    #expect(a == b)
    #expect(a.unknownID == 0)
    #expect(a.text(of: 0) == "<unk>")
    #expect(a.id(of: "a") == 1)
  }

  /// "e\u{301}" and "\u{E9}" are different symbols, or one, or two, as the form says.
  @Test(
    arguments: [
      (TextNormalization.none, [0, 2, 1]), (.nfc, [0, 0]), (.nfkc, [0, 0]), (.nfd, [0, 1, 0, 1]),
      (.nfkd, [0, 1, 0, 1]),
    ] as [(TextNormalization, [Int32])])
  func normalizesBeforeItEncodes(_ form: TextNormalization, _ ids: [Int32]) throws {
    #expect(try trained("e\u{301}\u{E9}", form).encode("e\u{301}\u{E9}", unknown: .fail).ids == ids)
  }

  /// Old symbols keep their ids, new ones come behind them in their order; special symbols and rare ones are no news.
  @Test func isExtendedByWhatItLacks() throws {
    let old = CharacterTokenizer(
      scalars: ["m", "a", "z"], hasUnknown: true, normalization: .nfc, specialSymbols: ["<s>"])
    func extended(_ text: String, minimumFrequency: Int = 1) throws -> any Tokenizer {
      var learner = VocabularyLearner(extending: old, minimumFrequency: minimumFrequency)
      for byte in text.utf8 { try learner.append([byte]) }
      return try learner.finish()
    }
    let new = try extended("yy<s>e\u{301}bbam")
    #expect((0..<Int32(new.vocabularySize)).map(new.text(of:)) == ["<s>", "<unk>", "a", "m", "z", "b", "y", "\u{E9}"])
    #expect(new.unknownID == 1 && new.specialID(of: "<s>") == 0 && new.normalization == .nfc)
    #expect(try new.encode("<s>zy\u{E9}x", unknown: .replace).ids == [0, 4, 6, 7, 1])
    #expect(try extended("yy<s>e\u{301}bbbam", minimumFrequency: 3).tokenizerJSON() == extended("b").tokenizerJSON())
    #expect(try extended("<s>maz").tokenizerJSON() == old.tokenizerJSON())
    #expect(try TokenizerReader.read(Array(new.tokenizerJSON().utf8)).tokenizerJSON() == new.tokenizerJSON())
  }

  @Test func keepsALineEndAsTwoSymbols() throws {
    #expect(try trained("a\r\n").encode("\r\n\n\ra", unknown: .fail).ids == [1, 0, 0, 1, 2])
  }

  @Test func looksUpNothingButSingleSymbols() {
    let tokenizer = CharacterTokenizer(scalars: ["a", "e", "\u{301}"], hasUnknown: true, normalization: .none)
    for text in ["", "aa", "\u{E9}", "e\u{301}", "b", "\u{10FFFF}", "<unk>"] { #expect(tokenizer.id(of: text) == nil) }
  }

  @Test(arguments: 0..<100)
  func roundTrips(_ seed: Int) throws {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    let text = randomText(300, using: &random)
    for form in [TextNormalization.none, .nfc, .nfd, .nfkc, .nfkd] {
      let tokenizer = trained(text, form)
      let encoded = try tokenizer.encode(text, unknown: .fail)
      let decoded = encoded.ids.map(tokenizer.text(of:)).joined()
      #expect(decoded.utf8.elementsEqual(form.normalize(text).utf8), "\(form)")
      #expect(Set(encoded.ids) == Set(0..<Int32(tokenizer.vocabularySize)), "every symbol of the text, and no other")
      #expect(encoded.unknown.isEmpty)
    }
  }
}

/// Rare symbols become `<unk>` in training.
@Suite struct MinimumFrequencyTests {
  @Test(arguments: [
    ("aaabbc", 1, ["a", "b", "c"], false), ("aaabbc", 2, ["<unk>", "a", "b"], true),
    ("aaabbc", 3, ["<unk>", "a"], true),
    ("aaabbc", 4, ["<unk>"], true), ("aabb", 2, ["a", "b"], false), ("aabb", 1, ["a", "b"], false), ("", 5, [], false),
  ])
  func makesUnknownExactlyWhereSomethingIsLeftOut(
    _ text: String, _ frequency: Int, _ vocabulary: [String], _ hasUnknown: Bool
  ) {
    let tokenizer = trained(text, minimumFrequency: frequency)
    #expect((0..<Int32(tokenizer.vocabularySize)).map(tokenizer.text(of:)) == vocabulary)
    #expect(tokenizer.unknownID == (hasUnknown ? 0 : nil))
  }

  /// Symbols are counted after normalization.
  @Test func countsNormalizedSymbols() {
    #expect(trained("e\u{301}\u{E9}", .nfc, minimumFrequency: 2).unknownID == nil)
    #expect(trained("e\u{301}\u{E9}", .none, minimumFrequency: 2).vocabularySize == 1)
  }

  /// The text "<unk>" is no symbol of its own, whether or not the vocabulary has one of that name.
  @Test(arguments: [1, 2])
  func keepsALiteralUnknownAsFiveSymbols(_ frequency: Int) throws {
    let tokenizer = trained("<unk><unk>" + (frequency == 1 ? "" : "x"), minimumFrequency: frequency)
    #expect(tokenizer.unknownID == (frequency == 1 ? nil : 0))
    let first: Int32 = frequency == 1 ? 0 : 1
    let encoded = try tokenizer.encode("<unk>", unknown: .fail)
    #expect(encoded.ids == [0, 4, 3, 2, 1].map { $0 + first })
  }
}

@Suite struct UnknownSymbolTests {
  private let plain = trained("ab c")
  private let replacing = trained("aabb  cx", minimumFrequency: 2)  // <unk>, space, a, b

  @Test func failNamesSymbolsAndPlaces() {
    let error = #expect(throws: UnknownSymbolsError.self) { try plain.encode("a\u{E9}b\nz\u{E9}", unknown: .fail) }
    #expect(
      error?.unknown == [
        UnknownSymbol(symbol: "\u{E9}", count: 2, firstPosition: 1),
        UnknownSymbol(symbol: "\n", count: 1, firstPosition: 3),
        UnknownSymbol(symbol: "z", count: 1, firstPosition: 4),
      ])
    #expect(
      error?.description
        == "the model's vocabulary lacks '\u{E9}' (U+00E9) at character 2 and 1 more, U+000A at character 4, "
        + "'z' (U+007A) at character 5; change the text, or use --unknown skip or replace")
  }

  @Test func failNamesAtMostFive() {
    let error = #expect(throws: UnknownSymbolsError.self) { try plain.encode("1234567", unknown: .fail) }
    #expect(error?.unknown.count == 7)
    #expect(error?.description.contains("'5' (U+0035) at character 5, and 2 other symbols; change") == true)
  }

  /// Places are counted in symbols of the normalized text.
  @Test func countsPlacesAfterNormalization() {
    let error = #expect(throws: UnknownSymbolsError.self) {
      try trained("\u{E9}", .nfc).encode("e\u{301}e\u{301}?", unknown: .fail)
    }
    #expect(error?.unknown.map(\.firstPosition) == [2])
  }

  @Test(arguments: [false, true])
  func skipLeavesOutAndCounts(_ hasUnknown: Bool) throws {
    let tokenizer = hasUnknown ? replacing : plain
    let encoded = try tokenizer.encode("?a!b??", unknown: .skip)
    #expect(encoded.ids == (hasUnknown ? [2, 3] : [1, 2]))
    #expect(encoded.unknownCount == 4)
    #expect(
      encoded.unknown == [
        UnknownSymbol(symbol: "?", count: 3, firstPosition: 0), UnknownSymbol(symbol: "!", count: 1, firstPosition: 2),
      ])
  }

  @Test func replacePutsUnknownInPlace() throws {
    let encoded = try replacing.encode("?ac b?", unknown: .replace)
    #expect(encoded.ids == [0, 2, 0, 1, 3, 0])
    #expect(encoded.unknownCount == 3)
    #expect(encoded.unknown.map(\.symbol) == ["?", "c"])
  }

  @Test func replaceWithoutUnknownIsRefused() throws {
    let error = #expect(throws: UnknownSymbolsError.self) { try plain.encode("a?", unknown: .replace) }
    #expect(error?.lacksReplacement == true)
    #expect(error?.description.contains("no <unk>") == true)
    #expect(try plain.encode("abc", unknown: .replace).ids == [1, 2, 3], "nothing to replace")
  }

  @Test(
    arguments: [
      ("a", "'a' (U+0061)"), ("\0", "U+0000"), (" ", "U+0020"), ("\u{2028}", "U+2028"), ("\u{7F}", "U+007F"),
      ("😀", "'😀' (U+1F600)"), ("\u{10FFFF}", "'\u{10FFFF}' (U+10FFFF)"),
    ] as [(Unicode.Scalar, String)])
  func namesASymbol(_ symbol: Unicode.Scalar, _ name: String) {
    #expect(UnknownSymbol(symbol: symbol, count: 1, firstPosition: 0).name == name)
  }
}
