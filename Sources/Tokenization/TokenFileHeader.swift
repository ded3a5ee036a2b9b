import ModelFiles
import UnicodeText

/// What a file of token ids says of itself, in its first ``size`` bytes; numbers are little endian.
///
/// | byte | what |
/// |---|---|
/// | 0 | ``magic`` |
/// | 8 | version, 32 bits: 1 |
/// | 12 | bits of an id, 32 bits: 8, 16 or 32 |
/// | 16 | number of ids, 64 bits |
/// | 24 | vocabulary size, 64 bits |
/// | 32, 40, 48 | characters, bytes and words of the text, 64 bits each |
/// | 56 | symbols that the vocabulary lacked, 64 bits |
/// | 64 | SHA-256 of the tokenizer, as ``Tokenizer/fingerprint`` has it: 64 hexadecimal digits |
/// | 128 | SHA-256 of the text: 64 hexadecimal digits |
/// | 192 | the ids, one after another, to the end of the file |
public struct TokenFileHeader: Sendable, Equatable {
  /// Tokens in the file.
  public var count: Int
  /// V of the tokenizer.
  public var vocabularySize: Int
  /// Unicode scalars, bytes and words (runs between white space) of the text, before any normalization.
  public var characters, bytes, words: Int
  /// Occurrences of symbols that the vocabulary lacked: left out, or `<unk>`.
  public var unknown: Int
  /// SHA-256 of the tokenizer and of the text, in hexadecimal digits.
  public var tokenizerHash, textHash: String

  /// 0x89 is never the beginning of UTF-8.
  public static let magic: [UInt8] = [0x89] + Array("UNROLL".utf8) + [0x0A]
  public static let size = 192
  static let version = 1
  /// More ids than this no file has; so that sums of sizes cannot overflow.
  private static let most = 1 << 48
  private static let largestVocabulary = 1 << 31

  /// The header of a text's tokens.
  public init(
    count: Int, vocabularySize: Int, text: TextFigures, unknown: Int, tokenizerHash: String, textHash: String
  ) {
    self.count = count
    self.vocabularySize = vocabularySize
    (characters, bytes, words) = (text.characters, text.bytes, text.words)
    self.unknown = unknown
    self.tokenizerHash = tokenizerHash
    self.textHash = textHash
  }

  /// Bits that an id of a vocabulary needs: 8, 16 or 32.
  public static func width(vocabularySize: Int) -> Int {
    vocabularySize <= 1 << 8 ? 8 : vocabularySize <= 1 << 16 ? 16 : 32
  }

  /// Bits of an id.
  public var width: Int { Self.width(vocabularySize: vocabularySize) }

  /// The header's bytes.
  var encoded: [UInt8] {
    precondition(
      tokenizerHash.utf8.count == 64 && textHash.utf8.count == 64, "a SHA-256 has 64 hexadecimal digits")
    var bytes = Self.magic
    for number in [UInt32(Self.version), UInt32(width)] { bytes.append(littleEndian: number) }
    for number in [count, vocabularySize, characters, self.bytes, words, unknown] {
      bytes.append(littleEndian: UInt64(number))
    }
    return bytes + tokenizerHash.utf8 + textHash.utf8
  }

  /// Reads the header of a file.
  ///
  /// - Parameters:
  ///   - bytes: The file's first ``size`` bytes, or all where there are fewer.
  ///   - fileSize: Bytes of the whole file.
  /// - Throws: ``TokenFileError`` for whatever is not as it must be.
  init(_ bytes: [UInt8], fileSize: Int) throws {
    guard bytes.starts(with: Self.magic) else { throw TokenFileError("is not a file of token ids") }
    guard bytes.count >= Self.size else {
      throw TokenFileError("is cut off: it has \(bytes.count) bytes, its header alone has \(Self.size)")
    }
    func number(_ place: Int, _ width: Int) -> UInt64 {
      bytes[place..<place + width].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    guard number(8, 4) == UInt64(Self.version) else {
      throw TokenFileError("is of version \(number(8, 4)); this program reads version \(Self.version)")
    }
    func size(_ place: Int, _ name: String, upTo limit: Int) throws -> Int {
      guard let size = Int(exactly: number(place, 8)), size <= limit else {
        throw TokenFileError("says \(number(place, 8)) \(name); the limit is \(limit)")
      }
      return size
    }
    count = try size(16, "ids", upTo: Self.most)
    vocabularySize = try size(24, "symbols in the vocabulary", upTo: Self.largestVocabulary)
    characters = try size(32, "characters", upTo: Self.most)
    self.bytes = try size(40, "bytes", upTo: Self.most)
    words = try size(48, "words", upTo: Self.most)
    unknown = try size(56, "unknown symbols", upTo: Self.most)
    (tokenizerHash, textHash) = (try Self.hash(bytes[64..<128]), try Self.hash(bytes[128..<192]))
    guard words <= characters, characters <= self.bytes, self.bytes <= 4 * characters else {
      throw TokenFileError("says \(words) words, \(characters) characters and \(self.bytes) bytes, which no text has")
    }
    guard number(12, 4) == UInt64(width) else {
      throw TokenFileError(
        "says \(number(12, 4)) bits for each id; a vocabulary of \(vocabularySize) has \(width)")
    }
    let expected = Self.size + count * (width / 8)
    guard fileSize == expected else {
      throw TokenFileError(
        "\(fileSize < expected ? "is cut off" : "goes on after its end"): it has \(fileSize) bytes, "
          + "\(count) ids of \(width) bits make \(expected)")
    }
  }

  private static func hash(_ digits: ArraySlice<UInt8>) throws -> String {
    guard digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else {
      throw TokenFileError("has a hash that is not 64 hexadecimal digits")
    }
    return String(decoding: digits, as: UTF8.self)
  }
}

/// A file of token ids is not as it must be.
public struct TokenFileError: Error, CustomStringConvertible, Equatable {
  public let description: String
  init(_ description: String) { self.description = description }
}

extension Tokenizer {
  /// SHA-256 of the tokenizer.json that this tokenizer is written as: the same for every file that means the same.
  public var fingerprint: String { sha256(Array(tokenizerJSON().utf8)) }
}

extension [UInt8] {
  mutating func append<Number: FixedWidthInteger>(littleEndian number: Number) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }
}
