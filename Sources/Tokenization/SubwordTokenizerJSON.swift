import ModelFiles

extension SubwordTokenizer {
  public func tokenizerJSON() -> String {
    if let sentencePiece { return TokenizerDocument.text(sentencePiece: sentencePiece) }
    let added = specialSymbols.map { TokenizerDocument.addedToken($0.text, id: $0.id) }
    switch model {
    case .bytePair(let model): return bytePairDocument(model, added).text
    case .unigram(let model): return unigramDocument(model, added).text
    }
  }

  private func bytePairDocument(_ model: BytePairModel, _ added: [JSON]) -> TokenizerDocument {
    let names = model.vocabulary.pieces.map { piece in
      if case .text(let bytes) = piece, case .bytes = model.alphabet { return ByteLevel.name(of: bytes) }
      return String(decoding: piece.name, as: UTF8.self)
    }
    let merges = model.merges.map { (names[Int($0.left)], names[Int($0.right)]) }
    var (isByteLevel, byteFallback) = (true, false)
    if case .scalars(let falls) = model.alphabet { (isByteLevel, byteFallback) = (false, falls) }
    return TokenizerDocument(
      addedTokens: added, normalization: normalization, preTokenizer: preTokenization.json(byteLevel: isByteLevel),
      decoder: isByteLevel
        ? TokenizerDocument.byteLevelDecoder
        : TokenizerDocument.decoder(byteFallback: byteFallback, metaspace: preTokenization.metaspaceJSON),
      model: TokenizerDocument.bytePair(
        vocabulary: names.enumerated().map { JSON.Member($1, .integer($0)) }, merges: merges,
        unknown: unknownID.map { names[Int($0)] }, byteFallback: byteFallback, fusesUnknown: model.fusesUnknown))
  }

  private func unigramDocument(_ model: UnigramModel, _ added: [JSON]) -> TokenizerDocument {
    let vocabulary = zip(model.vocabulary.pieces, model.scores).map { piece, score in
      JSON.array([.string(String(decoding: piece.name, as: UTF8.self)), .number(score)])
    }
    // The reader wants an id for what it does not know; with all bytes there is nothing, so any will do.
    let unknown = unknownID ?? (model.byteFallback ? model.vocabulary.byteIDs[0] : nil)
    return TokenizerDocument(
      addedTokens: added, normalization: normalization, preTokenizer: preTokenization.json(byteLevel: false),
      decoder: TokenizerDocument.decoder(byteFallback: model.byteFallback, metaspace: preTokenization.metaspaceJSON),
      model: [
        "type": "Unigram", "unk_id": unknown.map { .integer(Int($0)) } ?? nil, "vocab": .array(vocabulary),
        "byte_fallback": .bool(model.byteFallback),
      ])
  }
}
