/// Subwords by id, and ids by their bytes; never by `String`, which takes canonically equivalent texts for the same.
package struct SubwordVocabulary: Sendable {
  /// A token of a vocabulary.
  package enum Piece: Hashable, Sendable {
    /// A subword of these bytes, as they stand in the text that the model sees.
    case text([UInt8])
    /// A byte of a character that has no token of its own.
    case byte(UInt8)
    /// A symbol that no word contains: the unknown symbol, and what is found in the text before all else.
    case special([UInt8])

    /// What the token stands for.
    package var bytes: [UInt8] {
      switch self {
      case .text(let bytes), .special(let bytes): bytes
      case .byte(let byte): [byte]
      }
    }
  }

  package let pieces: [Piece]
  package let unknownID: Int32?
  private let ids: [Piece: Int32]
  /// The id of each byte, −1 where there is none: of one-byte subwords in a byte-level vocabulary, else of byte tokens.
  package let byteIDs: [Int32]
  /// The ids of ASCII and of all other scalars that are tokens.
  private let asciiIDs: [Int32]
  private let scalarIDs: [Unicode.Scalar: Int32]

  /// - Parameter pieces: Distinct, by id.
  package init(_ pieces: [Piece], unknownID: Int32?, byteLevel: Bool) {
    self.pieces = pieces
    self.unknownID = unknownID
    var ids: [Piece: Int32] = [:]
    var scalarIDs: [Unicode.Scalar: Int32] = [:]
    for (id, piece) in pieces.enumerated() {
      precondition(ids.updateValue(Int32(id), forKey: piece) == nil, "a token stands once in a vocabulary")
      guard case .text(let bytes) = piece, let first = bytes.first, !byteLevel else { continue }
      if bytes.count == WordScanner.width(first) { scalarIDs[WordScanner.scalar(bytes, 0).scalar] = Int32(id) }
    }
    self.ids = ids
    self.scalarIDs = scalarIDs
    asciiIDs = (0..<128).map { scalarIDs[Unicode.Scalar(UInt8($0))] ?? -1 }
    byteIDs = (0...255).map { ids[byteLevel ? .text([UInt8($0)]) : .byte(UInt8($0))] ?? -1 }
  }

  package var count: Int { pieces.count }

  /// Whether every byte has a token, so that no text is unknown.
  var hasAllBytes: Bool { byteIDs.allSatisfy { $0 >= 0 } }

  func id(of piece: Piece) -> Int32? { ids[piece] }

  /// The id of a scalar's token; −1 where it has none.
  @inline(__always)
  func id(of scalar: Unicode.Scalar) -> Int32 {
    scalar.value < 128 ? asciiIDs[Int(scalar.value)] : scalarIDs[scalar] ?? -1
  }
}

/// Tokens of a text in the making.
package struct SubwordTokens {
  /// Ids; ``unknown`` and ``moreUnknown`` for what the vocabulary lacks.
  package var ids: [Int32] = []
  /// The bytes that each token covers; together they are the text.
  package var lengths: [Int32] = []

  package init() {}

  /// A scalar (or a byte) that the vocabulary lacks.
  static let unknown: Int32 = -1
  /// One that belongs to the same unknown symbol as the one before.
  static let moreUnknown: Int32 = -2
}
