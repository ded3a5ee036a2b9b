import Compute
import TestSupport
import Testing
import Tokenization
import UnicodeText

/// What every byte-complete vocabulary must do with every text.
@Suite struct RoundTripTests {
  private static func texts(_ seeds: Range<Int>) -> [String] {
    seeds.map { seed in
      var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
      return randomText(150, using: &random)
    }
  }

  @Test func decodesWhatItEncoded() throws {
    for (name, tokenizer) in try completeTokenizers() {
      for text in hardTexts + Self.texts(0..<40) {
        let ids = try tokenizer.encode(text, unknown: .fail).ids
        #expect(tokenizer.decode(ids).utf8.elementsEqual(text.utf8), "\(name) \(text.debugDescription)")
        #expect(Array(ids.map(tokenizer.bytes(of:)).joined()) == Array(text.utf8), "\(name)")
      }
    }
  }

  @Test(arguments: [TextNormalization.nfc, .nfkd])
  func decodesTheNormalizedText(_ form: TextNormalization) throws {
    for (name, tokenizer) in try completeTokenizers(form) {
      for text in hardTexts + Self.texts(0..<5) {
        let ids = try tokenizer.encode(text, unknown: .fail).ids
        #expect(tokenizer.decode(ids).utf8.elementsEqual(form.normalize(text).utf8), "\(name)")
      }
    }
  }

  /// Without normalization the offsets are the text cut in pieces, each piece its token's bytes.
  @Test func offsetsArePiecesOfTheText() throws {
    for (name, tokenizer) in try completeTokenizers() {
      for text in hardTexts + Self.texts(50..<60) {
        let bytes = Array(text.utf8)
        let encoded = try tokenizer.encode(text, unknown: .fail, keepsOffsets: true)
        let offsets = try #require(encoded.offsets)
        #expect(try encoded.ids == tokenizer.encode(text, unknown: .fail).ids && offsets.count == encoded.ids.count)
        for (id, range) in zip(encoded.ids, offsets) {
          #expect(Array(bytes[range]) == tokenizer.bytes(of: id), "\(name)")
        }
        #expect(offsets.reduce(0) { $0 == $1.lowerBound ? $1.upperBound : -1 } == bytes.count, "\(name)")
      }
    }
  }

  /// Through normalization, a token came from the whole cluster that changed.
  @Test(arguments: [
    (TextNormalization.nfc, "ae\u{301}b", [0..<1, 1..<4, 4..<5]), (.nfd, "a\u{E9}b", [0..<1, 1..<3, 1..<3, 3..<4]),
    (.nfkc, "x\u{FB01}", [0..<1, 1..<4, 1..<4]), (.nfc, "\u{E9}e\u{301}", [0..<2, 2..<5]),
    (.nfc, "\u{1100}\u{1161}y", [0..<6, 6..<7]), (.nfc, "e\u{301}", [0..<3]), (.none, "\u{E9}", [0..<2]),
  ])
  func offsetsReachThroughNormalization(_ form: TextNormalization, _ text: String, _ expected: [Range<Int>]) throws {
    let tokenizer = CharacterTokenizerTrainer(normalization: form, minimumFrequency: 1).train(text)
    #expect(try tokenizer.encode(text, unknown: .fail, keepsOffsets: true).offsets == expected)
  }

  /// Offsets never go back, and lie within the text, for any text and form.
  @Test(arguments: [TextNormalization.nfc, .nfd, .nfkc, .nfkd])
  func offsetsAreInOrder(_ form: TextNormalization) throws {
    let tokenizer = ByteTokenizer(normalization: form)
    for text in hardTexts + Self.texts(100..<150) {
      let offsets = try #require(try tokenizer.encode(text, unknown: .fail, keepsOffsets: true).offsets)
      let count = text.utf8.count
      #expect(offsets.allSatisfy { !$0.isEmpty && $0.lowerBound >= 0 && $0.upperBound <= count })
      #expect(
        zip(offsets, offsets.dropFirst()).allSatisfy {
          $0.lowerBound <= $1.lowerBound && $0.upperBound <= $1.upperBound
        })
    }
  }
}

@Suite struct StreamingDecoderTests {
  /// Byte for byte, every text comes out whole, and never a half of a character before its end.
  @Test(arguments: hardTexts)
  func neverGivesHalfACharacter(_ text: String) {
    var decoder = StreamingDecoder(ByteTokenizer(normalization: .none))
    var pieces: [String] = []
    for byte in text.utf8 { pieces.append(decoder.take(Int32(byte))) }
    #expect(pieces.joined().utf8.elementsEqual(text.utf8) && decoder.finish().isEmpty)
    #expect(pieces.filter { !$0.isEmpty }.count == text.unicodeScalars.count)
  }

  /// What is no UTF-8 becomes what Swift's own decoder makes of all the bytes together.
  @Test(arguments: 0..<200)
  func repairsAsSwiftDoes(_ seed: Int) {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    let edges: [UInt8] = [
      0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xE0, 0xE1, 0xED, 0xF0, 0xF1, 0xF4, 0xF5,
    ]
    let bytes = (0..<30).compactMap { _ in edges.randomElement(using: &random) }
    let ids = bytes.map { Int32($0) }
    #expect(
      ByteTokenizer(normalization: .none).decode(ids).scalarValues
        == String(decoding: bytes, as: UTF8.self).scalarValues)
  }

  /// What no byte can finish does not wait: overlong forms, surrogates, scalars beyond the last.
  @Test(arguments: [[0xE0, 0x9F], [0xED, 0xA0], [0xF0, 0x8F], [0xF4, 0x90], [0xC1], [0xF5], [0x80]] as [[UInt8]])
  func doesNotWaitInVain(_ bytes: [UInt8]) {
    var decoder = StreamingDecoder(ByteTokenizer(normalization: .none))
    let text = bytes.map { decoder.take(Int32($0)) }.joined()
    #expect(text.scalarValues == bytes.map { _ in 0xFFFD } && decoder.finish().isEmpty)
  }

  @Test func holdsWhatIsUnfinished() {
    var decoder = StreamingDecoder(ByteTokenizer(normalization: .none))
    #expect([0xF0, 0x9F, 0xA6].map { decoder.take($0) }.joined().isEmpty)
    #expect(decoder.finish() == "\u{FFFD}")
    #expect(decoder.take(0x41) == "A", "what was finished is gone")
  }
}
