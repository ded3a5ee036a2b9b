import ModelFiles
import TestSupport
import Testing
import Tokenization

@Suite struct SentencePieceTests {
  private static func model(_ name: String) throws -> [UInt8] {
    try Files.read(Golden.path("sentencepiece-\(name).model"))
  }

  /// The ids that sentencepiece gives, from the file itself and from a tokenizer.json made of it.
  @Test(arguments: ["unigram", "bpe"])
  func givesTheIdsOfSentencepiece(_ name: String) throws {
    let golden = try JSON(parsing: Files.read(Golden.path("sentencepiece.json")))
    let tokenizer = try SentencePieceReader.read(Self.model(name))
    let again = try read(tokenizer.tokenizerJSON())
    let texts = golden["texts"]?.array?.compactMap(\.string) ?? []
    let ids = golden[name]?.array?.map { $0.array?.compactMap(\.integer) ?? [] } ?? []
    #expect(texts.count == ids.count && texts.count > 15)
    for (text, ids) in zip(texts, ids) {
      let encoded = try tokenizer.encode(text, unknown: .replace, keepsOffsets: true)
      #expect(encoded.ids.map(Int.init) == ids, "\(text.debugDescription)")
      #expect(try again.encode(text, unknown: .replace).ids == encoded.ids)
      let offsets = try #require(encoded.offsets)
      #expect(offsets.count == ids.count && offsets.allSatisfy { $0.upperBound <= text.utf8.count })
    }
    #expect(tokenizer.exportObstacle?.contains("sentencepiece") == true && again.exportObstacle != nil)
  }

  /// Marks are read as spaces, and the one that was put before the text is left out.
  @Test func decodesWhatItEncoded() throws {
    let tokenizer = try SentencePieceReader.read(Self.model("bpe"))
    for text in ["the fox", "été Лиса 日本語 🦊.", "a<sep>b"] {
      #expect(try tokenizer.decode(tokenizer.encode(text, unknown: .fail).ids) == text)
    }
  }

  /// Spaces that were left out belong to no token, and the mark before the text comes from nothing.
  @Test func knowsWhereTokensCameFrom() throws {
    let tokenizer = try SentencePieceReader.read(Self.model("bpe"))
    let encoded = try tokenizer.encode("  ﬁ   x ", unknown: .fail, keepsOffsets: true)
    let texts = encoded.ids.map(tokenizer.text(of:))
    #expect(texts.joined() == " fi x")
    let offsets = try #require(encoded.offsets)
    #expect(offsets.first?.lowerBound ?? 0 <= 2 && offsets.last?.upperBound == 9 && offsets.last?.lowerBound ?? 9 <= 8)
  }

  // MARK: Hostile files

  private static func field(_ number: Int, _ bytes: [UInt8]) -> [UInt8] {
    [UInt8(number << 3 | 2), UInt8(bytes.count)] + bytes
  }

  private static func piece(_ name: String, _ type: UInt8 = 1, score: Float = -1) -> [UInt8] {
    let bits = score.bitPattern
    return field(
      1, field(1, Array(name.utf8)) + [21] + (0..<4).map { UInt8(bits >> (8 * $0) & 0xFF) } + [24, type])
  }

  static let hostile: [(bytes: [UInt8], message: String)] = {
    var all: [(bytes: [UInt8], message: String)] = []
    func add(_ bytes: [UInt8], _ message: String) { all.append((bytes, message)) }
    add([], "has no pieces")
    add([0x0A], "the message ends early at byte 1")
    add([0x0A, 0x05, 1], "a field longer than its")
    add(
      [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], "a field longer than its message at byte 0")
    add([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02], "a number of more than 64 bits")
    add([0x0B], "a field of a kind that is none")
    add([0x00, 0x00], "a field without a number")
    add(Array("{\"model\":1}".utf8), "is not a sentencepiece model")
    add(field(1, []), "number 0, without a text")
    add(piece("a", 7), "of a type that this version")
    add(piece("a", score: .infinity), "with an infinite score")
    add(piece("a", score: .nan), "with an infinite score")
    add(piece("a") + piece("a"), "has the token \"a\" twice")
    add(piece("x", 2) + piece("y", 2), "has two unknown pieces")
    add(piece("<0xGG>", 6), "which names no byte")
    add(piece("a") + field(2, [24, 3]), "is a sentencepiece model of words")
    add(piece("a") + field(2, [24, 9]), "of a type")
    add(piece("a") + field(2, [0xC0, 1, 1]), "with spaces at the ends of words")
    add(piece("a") + field(2, [0x98, 2, 1]), "has not all of them")
    add(piece("a") + piece("b", 5) + field(2, [24, 2]), "has unused pieces")
    add(piece("a") + field(3, field(2, [1, 2])), "the precompiled character map has 2 bytes")
    add(piece("a") + field(5, field(2, [1, 2])), "with a denormalizer")
    return all
  }()

  @Test(arguments: hostile)
  func refuses(_ bytes: [UInt8], _ message: String) {
    let error = #expect(throws: TokenizerJSONError.self) { try SentencePieceReader.read(bytes) }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "nothing")")
  }

  @Test func readsTheLeastThereCanBe() throws {
    let tokenizer = try SentencePieceReader.read(Self.piece("▁a") + Self.piece("b"))
    #expect(try tokenizer.encode(" a  ab ", unknown: .skip).ids == [0, 0, 1])
  }

  @Test(arguments: ["!", "AAA", "AAB=", "AA=A", "A===", "A"])
  func refusesTextThatIsNoBase64(_ text: String) {
    #expect(Base64.decoded(text) == nil)
    #expect(throws: TokenizerJSONError.self) { try read(#"{"model":{"type":"SentencePiece","file":"\#(text)"}}"#) }
  }

  @Test(arguments: 0..<20)
  func base64IsThereAndBack(_ count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 77 + 200) }
    #expect(Base64.decoded(Base64.encoded(bytes)) == bytes)
  }

  @Test func writesBase64AsTheStandardDoes() { #expect(Base64.encoded(Array("foobar!?>".utf8)) == "Zm9vYmFyIT8+") }
}
