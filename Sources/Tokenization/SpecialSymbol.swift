/// A symbol that is found in a text as it is, before normalization and all else, and is one token.
struct SpecialSymbol: Sendable, Equatable {
  let bytes: [UInt8]
  let id: Int32

  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// A part of a text: a special symbol, or what is between two.
  struct Segment {
    let text: String
    /// Bytes of the whole text.
    let range: Range<Int>
    let symbol: SpecialSymbol?
  }

  /// Cuts a text at its special symbols: the leftmost first, and the longest of those that begin at one place.
  static func segments(of text: String, _ symbols: [SpecialSymbol]) -> [Segment] {
    let firsts = symbols.compactMap(\.bytes.first)
    guard !firsts.isEmpty, text.utf8.contains(where: { firsts.contains($0) }) else {
      return text.isEmpty ? [] : [Segment(text: text, range: 0..<text.utf8.count, symbol: nil)]
    }
    let bytes = Array(text.utf8)
    var byFirst = [[SpecialSymbol]](repeating: [], count: 256)
    for symbol in symbols.sorted(by: { $0.bytes.count > $1.bytes.count }) {
      byFirst[Int(symbol.bytes.first ?? 0)].append(symbol)
    }
    var segments: [Segment] = []
    var (start, place) = (0, 0)
    func close(at end: Int) {
      guard start < end else { return }
      segments.append(
        Segment(text: String(decoding: bytes[start..<end], as: UTF8.self), range: start..<end, symbol: nil))
    }
    while place < bytes.count {
      guard let symbol = byFirst[Int(bytes[place])].first(where: { bytes[place...].starts(with: $0.bytes) }) else {
        place += 1
        continue
      }
      close(at: place)
      start = place + symbol.bytes.count
      segments.append(Segment(text: "", range: place..<start, symbol: symbol))
      place = start
    }
    close(at: place)
    return segments
  }
}

extension [SpecialSymbol] {
  /// Symbols with ids from `first` on.
  init(_ texts: [String], from first: Int) {
    self = texts.enumerated().map { SpecialSymbol(bytes: [UInt8]($1.utf8), id: Int32(first + $0)) }
  }

  func id(of text: String) -> Int32? { first { $0.bytes.elementsEqual(text.utf8) }?.id }
}
