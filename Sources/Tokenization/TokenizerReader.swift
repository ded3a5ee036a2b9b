import ModelFiles

/// Reads tokenizer.json, whichever kind of vocabulary it holds.
public enum TokenizerReader {
  /// The tokenizer that a tokenizer.json describes: characters, bytes, byte-pair encoding or a unigram model.
  ///
  /// - Throws: ``TokenizerJSONError`` for what cannot be read exactly as it is meant.
  public static func read(_ bytes: [UInt8]) throws -> any Tokenizer {
    let document: JSON
    do { document = try JSON(parsing: bytes) } catch { throw TokenizerJSONError("is not JSON: \(error)") }
    if CharacterTokenizer.isMeant(by: document) { return try CharacterTokenizer(document) }
    return try read(document)
  }

  private static func read(_ document: JSON) throws -> any Tokenizer {
    guard let model = document["model"] else { throw TokenizerJSONError("has no model; it is not a tokenizer.json") }
    if model["type"]?.string == TokenizerDocument.sentencePieceType {
      guard let file = model["file"]?.string.flatMap(Base64.decoded) else {
        throw TokenizerJSONError("has a sentencepiece model that is not in base64")
      }
      return try SentencePieceReader.read(file)
    }
    for part in ["truncation", "padding"] where document[part]?.isNull == false {
      throw TokenizerJSONError("asks for \(part), which this version does not know")
    }
    try refuseUnknownPostProcessor(document["post_processor"])
    if model["type"]?.string == "WordLevel" { return try GraphemeTokenizer(document) }
    let normalization = try TextNormalization(tokenizerJSON: document["normalizer"])
    let (cuts, isByteLevel) = try PreTokenization.read(document["pre_tokenizer"])
    let added = try AddedTokens(document["added_tokens"], normalization)
    // Files from before the type was written are told by what they hold.
    switch model["type"]?.string ?? (model["merges"] == nil ? "Unigram" : "BPE") {
    case "BPE":
      let bytePair = try BytePairReader(model, added, isByteLevel: isByteLevel).model
      if isByteLevel && cuts == .none && bytePair.isByteVocabulary(and: added.symbols) {
        return ByteTokenizer(normalization: normalization, specialSymbols: added.symbols)
      }
      return try tokenizer(.bytePair(bytePair), normalization, cuts, added)
    case "Unigram":
      guard !isByteLevel else {
        throw TokenizerJSONError("has a unigram model of bytes, which this version does not know")
      }
      return try tokenizer(.unigram(try UnigramReader.model(model, added)), normalization, cuts, added)
    case let type: throw TokenizerJSONError("has a model of type \"\(type)\", which this version does not know")
    }
  }

  private static func tokenizer(
    _ model: SubwordTokenizer.Model, _ normalization: TextNormalization, _ cuts: PreTokenization, _ added: AddedTokens
  ) throws -> SubwordTokenizer {
    SubwordTokenizer(
      model, normalization: normalization, preTokenization: cuts, specialSymbols: added.symbols)
  }

  /// ByteLevel changes offsets only, and a template that adds nothing adds nothing.
  private static func refuseUnknownPostProcessor(_ json: JSON?) throws {
    guard let json, !json.isNull, json["type"]?.string != "ByteLevel" else { return }
    throw TokenizerJSONError("has a post-processor that this version does not know")
  }
}

/// The symbols of tokenizer.json's `added_tokens`.
struct AddedTokens {
  private(set) var tokens: [(bytes: [UInt8], id: Int32)] = []

  init(_ json: JSON?, _ normalization: TextNormalization) throws {
    guard let json, !json.isNull else { return }
    guard let list = json.array else { throw TokenizerJSONError("has added_tokens that are no list") }
    var seen: Set<[UInt8]> = []
    for token in list {
      guard let text = token["content"]?.string, !text.isEmpty,
        let id = token["id"]?.integer.flatMap({ Int32(exactly: $0) }), id >= 0
      else { throw TokenizerJSONError("has an added token without content or id") }
      let isPlain = ["single_word", "lstrip", "rstrip"].allSatisfy { token[$0]?.bool != true }
      guard isPlain, token["normalized"]?.bool != true || normalization == .none else {
        throw TokenizerJSONError("has the added token \"\(text)\" with settings that this version does not know")
      }
      guard seen.insert(Array(text.utf8)).inserted else {
        throw TokenizerJSONError("has the added token \"\(text)\" twice")
      }
      tokens.append((Array(text.utf8), id))
    }
  }

  var symbols: [SpecialSymbol] { tokens.map { SpecialSymbol(bytes: $0.bytes, id: $0.id) } }

  func contains(_ bytes: [UInt8]) -> Bool { tokens.contains { $0.bytes == bytes } }
}

/// A vocabulary in the making: pieces by id, each id once and none left out.
struct PieceList {
  private var byID: [SubwordVocabulary.Piece?]
  private var seen: Set<SubwordVocabulary.Piece> = []

  /// - Parameter count: How many tokens there can be at most.
  init(count: Int) { byID = Array(repeating: nil, count: count) }

  mutating func add(_ piece: SubwordVocabulary.Piece, named name: String, id: Int?) throws {
    guard let id, byID.indices.contains(id), byID[id] == nil else {
      throw TokenizerJSONError("gives the token \"\(name)\" an id that is taken or not of 0 ..< \(byID.count)")
    }
    guard seen.insert(piece).inserted else { throw TokenizerJSONError("has the token \"\(name)\" twice") }
    byID[id] = piece
  }

  /// Adds the added tokens that the model's own vocabulary lacks; one that it has must have the same id there.
  mutating func add(_ added: AddedTokens) throws {
    for token in added.tokens.sorted(by: { $0.id < $1.id }) {
      let name = String(decoding: token.bytes, as: UTF8.self)
      if seen.contains(.special(token.bytes)) {
        guard token.id < byID.count, byID[Int(token.id)] == .special(token.bytes) else {
          throw TokenizerJSONError("gives the token \"\(name)\" two ids")
        }
      } else {
        if Int(token.id) == byID.count { byID.append(nil) }
        try add(.special(token.bytes), named: name, id: Int(token.id))
      }
    }
  }

  func finished() throws -> [SubwordVocabulary.Piece] {
    guard !byID.isEmpty else { throw TokenizerJSONError("has no vocabulary") }
    return try byID.enumerated().map { id, piece in
      guard let piece else { throw TokenizerJSONError("has no token of the id \(id)") }
      return piece
    }
  }

  /// The byte that a name such as `<0x0A>` stands for.
  static func byte(named name: String) -> UInt8? {
    let bytes = Array(name.utf8)
    guard bytes.count == 6, name.hasPrefix("<0x"), bytes.last == UInt8(ascii: ">") else { return nil }
    guard let byte = UInt8(String(decoding: bytes[3..<5], as: UTF8.self), radix: 16) else { return nil }
    return SubwordVocabulary.Piece.byte(byte).name == bytes ? byte : nil
  }
}
