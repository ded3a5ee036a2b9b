import Compute
import ModelFiles
import TestSupport
import Testing
import Tokenization
import UnicodeText

@Suite struct TextNormalizationTests {
  private static let steps: [TextNormalization.Step] = [
    .unicode(Normalizer([.nfkd, .stripAccents])), .prepend("▁"), .replace(" ", by: "▁"), .replace("ab", by: ""),
    .strip(left: true, right: true), .unicode(Normalizer([.lineEndings, .lowercase])),
  ]

  /// Traced or not, the text is the same, and every scalar came from a place of the original.
  @Test(arguments: 0..<100)
  func tracesWhatItNormalizes(_ seed: Int) {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    let text = randomText(60, using: &random) + " ab\r\n "
    let normalization = TextNormalization(Self.steps.shuffled(using: &random))
    let traced = normalization.normalizeTracing(text)
    #expect(traced.utf8 == Array(normalization.normalize(text).utf8), "\(normalization)")
    #expect(traced.sources.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= text.utf8.count })
    #expect(traced.sources.count == traced.text.unicodeScalars.count)
  }

  @Test(arguments: [
    ("none", "É\r\n", "É\r\n"), ("nfd,strip-accents", "É\u{308}o", "Eo"), ("lowercase", "ÀΣ", "àσ"),
    ("casefold", "Straße", "strasse"), ("line-endings", "a\r\n\rb", "a\n\nb"), ("nfkc,lowercase", "ﬀİ", "ffi\u{307}"),
  ])
  func namesSteps(_ names: String, _ text: String, _ expected: String) throws {
    let normalization = try TextNormalization(names: names)
    #expect(normalization.normalize(text).utf8.elementsEqual(expected.utf8))
    #expect(normalization.description == names)
  }

  @Test(arguments: ["", "nfx", "nfc,", "NFC", "nfc, nfd"])
  func refusesNamesThatNoStepHas(_ names: String) {
    let error = #expect(throws: Normalizer.UnknownStep.self) { try TextNormalization(names: names) }
    #expect(error?.description.contains("there are: nfc, nfd") == true)
  }

  /// Each character's place in the original, through two kinds of steps.
  @Test func tracesThroughSeveralSteps() throws {
    let text = "  É\r\nﬁ "
    let normalization = TextNormalization([
      .strip(left: true, right: true), .unicode(Normalizer([.lineEndings, .nfkd, .stripAccents, .lowercase])),
      .replace("i", by: "12"), .prepend("<"),
    ])
    let tokenizer = CharacterTokenizerTrainer(normalization: normalization, minimumFrequency: 1).train(text)
    let encoded = try tokenizer.encode(text, unknown: .fail, keepsOffsets: true)
    #expect(tokenizer.decode(encoded.ids) == "<e\nf12")
    #expect(encoded.offsets == [2..<2, 2..<4, 4..<6, 6..<9, 6..<9, 6..<9])
  }

  /// The bytes of an unchanged scalar keep their own places where another scalar changed.
  @Test func tracesBytesOfUnchangedScalars() throws {
    let offsets = try ByteTokenizer(normalization: .nfc).encode("日e\u{301}", unknown: .fail, keepsOffsets: true).offsets
    #expect(offsets == [0..<1, 1..<2, 2..<3, 3..<6, 3..<6])
  }

  /// Marks that change places leave ranges in order, each of which has its own bytes and more.
  @Test func ordersOffsetsOfReorderedMarks() throws {
    let offsets = try CharacterTokenizerTrainer(normalization: .nfd, minimumFrequency: 1).train("a\u{301}\u{323}b")
      .encode("a\u{301}\u{323}b", unknown: .fail, keepsOffsets: true).offsets
    #expect(offsets == [0..<1, 1..<5, 1..<5, 5..<6])
  }

  private static func document(_ normalizer: String) -> String {
    #"{"normalizer":\#(normalizer),"model":{"type":"BPE","vocab":{"a":0,"▁":1},"merges":[]}}"#
  }

  /// Files in Hugging Face's words, and what they make of a text.
  @Test(arguments: [
    (#"{"type":"Prepend","prepend":"▁"}"#, "a b", "▁a b"), (#"{"type":"Prepend","prepend":"▁"}"#, "", ""),
    (#"{"type":"Strip","strip_left":true,"strip_right":false}"#, "\u{3000} a \n", "a \n"),
    (#"{"type":"Replace","pattern":{"String":"aa"},"content":"b"}"#, "aaaaa", "bba"),
    (#"{"type":"Replace","pattern":{"Regex":"\\r\\n?"},"content":"\n"}"#, "a\r\n\r", "a\n\n"),
    (#"{"type":"Sequence","normalizers":[]}"#, "É", "É"),
    (
      #"{"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"Sequence","normalizers":[{"type":"StripAccents"}]},{"type":"Lowercase"}]}"#,
      "ÉX", "ex"
    ),
  ])
  func readsNormalizers(_ json: String, _ text: String, _ expected: String) throws {
    let tokenizer = try read(Self.document(json))
    #expect(tokenizer.normalization.normalize(text).utf8.elementsEqual(expected.utf8))
    #expect(try read(tokenizer.tokenizerJSON()).normalization == tokenizer.normalization)
  }

  /// Case folding is written in a word of our own, for the model's folder only.
  @Test func keepsCaseFolding() throws {
    let folding = ByteTokenizer(normalization: try TextNormalization(names: "nfkc,casefold"))
    #expect(folding.exportObstacle?.contains("casefold") == true)
    let again = try read(folding.tokenizerJSON())
    #expect(again.normalization == folding.normalization && again.exportObstacle != nil)
    #expect(ByteTokenizer(normalization: .nfkc).exportObstacle == nil)
  }

  /// Spaces that normalization makes marks are read as spaces, and the one before the text is dropped.
  @Test func readsMarksOfNormalizationAsSpaces() throws {
    let normalizer =
      #"{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]}"#
    let tokenizer = try read(
      #"{"normalizer":\#(normalizer),"model":{"type":"BPE","vocab":{"a":0,"▁":1,"▁a":2},"merges":[["▁","a"]]}}"#)
    #expect(try tokenizer.encode("a a", unknown: .fail).ids == [2, 2])
    #expect(tokenizer.decode([2, 2]) == "a a")
  }
}
