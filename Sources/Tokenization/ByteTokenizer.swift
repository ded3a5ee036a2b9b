import ModelFiles

/// The vocabulary of the 256 bytes of UTF-8, each its own id: no text is ever unknown.
public struct ByteTokenizer: Tokenizer, Equatable {
  public let normalization: TextNormalization

  /// The byte vocabulary over texts in a normalization form.
  public init(normalization: TextNormalization) { self.normalization = normalization }

  public var vocabularySize: Int { 256 }
  public var unknownID: Int32? { nil }

  public func encode(_ text: String, unknown policy: UnknownPolicy, keepsOffsets: Bool) throws -> EncodedText {
    let normalized = TracedText(text, normalization, keepsOffsets: keepsOffsets)
    let ids = normalized.text.utf8.map { Int32($0) }
    let offsets = keepsOffsets ? TracedText.ordered(ids.indices.map { normalized.original($0..<$0 + 1) }) : nil
    return EncodedText(ids: ids, unknown: [], offsets: offsets)
  }

  public func bytes(of id: Int32) -> [UInt8] {
    precondition((0..<256).contains(id), "token \(id) asked of a vocabulary of 256")
    return [UInt8(id)]
  }

  public func id(of text: String) -> Int32? { text.utf8.count == 1 ? text.utf8.first.map { Int32($0) } : nil }

  /// A byte-level BPE model without merges is the byte vocabulary in Hugging Face's terms.
  public func tokenizerJSON() -> String {
    let vocabulary = (0..<256).map { JSON.Member(ByteLevel.name(of: [UInt8($0)]), .integer($0)) }
    return TokenizerDocument(
      normalization: normalization, preTokenizer: PreTokenization.none.json(byteLevel: true),
      decoder: TokenizerDocument.byteLevelDecoder,
      model: TokenizerDocument.bytePair(vocabulary: vocabulary, merges: [], unknown: nil, byteFallback: false)
    ).text
  }
}
