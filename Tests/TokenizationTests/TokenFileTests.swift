import ModelFiles
import TestSupport
import Testing
import Tokenization
import UnicodeText

@Suite struct TokenFileTests {
  private static let hashes = (tokenizer: sha256([1]), text: sha256([2]))

  /// Writes ids of a vocabulary in pieces.
  private func write(_ ids: [Int32], vocabularySize: Int, to path: String) throws {
    let output = try OutputFile(replacing: path)
    let writer = try TokenFileWriter(output, vocabularySize: vocabularySize)
    for piece in ids.pieces(of: 7) { try writer.append(Array(piece)) }
    var figures = TextFigures()
    figures.add(Array("two wörds".utf8))
    try writer.finish(text: figures, unknown: 3, tokenizerHash: Self.hashes.tokenizer, textHash: Self.hashes.text)
    try output.commit()
  }

  @Test(arguments: [(1, 8), (256, 8), (257, 16), (65_536, 16), (65_537, 32), (1 << 24, 32)])
  func readsWhatItWrote(_ vocabularySize: Int, _ width: Int) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/ids"
      let ids = (0..<100).map { Int32($0 * 7_919 % vocabularySize) } + [Int32(vocabularySize - 1), 0]
      try write(ids, vocabularySize: vocabularySize, to: path)
      #expect(TokenFile.isMeant(by: path))
      let file = try TokenFile(path)
      let header = file.header
      #expect(header.count == 102 && header.vocabularySize == vocabularySize && header.width == width)
      #expect((header.characters, header.bytes, header.words, header.unknown) == (9, 10, 2, 3))
      #expect(header.tokenizerHash == Self.hashes.tokenizer && header.textHash == Self.hashes.text)
      #expect(try Files.read(path).count == TokenFileHeader.size + 102 * width / 8)
      let stream = TokenStream(file)
      #expect(Array(stream) == ids && stream.count == 102)
      #expect(Array(stream.part(90..<102).part(2..<5)) == Array(ids[92..<95]))
      #expect(stream.part(0..<0).isEmpty)
      #expect(stream.counts(vocabularySize: vocabularySize)[vocabularySize - 1] >= 1)
    }
  }

  @Test func hasNoTokens() throws {
    try withTemporaryFolder { folder in
      try write([], vocabularySize: 5, to: "\(folder)/ids")
      #expect(TokenStream(try TokenFile("\(folder)/ids")).isEmpty)
    }
  }

  /// One damage of a file with 40 ids of 16 bits.
  struct Damage: CustomTestStringConvertible {
    let name: String
    let message: String
    let apply: @Sendable (inout [UInt8]) -> Void
    var testDescription: String { name }

    init(_ name: String, _ message: String, _ apply: @escaping @Sendable (inout [UInt8]) -> Void) {
      (self.name, self.message, self.apply) = (name, message, apply)
    }

    /// Puts a number of `width` bytes at a place.
    init(_ name: String, at place: Int, _ width: Int, _ number: UInt64, _ message: String) {
      self.init(name, message) { bytes in
        for byte in 0..<width { bytes[place + byte] = UInt8(truncatingIfNeeded: number >> (8 * UInt64(byte))) }
      }
    }
  }

  static let damages: [Damage] = [
    Damage("empty", "is not a file of token ids") { $0 = [] },
    Damage("magic", "is not a file of token ids") { $0[1] = 0 },
    Damage("short header", "is cut off: it has 191 bytes") { $0.removeLast($0.count - 191) },
    Damage("cut by a byte", "is cut off: it has 271 bytes, 40 ids of 16 bits make 272") { $0.removeLast() },
    Damage("a byte more", "goes on after its end") { $0.append(0) },
    Damage("version", at: 8, 4, 2, "is of version 2; this program reads version 1"),
    Damage("width of 8", at: 12, 4, 8, "says 8 bits for each id; a vocabulary of 300 has 16"),
    Damage("width of 0", at: 12, 4, 0, "says 0 bits"),
    Damage("huge width", at: 12, 4, 0xFFFF_FFFF, "says 4294967295 bits"),
    Damage("count", at: 16, 8, 41, "is cut off"),
    Damage("count that overflows", at: 16, 8, 1 << 63, "says 9223372036854775808 ids; the limit is"),
    Damage("count whose bytes overflow", at: 16, 8, 1 << 62, "says 4611686018427387904 ids"),
    Damage("count of all ones", at: 16, 8, .max, "says 18446744073709551615 ids"),
    Damage("smaller vocabulary", at: 24, 8, 290, "has the id 299 at place 39; its vocabulary has 290"),
    Damage("narrow vocabulary", at: 24, 8, 200, "says 16 bits for each id; a vocabulary of 200 has 8"),
    Damage("huge vocabulary", at: 24, 8, 1 << 40, "symbols in the vocabulary; the limit is"),
    Damage("more words than characters", at: 48, 8, 100, "which no text has"),
    Damage("more characters than bytes", at: 32, 8, 100, "which no text has"),
    Damage("more bytes than characters hold", at: 40, 8, 100, "which no text has"),
    Damage("unknown", at: 56, 8, .max, "unknown symbols; the limit is"),
    Damage("hash of the tokenizer", at: 64, 1, 0x47, "a hash that is not 64 hexadecimal digits"),
    Damage("hash of the text", at: 191, 1, 0, "a hash that is not 64 hexadecimal digits"),
    Damage("id", at: 192 + 2 * 5, 2, 300, "has the id 300 at place 5; its vocabulary has 300"),
    Damage("last id", at: 192 + 2 * 39, 2, 0xFFFF, "has the id 65535 at place 39"),
  ]

  @Test(arguments: damages)
  func refuses(_ damage: Damage) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/ids"
      try write((0..<40).map { $0 == 39 ? 299 : $0 }, vocabularySize: 300, to: path)
      var bytes = try Files.read(path)
      damage.apply(&bytes)
      try Files.writeDurably(bytes, to: path)
      let error = #expect(throws: FileError.self) { try TokenFile(path) }
      #expect(error?.kind == .invalid && error?.path == path)
      #expect(error?.message.contains(damage.message) ?? false, "\(error?.message ?? "")")
    }
  }

  /// An id of 32 bits with its highest bit set is not a negative number.
  @Test func refusesAWideId() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/ids"
      try write([1, 2, 3], vocabularySize: 70_000, to: path)
      var bytes = try Files.read(path)
      bytes[192 + 7] = 0x80
      try Files.writeDurably(bytes, to: path)
      let error = #expect(throws: FileError.self) { try TokenFile(path) }
      #expect(error?.message == "has the id 2147483650 at place 1; its vocabulary has 70000")
    }
  }

  @Test(arguments: [0, 1, 99, 100, 1000])
  func collectsInMemoryOrAFile(_ limit: Int) throws {
    try withTemporaryFolder { folder in
      let ids = (0..<100).map { Int32($0 * 37 % 300) }
      var collector = TokenCollector(vocabularySize: 300, folder: folder, limit: limit)
      for piece in ids.pieces(of: 13) { try collector.append(Array(piece)) }
      let stream = try collector.finish()
      #expect(Array(stream) == ids)
      #expect(Files.names(in: folder).isEmpty)
    }
  }

  /// Files of one meaning have one hash, whatever their form.
  @Test func fingerprintsMeaning() throws {
    let tokenizer = try BytePairTrainer(options(300), isByteLevel: true).train(trainingText)
    let json = tokenizer.tokenizerJSON()
    #expect(try read(json.replacing("\n", with: "\n ")).fingerprint == tokenizer.fingerprint)
    let other = try BytePairTrainer(options(301), isByteLevel: true).train(trainingText)
    #expect(other.fingerprint != tokenizer.fingerprint && tokenizer.fingerprint.utf8.count == 64)
  }
}
