import UnicodeText

/// What a sentencepiece model does to a text before it looks for pieces (Kudo & Richardson 2018): its precompiled map,
/// then what it says of spaces. That spaces become U+2581 is a ``PreTokenization``.
public struct SentencePieceRules: Sendable, Equatable {
  /// The bytes of the precompiled character map; none leave every character as it is.
  let mapBytes: [UInt8]
  /// Symbols that the map does not touch.
  let kept: [SpecialSymbol]
  /// Whether a space is put before every text.
  let addsDummyPrefix: Bool
  /// Whether spaces at the ends are taken away, and several in a row become one.
  let removesExtraSpaces: Bool
  private let map: PrecompiledCharsMap?

  /// - Throws: ``PrecompiledCharsMap/Invalid``.
  init(
    mapBytes: [UInt8], kept: [SpecialSymbol], addsDummyPrefix: Bool, removesExtraSpaces: Bool
  ) throws(PrecompiledCharsMap.Invalid) {
    self.mapBytes = mapBytes
    self.kept = kept
    self.addsDummyPrefix = addsDummyPrefix
    self.removesExtraSpaces = removesExtraSpaces
    map = mapBytes.isEmpty ? nil : try PrecompiledCharsMap(parsing: mapBytes)
  }

  public static func == (a: Self, b: Self) -> Bool {
    a.mapBytes == b.mapBytes && a.kept == b.kept && a.addsDummyPrefix == b.addsDummyPrefix
      && a.removesExtraSpaces == b.removesExtraSpaces
  }

  func normalize(_ text: String) -> String {
    var mapped = text
    if let map {
      mapped = SpecialSymbol.segments(of: text, kept).map { segment in
        segment.symbol.map { String(decoding: $0.bytes, as: UTF8.self) } ?? map.normalize(segment.text)
      }.joined()
    }
    let bytes = Array(mapped.utf8)
    return TextEdit.applied(spaceEdits(bytes), to: bytes)
  }

  func normalizeTracing(_ text: String) -> NormalizedText {
    var mapped = NormalizedText()
    for segment in SpecialSymbol.segments(of: text, kept) {
      let isMapped = segment.symbol == nil
      let part = segment.symbol.map { String(decoding: $0.bytes, as: UTF8.self) } ?? segment.text
      let traced = isMapped ? map?.normalizeTracing(part) : nil
      mapped.append(traced ?? Normalizer().normalizeTracing(part), shiftedBy: segment.range.lowerBound)
    }
    return TextEdit.traced(spaceEdits(mapped.utf8), in: mapped.utf8).traced(through: mapped)
  }

  /// Leaves out extra spaces and puts the dummy prefix before the first byte that is left; nothing comes before nothing.
  private func spaceEdits(_ bytes: [UInt8]) -> [TextEdit] {
    let space = UInt8(ascii: " ")
    var (start, end) = (0, bytes.count)
    if removesExtraSpaces {
      while start < end && bytes[start] == space { start += 1 }
      // The mark itself counts as a space at the end.
      while end > start {
        if bytes[end - 1] == space {
          end -= 1
        } else if end - start >= 3 && bytes[end - 3..<end].elementsEqual(PreTokenization.mark) {
          end -= 3
        } else {
          break
        }
      }
    }
    guard start < end else { return bytes.isEmpty ? [] : [TextEdit(range: 0..<bytes.count, replacement: "")] }
    var edits = [TextEdit(range: 0..<start, replacement: addsDummyPrefix ? " " : "")]
    var place = start
    while removesExtraSpaces && place < end {
      let first = place
      while place < end && bytes[place] == space { place += 1 }
      if place - first > 1 { edits.append(TextEdit(range: first + 1..<place, replacement: "")) }
      place += 1
    }
    edits.append(TextEdit(range: end..<bytes.count, replacement: ""))
    return edits.filter { !$0.range.isEmpty || !$0.replacement.isEmpty }
  }
}
