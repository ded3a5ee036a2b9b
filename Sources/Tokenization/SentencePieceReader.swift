import ModelFiles
import UnicodeText

/// Reads sentencepiece models: unigram and byte-pair encoding, with the ids that sentencepiece's own program gives.
///
/// They have their own normalization, find no control symbol in a text, and look for pieces in the whole text at once.
public enum SentencePieceReader {
  /// - Throws: ``TokenizerJSONError`` for what cannot be read exactly as it is meant.
  public static func read(_ bytes: [UInt8]) throws -> any Tokenizer {
    let file = try SentencePieceFile(parsing: bytes)
    guard !file.marksAtEnds, !file.hasDenormalizer else {
      throw TokenizerJSONError(
        "is a sentencepiece model with \(file.marksAtEnds ? "spaces at the ends of words" : "a denormalizer"), "
          + "which this version does not know")
    }
    let vocabulary = try vocabulary(file)
    guard !file.byteFallback || vocabulary.hasAllBytes else {
      throw TokenizerJSONError("falls back to bytes, but its vocabulary has not all of them")
    }
    let kept = file.pieces.enumerated().filter { $0.element.type == .userDefined }
      .map { SpecialSymbol(bytes: $0.element.name, id: Int32($0.offset)) }
    let rules: SentencePieceRules
    do {
      rules = try SentencePieceRules(
        mapBytes: file.map, kept: kept, addsDummyPrefix: file.addsDummyPrefix,
        removesExtraSpaces: file.removesExtraSpaces)
    } catch { throw TokenizerJSONError("cannot be used: \(error)") }
    return SubwordTokenizer(
      try model(file, vocabulary, kept), normalization: TextNormalization([.sentencePiece(rules)]),
      preTokenization: file.marksSpaces ? .metaspace(prepend: .never, splits: false) : .none, sentencePiece: bytes)
  }

  private static func vocabulary(_ file: SentencePieceFile) throws -> SubwordVocabulary {
    var list = PieceList(count: file.pieces.count)
    var unknown: Int32?
    for (id, piece) in file.pieces.enumerated() {
      let name = String(decoding: piece.name, as: UTF8.self)
      switch piece.type {
      case .normal, .userDefined: try list.add(.text(piece.name), named: name, id: id)
      case .byte:
        guard let byte = PieceList.byte(named: name) else {
          throw TokenizerJSONError("has the byte piece \"\(name)\", which names no byte")
        }
        try list.add(.byte(byte), named: name, id: id)
      case .unknown:
        guard unknown == nil else { throw TokenizerJSONError("has two unknown pieces") }
        unknown = Int32(id)
        try list.add(.special(piece.name), named: name, id: id)
      case .control, .unused: try list.add(.special(piece.name), named: name, id: id)
      }
    }
    return SubwordVocabulary(try list.finished(), unknownID: unknown, byteLevel: false)
  }

  private static func model(
    _ file: SentencePieceFile, _ vocabulary: SubwordVocabulary, _ kept: [SpecialSymbol]
  ) throws -> SubwordTokenizer.Model {
    switch file.modelType {
    case .unigram: return .unigram(unigram(file, vocabulary))
    case .bytePair:
      guard file.pieces.allSatisfy({ $0.type != .unused }) else {
        throw TokenizerJSONError("has unused pieces in byte-pair encoding, which this version does not know")
      }
      return .bytePair(bytePair(file, vocabulary, kept))
    case .word, .character:
      throw TokenizerJSONError("is a sentencepiece model of \(file.modelType)s, which this version does not know")
    }
  }

  /// Only pieces of text are looked for; one that the user defined is as likely as one can be.
  private static func unigram(_ file: SentencePieceFile, _ vocabulary: SubwordVocabulary) -> UnigramModel {
    let normal = file.pieces.filter { $0.type == .normal }.map(\.score)
    let largest = max(normal.max() ?? 0, Float.leastNormalMagnitude)
    let scores = file.pieces.map { piece in
      guard piece.type == .userDefined else { return Double(piece.score) }
      return Double(Float(piece.name.count) * largest) - 0.1
    }
    let hidden = file.pieces.indices.filter { ![.normal, .userDefined].contains(file.pieces[$0].type) }
    return UnigramModel(
      vocabulary, scores: scores, byteFallback: file.byteFallback,
      sentencePiece: .init(hidden: Set(hidden), unknownScore: Double((normal.min() ?? 0) - 10)))
  }

  /// A piece may be merged from any two pieces that it is made of, the pieces of the highest scores first.
  private static func bytePair(
    _ file: SentencePieceFile, _ vocabulary: SubwordVocabulary, _ kept: [SpecialSymbol]
  ) -> BytePairModel {
    let normal = file.pieces.indices.filter { file.pieces[$0].type == .normal }
    var ids = [ArraySlice<UInt8>: Int32](minimumCapacity: normal.count)
    for id in normal { ids[file.pieces[id].name[...]] = Int32(id) }
    let sorted = normal.sorted { (file.pieces[$1].score, $0) < (file.pieces[$0].score, $1) }
    var (merges, priorities): ([BytePairModel.Merge], [Int32]) = ([], [])
    var (last, priority): (Float?, Int32) = (nil, -1)
    for id in sorted {
      let piece = file.pieces[id]
      if piece.score != last { priority += 1 }
      last = piece.score
      for cut in 1..<piece.name.count where piece.name[cut] & 0xC0 != 0x80 {
        guard let left = ids[piece.name[..<cut]], let right = ids[piece.name[cut...]] else { continue }
        merges.append(.init(left: left, right: right, result: Int32(id)))
        priorities.append(priority)
      }
    }
    return BytePairModel(
      vocabulary, alphabet: .scalars(byteFallback: file.byteFallback), merges: merges,
      sentencePiece: .init(priorities: priorities, kept: kept))
  }
}
