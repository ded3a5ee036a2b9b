/// A normalized text as the model sees it: the same bytes, or with U+2581 for spaces.
struct MarkedText {
  let bytes: [UInt8]
  /// Whether spaces became marks of three bytes.
  private let hasMarks: Bool
  /// Whether one was put before the text.
  private let isPrepended: Bool

  /// - Parameter isFirst: Whether the text is the beginning of all.
  init(_ text: String, _ preTokenization: PreTokenization, isFirst: Bool) {
    guard case .metaspace(let prepend, _) = preTokenization else {
      bytes = Array(text.utf8)
      hasMarks = false
      isPrepended = false
      return
    }
    var marked: [UInt8] = []
    for byte in text.utf8 {
      if byte == UInt8(ascii: " ") { marked += PreTokenization.mark } else { marked.append(byte) }
    }
    let isWanted = prepend == .always || (prepend == .first && isFirst)
    isPrepended = isWanted && !marked.starts(with: PreTokenization.mark)
    bytes = isPrepended ? PreTokenization.mark + marked : marked
    hasMarks = true
  }

  /// For each byte place of the marked text, and its end, the place in the normalized one; nil where both are the same.
  func places(in text: String) -> [Int]? {
    guard hasMarks else { return nil }
    var places = isPrepended ? [0, 0, 0] : []
    for (place, byte) in text.utf8.enumerated() {
      places += byte == UInt8(ascii: " ") ? [place, place, place] : [place]
    }
    return places + [text.utf8.count]
  }
}

/// Puts the tokens of a text's segments together, unknown symbols settled and offsets traced back.
struct Assembly {
  private var encoded: EncodedText
  private var unknown: UnknownCounter
  /// Scalars of the normalized text before the segment at hand.
  private var scalars = 0

  init(_ unknown: UnknownCounter, keepsOffsets: Bool) {
    self.unknown = unknown
    encoded = EncodedText(ids: [], unknown: [], offsets: keepsOffsets ? [] : nil)
  }

  /// Adds a special symbol, which is found in these bytes of the original.
  mutating func add(symbol id: Int32, _ range: Range<Int>) {
    encoded.ids.append(id)
    encoded.offsets?.append(range)
    scalars += 1
  }

  /// Adds a segment's tokens.
  ///
  /// - Parameter start: The segment's first byte in the original.
  mutating func add(_ tokens: SubwordTokens, _ marked: MarkedText, _ normalized: TracedText, start: Int) {
    let hasUnknown = tokens.ids.contains { $0 < 0 }
    guard hasUnknown || encoded.offsets != nil else {
      if encoded.ids.isEmpty { encoded.ids = tokens.ids } else { encoded.ids += tokens.ids }
      return
    }
    let places = marked.places(in: normalized.text)
    var (place, position, begin) = (0, scalars, 0)
    for (id, length) in zip(tokens.ids, tokens.lengths) {
      let end = place + Int(length)
      if id < 0 { addUnknown(marked.bytes, place, position) }
      if id != SubwordTokens.moreUnknown { begin = place }
      let range = (places?[begin] ?? begin)..<(places?[end] ?? end)
      settle(id, normalized.original(range), start)
      position += marked.bytes[place..<end].count { $0 & 0xC0 != 0x80 }
      place = end
    }
    scalars = position
  }

  private mutating func addUnknown(_ bytes: [UInt8], _ place: Int, _ position: Int) {
    // A byte within a scalar stands for the scalar.
    var first = place
    while first > 0 && bytes[first] & 0xC0 == 0x80 { first -= 1 }
    unknown.add(WordScanner.scalar(bytes, first).scalar, at: first == place ? position : position - 1)
  }

  /// Adds a token, or what becomes of an unknown one.
  private mutating func settle(_ id: Int32, _ range: Range<Int>, _ start: Int) {
    let range = range.lowerBound + start..<range.upperBound + start
    if id >= 0 {
      encoded.ids.append(id)
      encoded.offsets?.append(range)
    } else if let replacement = unknown.replacement {
      if id == SubwordTokens.moreUnknown, let last = encoded.offsets?.indices.last {
        encoded.offsets?[last] = range
      } else if id != SubwordTokens.moreUnknown {
        encoded.ids.append(replacement)
        encoded.offsets?.append(range)
      }
    }
  }

  mutating func finish() throws -> EncodedText {
    encoded.offsets = encoded.offsets.map(TracedText.ordered)
    encoded.unknown = try unknown.finish()
    return encoded
  }
}
