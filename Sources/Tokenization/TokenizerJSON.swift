import ModelFiles

/// A tokenizer.json that cannot be used here.
public struct TokenizerJSONError: Error, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}

extension CharacterTokenizer {
  /// A BPE model without merges is a character tokenizer in Hugging Face's terms; the decoder `Fuse` joins without
  /// spaces. `<unk>` is not an added token, so that the text "<unk>" stays five symbols; special symbols are.
  public func tokenizerJSON() -> String {
    let vocabulary = scalars.indices.map { JSON.Member(name(of: Int32($0)), .integer($0)) }
    return TokenizerDocument(
      addedTokens: specialSymbols.map { TokenizerDocument.addedToken($0.text, id: $0.id) },
      normalization: normalization, preTokenizer: nil, decoder: ["type": "Fuse"],
      model: TokenizerDocument.bytePair(
        vocabulary: vocabulary, merges: [], unknown: unknownID == nil ? nil : Self.unknownText, byteFallback: false)
    ).text
  }

  /// Reads a tokenizer.json of the kind that ``tokenizerJSON()`` writes; other kinds are ``TokenizerReader``'s.
  public init(tokenizerJSON bytes: [UInt8]) throws {
    let document: JSON
    do { document = try JSON(parsing: bytes) } catch { throw TokenizerJSONError("is not JSON: \(error)") }
    guard Self.isMeant(by: document) else { throw TokenizerJSONError("is not a character tokenizer") }
    try self.init(document)
  }

  /// Whether a document describes a vocabulary of characters: BPE without merges and all else but symbols of its
  /// vocabulary.
  static func isMeant(by document: JSON) -> Bool {
    guard let model = document["model"], model["type"]?.string == "BPE", model["merges"]?.array?.isEmpty == true,
      document["pre_tokenizer"]?.isNull ?? true, document["post_processor"]?.isNull ?? true,
      document["truncation"]?.isNull ?? true, document["padding"]?.isNull ?? true
    else { return false }
    let added = document["added_tokens"]?.array ?? []
    return hasPlainSettings(model) && added.allSatisfy { isSymbol($0, of: model["vocab"]?.members ?? []) }
  }

  private static func isSymbol(_ added: JSON, of vocabulary: [JSON.Member]) -> Bool {
    guard let text = added["content"]?.string, let id = added["id"]?.integer else { return false }
    return vocabulary.contains { $0.key.utf8.elementsEqual(text.utf8) && $0.value.integer == id }
  }

  /// Reads a document that ``isMeant(by:)`` a vocabulary of characters.
  init(_ document: JSON) throws {
    let model = document["model"] ?? nil
    let normalization = try TextNormalization(tokenizerJSON: document["normalizer"])
    guard let vocabulary = model["vocab"]?.members, !vocabulary.isEmpty else {
      throw TokenizerJSONError("has no vocabulary")
    }
    let unknown = model["unk_token"]?.string
    let added = try AddedTokens(document["added_tokens"], normalization)
    let scalars = try Self.scalarsByID(vocabulary, unknown: unknown, added)
    self.init(
      byID: scalars, unknownID: unknown.flatMap { Self.id(of: $0, in: vocabulary) }, normalization: normalization,
      specialSymbols: added.symbols)
  }

  private static func id(of text: String, in vocabulary: [JSON.Member]) -> Int32? {
    vocabulary.first { $0.key.utf8.elementsEqual(text.utf8) }?.value.integer.flatMap { Int32(exactly: $0) }
  }

  /// Whether no setting of the model would give a text other ids than its symbols have.
  private static func hasPlainSettings(_ model: JSON) -> Bool {
    let flags = ["byte_fallback", "fuse_unk", "ignore_merges"].compactMap { model[$0] }
    let affixes = ["continuing_subword_prefix", "end_of_word_suffix"].compactMap { model[$0] }
    return flags.allSatisfy { $0.bool == false } && affixes.allSatisfy { $0.isNull || $0.string == "" }
  }

  private static func scalarsByID(
    _ vocabulary: [JSON.Member], unknown: String?, _ added: AddedTokens
  ) throws -> [Unicode.Scalar?] {
    var byID = [Unicode.Scalar??](repeating: nil, count: vocabulary.count)
    var seen: Set<Unicode.Scalar> = []
    for member in vocabulary {
      guard let id = member.value.integer, byID.indices.contains(id), byID[id] == nil else {
        throw TokenizerJSONError("gives the symbol \"\(member.key)\" an id that is taken or not of 0 ..< \(byID.count)")
      }
      let isUnknown = unknown.map { member.key.utf8.elementsEqual($0.utf8) } ?? false
      if isUnknown || added.contains(Array(member.key.utf8)) {
        byID[id] = .some(nil)
      } else {
        guard member.key.unicodeScalars.count == 1, let scalar = member.key.unicodeScalars.first else {
          throw TokenizerJSONError("has the symbol \"\(member.key)\", which is not one character")
        }
        guard seen.insert(scalar).inserted else { throw TokenizerJSONError("has the symbol \"\(member.key)\" twice") }
        byID[id] = .some(scalar)
      }
    }
    guard unknown?.unicodeScalars.count != 1 else {
      throw TokenizerJSONError("names an unknown token that is a character itself")
    }
    guard unknown.map({ id(of: $0, in: vocabulary) != nil }) ?? true else {
      throw TokenizerJSONError("names an unknown token that its vocabulary lacks")
    }
    return byID.map { $0 ?? nil }
  }
}
