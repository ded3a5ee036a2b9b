import ModelFiles

/// Reads the model of a tokenizer.json that is byte-pair encoding.
struct BytePairReader {
  let model: BytePairModel

  init(_ json: JSON, _ added: AddedTokens, isByteLevel: Bool) throws {
    try Self.refuseUnknownSettings(json)
    guard let members = json["vocab"]?.members else { throw TokenizerJSONError("has no vocabulary") }
    let fallsBack = json["byte_fallback"]?.bool ?? false
    let unknown = json["unk_token"]?.string
    var list = PieceList(count: members.count)
    var ids = [[UInt8]: Int32](minimumCapacity: members.count)
    for member in members {
      let piece = try Self.piece(member.key, added, unknown, isByteLevel: isByteLevel, fallsBack: fallsBack)
      try list.add(piece, named: member.key, id: member.value.integer)
      ids[Array(member.key.utf8)] = member.value.integer.flatMap { Int32(exactly: $0) }
    }
    try list.add(added)
    guard unknown.map({ ids[Array($0.utf8)] != nil }) ?? true else {
      throw TokenizerJSONError("names an unknown token that its vocabulary lacks")
    }
    let vocabulary = SubwordVocabulary(
      try list.finished(), unknownID: unknown.flatMap { ids[Array($0.utf8)] }, byteLevel: isByteLevel)
    guard !fallsBack || isByteLevel || vocabulary.hasAllBytes || vocabulary.byteIDs.allSatisfy({ $0 < 0 }) else {
      throw TokenizerJSONError("falls back to bytes, but its vocabulary has only some of them")
    }
    model = BytePairModel(
      vocabulary,
      alphabet: isByteLevel ? .bytes : .scalars(byteFallback: fallsBack && vocabulary.hasAllBytes),
      merges: try Self.merges(json["merges"], ids), fusesUnknown: json["fuse_unk"]?.bool ?? false)
  }

  private static func refuseUnknownSettings(_ json: JSON) throws {
    if json["ignore_merges"]?.bool == true {
      throw TokenizerJSONError("sets ignore_merges, which this version does not know")
    }
    for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
      guard let value = json[name], !value.isNull, value.string != "" else { continue }
      throw TokenizerJSONError("has a \(name), which this version does not know")
    }
    // Dropout is for training; text is encoded without.
    guard json["dropout"]?.isNull ?? true || json["dropout"]?.double == 0 else {
      throw TokenizerJSONError("sets dropout, which this version does not know")
    }
  }

  private static func piece(
    _ name: String, _ added: AddedTokens, _ unknown: String?, isByteLevel: Bool, fallsBack: Bool
  ) throws -> SubwordVocabulary.Piece {
    let bytes = Array(name.utf8)
    if added.contains(bytes) || unknown.map({ Array($0.utf8) == bytes }) == true { return .special(bytes) }
    guard !bytes.isEmpty else { throw TokenizerJSONError("has a token without text") }
    if fallsBack, !isByteLevel, let byte = PieceList.byte(named: name) { return .byte(byte) }
    guard isByteLevel else { return .text(bytes) }
    guard let token = ByteLevel.token(named: name) else {
      throw TokenizerJSONError("has the token \"\(name)\", which is not written in the byte-level alphabet")
    }
    return .text(token)
  }

  /// Merges as pairs, or as texts with a space between, as files of old have them.
  private static func merges(_ json: JSON?, _ ids: [[UInt8]: Int32]) throws -> [BytePairModel.Merge] {
    guard let list = json?.array else { throw TokenizerJSONError("has no list of merges") }
    var merges: [BytePairModel.Merge] = []
    var seen = PairTable(capacity: list.count)
    for (rank, entry) in list.enumerated() {
      let parts = entry.array?.compactMap { $0.string.map { Array($0.utf8) } } ?? pair(entry.string)
      guard parts.count == 2, entry.array?.count ?? 2 == 2 else {
        throw TokenizerJSONError("has a merge, number \(rank + 1), that is not a pair")
      }
      let name = "number \(rank + 1), \(String(decoding: parts[0] + [0x20] + parts[1], as: UTF8.self))"
      guard let left = ids[parts[0]], let right = ids[parts[1]] else {
        throw TokenizerJSONError("has a merge, \(name), of a token that its vocabulary lacks")
      }
      guard let result = ids[parts[0] + parts[1]] else {
        throw TokenizerJSONError("has a merge, \(name), whose result its vocabulary lacks")
      }
      guard seen.value(PairTable.key(left, right)) == nil else {
        throw TokenizerJSONError("has the merge \(name) twice")
      }
      seen.insert(PairTable.key(left, right), 0)
      merges.append(.init(left: left, right: right, result: result))
    }
    return merges
  }

  private static func pair(_ text: String?) -> [[UInt8]] {
    (text.map { Array($0.utf8) } ?? []).split(separator: 0x20, omittingEmptySubsequences: false).map { Array($0) }
  }
}

/// Reads the model of a tokenizer.json that is a unigram model.
enum UnigramReader {
  static func model(_ json: JSON, _ added: AddedTokens) throws -> UnigramModel {
    guard let entries = json["vocab"]?.array, !entries.isEmpty else { throw TokenizerJSONError("has no vocabulary") }
    let fallsBack = json["byte_fallback"]?.bool ?? false
    let unknown = json["unk_id"]?.integer
    guard json["unk_id"]?.isNull ?? true || unknown.map(entries.indices.contains) == true else {
      throw TokenizerJSONError("has an unk_id that is not of its vocabulary")
    }
    var list = PieceList(count: entries.count)
    var scores: [Double] = []
    for (id, entry) in entries.enumerated() {
      guard let pair = entry.array, pair.count == 2, let name = pair[0].string, let score = pair[1].double,
        score.isFinite, abs(score) <= 1e9
      else { throw TokenizerJSONError("has an entry, number \(id), that is not a token and its score") }
      let bytes = Array(name.utf8)
      guard !bytes.isEmpty else { throw TokenizerJSONError("has a token without text") }
      let byte = fallsBack ? PieceList.byte(named: name) : nil
      let isSpecial = added.contains(bytes) || (id == unknown && byte == nil)
      try list.add(isSpecial ? .special(bytes) : byte.map { .byte($0) } ?? .text(bytes), named: name, id: id)
      scores.append(score)
    }
    try list.add(added)
    let pieces = try list.finished()
    guard Set(pieces.map(\.name)).count == pieces.count else { throw TokenizerJSONError("has a token twice") }
    guard pieces.count == entries.count else {
      throw TokenizerJSONError("has added tokens outside a unigram vocabulary, which this version does not know")
    }
    let unknownID = unknown.flatMap { id -> Int32? in
      if case .byte = pieces[id] { nil } else { Int32(id) }
    }
    return UnigramModel(
      SubwordVocabulary(pieces, unknownID: unknownID, byteLevel: false), scores: scores, byteFallback: fallsBack)
  }
}

extension BytePairModel {
  /// Whether the vocabulary is the 256 bytes in their order, and special symbols after them.
  func isByteVocabulary(and symbols: [SpecialSymbol]) -> Bool {
    guard case .bytes = alphabet, merges.isEmpty, vocabulary.unknownID == nil,
      vocabulary.count == 256 + symbols.count
    else { return false }
    return vocabulary.byteIDs.enumerated().allSatisfy { $0 == $1 }
  }
}
