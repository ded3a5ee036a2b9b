import ModelFiles

/// The vocabulary of the 256 bytes of UTF-8, each its own id: no text is ever unknown. Special symbols follow them.
public struct ByteTokenizer: Tokenizer, Equatable {
  public let normalization: TextNormalization
  /// Symbols that are found in a text as they are, with their ids.
  let specialSymbols: [SpecialSymbol]

  /// The byte vocabulary over normalized texts.
  ///
  /// - Parameter specialSymbols: Symbols that are found in a text as they are; distinct, none empty.
  public init(normalization: TextNormalization, specialSymbols: [String] = []) {
    self.init(normalization: normalization, specialSymbols: .init(specialSymbols, from: 256))
  }

  init(normalization: TextNormalization, specialSymbols: [SpecialSymbol]) {
    self.normalization = normalization
    self.specialSymbols = specialSymbols
  }

  public var vocabularySize: Int { 256 + specialSymbols.count }
  public var unknownID: Int32? { nil }

  public func encode(_ text: String, unknown policy: UnknownPolicy, keepsOffsets: Bool) throws -> EncodedText {
    var encoded = EncodedText(ids: [], unknown: [], offsets: keepsOffsets ? [] : nil)
    for segment in SpecialSymbol.segments(of: text, specialSymbols) {
      if let symbol = segment.symbol {
        encoded.ids.append(symbol.id)
        encoded.offsets?.append(segment.range)
        continue
      }
      let normalized = TracedText(segment.text, normalization, keepsOffsets: keepsOffsets)
      encoded.ids += normalized.text.utf8.map { Int32($0) }
      guard keepsOffsets else { continue }
      for place in 0..<normalized.text.utf8.count {
        let range = normalized.original(place..<place + 1)
        encoded.offsets?.append(
          range.lowerBound + segment.range.lowerBound..<range.upperBound + segment.range.lowerBound)
      }
    }
    encoded.offsets = encoded.offsets.map(TracedText.ordered)
    return encoded
  }

  public func bytes(of id: Int32) -> [UInt8] {
    precondition((0..<vocabularySize).contains(Int(id)), "token \(id) asked of a vocabulary of \(vocabularySize)")
    return specialSymbols.first { $0.id == id }?.bytes ?? [UInt8(truncatingIfNeeded: id)]
  }

  public func specialID(of text: String) -> Int32? { specialSymbols.id(of: text) }

  public func id(of text: String) -> Int32? {
    if let special = specialID(of: text) { return special }
    return text.utf8.count == 1 ? text.utf8.first.map { Int32($0) } : nil
  }

  /// A byte-level BPE model without merges is the byte vocabulary in Hugging Face's terms.
  public func tokenizerJSON() -> String {
    let bytes = (0..<256).map { JSON.Member(ByteLevel.name(of: [UInt8($0)]), .integer($0)) }
    let symbols = specialSymbols.map { JSON.Member($0.text, .integer(Int($0.id))) }
    return TokenizerDocument(
      addedTokens: specialSymbols.map { TokenizerDocument.addedToken($0.text, id: $0.id) },
      normalization: normalization, preTokenizer: PreTokenization.none.json(byteLevel: true),
      decoder: TokenizerDocument.byteLevelDecoder,
      model: TokenizerDocument.bytePair(
        vocabulary: bytes + symbols, merges: [], unknown: nil, byteFallback: false)
    ).text
  }
}
