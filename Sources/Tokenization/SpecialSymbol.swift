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
    var place = 0
    return SpecialSymbolFinder.parts(of: Array(text.utf8), symbols).map { part in
      let start = place
      switch part {
      case .text(let bytes):
        place += bytes.count
        return Segment(text: String(decoding: bytes, as: UTF8.self), range: start..<place, symbol: nil)
      case .symbol(let symbol):
        place += symbol.bytes.count
        return Segment(text: "", range: start..<place, symbol: symbol)
      }
    }
  }
}

extension [SpecialSymbol] {
  /// Symbols with ids from `first` on.
  init(_ texts: [String], from first: Int) {
    self = texts.enumerated().map { SpecialSymbol(bytes: [UInt8]($1.utf8), id: Int32(first + $0)) }
  }

  func id(of text: String) -> Int32? { first { $0.bytes.elementsEqual(text.utf8) }?.id }
}

/// Finds special symbols in a text that comes in pieces: the leftmost first, and the longest of those that begin at one
/// place.
struct SpecialSymbolFinder {
  enum Part {
    case text(ArraySlice<UInt8>)
    case symbol(SpecialSymbol)
  }

  /// By first byte, the longest first.
  private var byFirst = [[SpecialSymbol]](repeating: [], count: 256)
  private let longest: Int
  private var waiting: [UInt8] = []

  init(_ symbols: [SpecialSymbol]) {
    longest = symbols.map(\.bytes.count).max() ?? 0
    for symbol in symbols.sorted(by: { $0.bytes.count > $1.bytes.count }) {
      byFirst[Int(symbol.bytes.first ?? 0)].append(symbol)
    }
  }

  /// The parts that are known by now; without symbols to look for, the text itself.
  mutating func append(_ text: ArraySlice<UInt8>) -> [Part] {
    guard longest > 0 else { return [.text(text)] }
    waiting += text
    return take(upTo: max(0, waiting.count - longest + 1))
  }

  mutating func finish() -> [Part] { take(upTo: waiting.count) }

  /// The parts of a text that is there as a whole.
  static func parts(of text: [UInt8], _ symbols: [SpecialSymbol]) -> [Part] {
    var finder = SpecialSymbolFinder(symbols)
    finder.waiting = text
    return finder.finish()
  }

  /// Looks for symbols that begin before a place.
  private mutating func take(upTo end: Int) -> [Part] {
    var parts: [Part] = []
    var (start, place) = (0, 0)
    while place < end {
      guard let symbol = byFirst[Int(waiting[place])].first(where: { waiting[place...].starts(with: $0.bytes) }) else {
        place += 1
        continue
      }
      if start < place { parts.append(.text(waiting[start..<place])) }
      parts.append(.symbol(symbol))
      place += symbol.bytes.count
      start = place
    }
    if start < place { parts.append(.text(waiting[start..<place])) }
    waiting.removeFirst(place)
    return parts
  }
}
