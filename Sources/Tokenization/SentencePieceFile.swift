import ModelFiles

/// What a sentencepiece `.model` holds (sentencepiece_model.proto), as far as it matters here.
struct SentencePieceFile {
  /// A piece of the vocabulary; its id is its place.
  struct Piece {
    var name: [UInt8] = []
    var score: Float = 0
    var type = PieceType.normal
  }

  enum PieceType: UInt64 {
    case normal = 1
    case unknown, control, userDefined, unused, byte
  }
  enum ModelType: UInt64 {
    case unigram = 1
    case bytePair, word, character
  }

  private(set) var pieces: [Piece] = []
  private(set) var modelType = ModelType.unigram
  private(set) var byteFallback = false
  private(set) var marksAtEnds = false
  private(set) var map: [UInt8] = []
  private(set) var addsDummyPrefix = true
  private(set) var removesExtraSpaces = true
  private(set) var marksSpaces = true
  private(set) var hasDenormalizer = false

  /// - Throws: ``TokenizerJSONError``.
  init(parsing bytes: [UInt8]) throws {
    do { try read(bytes[...]) } catch let error as ProtobufError {
      throw TokenizerJSONError("is not a sentencepiece model: \(error)")
    }
    guard !pieces.isEmpty else { throw TokenizerJSONError("is not a sentencepiece model: it has no pieces") }
  }

  private mutating func read(_ bytes: ArraySlice<UInt8>) throws {
    var fields = ProtobufFields(bytes)
    while let (number, value) = try fields.next() {
      switch (number, value) {
      case (1, .bytes(let piece)): try readPiece(piece)
      case (2, .bytes(let trainer)): try readTrainer(trainer)
      case (3, .bytes(let normalizer)): try readNormalizer(normalizer)
      case (5, .bytes(let denormalizer)): hasDenormalizer = try Self.hasMap(denormalizer)
      default: continue
      }
    }
  }

  private mutating func readPiece(_ bytes: ArraySlice<UInt8>) throws {
    guard pieces.count < 1 << 24 else { throw TokenizerJSONError("has more than \(1 << 24) pieces") }
    var piece = Piece()
    var fields = ProtobufFields(bytes)
    while let (number, value) = try fields.next() {
      switch (number, value) {
      case (1, .bytes(let name)): piece.name = Array(name)
      case (2, .fixed32(let bits)): piece.score = Float(bitPattern: bits)
      case (3, .integer(let type)):
        guard let type = PieceType(rawValue: type) else {
          throw TokenizerJSONError("has a piece, number \(pieces.count), of a type that this version does not know")
        }
        piece.type = type
      default: continue
      }
    }
    guard !piece.name.isEmpty, String(validating: piece.name, as: UTF8.self) != nil, piece.score.isFinite else {
      throw TokenizerJSONError("has a piece, number \(pieces.count), without a text in UTF-8 or with an infinite score")
    }
    pieces.append(piece)
  }

  private mutating func readTrainer(_ bytes: ArraySlice<UInt8>) throws {
    var fields = ProtobufFields(bytes)
    while let (number, value) = try fields.next() {
      switch (number, value) {
      case (3, .integer(let type)):
        guard let type = ModelType(rawValue: type) else {
          throw TokenizerJSONError("is a sentencepiece model of a type that this version does not know")
        }
        modelType = type
      case (24, .integer(let flag)): marksAtEnds = flag != 0
      case (35, .integer(let flag)): byteFallback = flag != 0
      default: continue
      }
    }
  }

  private mutating func readNormalizer(_ bytes: ArraySlice<UInt8>) throws {
    var fields = ProtobufFields(bytes)
    while let (number, value) = try fields.next() {
      switch (number, value) {
      case (2, .bytes(let map)): self.map = Array(map)
      case (3, .integer(let flag)): addsDummyPrefix = flag != 0
      case (4, .integer(let flag)): removesExtraSpaces = flag != 0
      case (5, .integer(let flag)): marksSpaces = flag != 0
      default: continue
      }
    }
  }

  private static func hasMap(_ bytes: ArraySlice<UInt8>) throws -> Bool {
    var fields = ProtobufFields(bytes)
    while let (number, value) = try fields.next() {
      if case (2, .bytes(let map)) = (number, value), !map.isEmpty { return true }
    }
    return false
  }
}
