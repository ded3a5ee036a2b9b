/// Finds the ends of words in UTF-8 as a ``PreTokenization`` says, in one pass over the bytes.
package struct WordScanner {
  private let preTokenization: PreTokenization
  private let ascii = WordScanner.ascii

  package init(_ preTokenization: PreTokenization) { self.preTokenization = preTokenization }

  /// What a scalar is to GPT-2's pattern.
  private enum Kind: UInt8 { case letter, number, space, other }

  /// The end of the word that begins at `start`, which must be less than the number of bytes.
  package func end(_ bytes: [UInt8], from start: Int) -> Int {
    switch preTokenization {
    case .none, .metaspace(_, splits: false): bytes.count
    case .whitespace: endBeforeSpace(bytes, start)
    case .metaspace(_, splits: true): endBeforeMark(bytes, start)
    case .gpt2: endOfPattern(bytes, start)
    }
  }

  private func endBeforeSpace(_ bytes: [UInt8], _ start: Int) -> Int {
    var place = start + Self.width(bytes[start])
    while place < bytes.count {
      let (kind, width) = look(bytes, place)
      if kind == .space { return place }
      place += width
    }
    return place
  }

  private func endBeforeMark(_ bytes: [UInt8], _ start: Int) -> Int {
    var place = start + Self.width(bytes[start])
    while place < bytes.count {
      if bytes[place] == 0xE2 && bytes[place...].starts(with: PreTokenization.mark) { return place }
      place += Self.width(bytes[place])
    }
    return place
  }

  /// The pattern's alternatives in its order; see ``PreTokenization/gpt2Pattern``.
  private func endOfPattern(_ bytes: [UInt8], _ start: Int) -> Int {
    let byte = bytes[start]
    if byte == UInt8(ascii: "'"), let end = endOfContraction(bytes, start) { return end }
    let (first, width) = look(bytes, start)
    if byte == UInt8(ascii: " ") && start + 1 < bytes.count {
      let next = look(bytes, start + 1).kind
      if next != .space { return endOfRun(bytes, start + 1, next) }
    }
    guard first == .space else { return endOfRun(bytes, start, first) }
    // A run of white space before something else leaves its last scalar to what follows.
    var (end, last) = (start + width, start)
    while end < bytes.count {
      let (kind, width) = look(bytes, end)
      guard kind == .space else { return last > start ? last : end }
      last = end
      end += width
    }
    return end
  }

  private func endOfRun(_ bytes: [UInt8], _ start: Int, _ kind: Kind) -> Int {
    var place = start
    while place < bytes.count {
      let (next, width) = look(bytes, place)
      guard next == kind else { break }
      place += width
    }
    return place
  }

  /// 's, 't, 're, 've, 'm, 'll and 'd.
  private func endOfContraction(_ bytes: [UInt8], _ start: Int) -> Int? {
    guard start + 1 < bytes.count else { return nil }
    let first = bytes[start + 1]
    if "stmd".utf8.contains(first) { return start + 2 }
    guard start + 2 < bytes.count else { return nil }
    let isPair =
      switch first {
      case UInt8(ascii: "r"), UInt8(ascii: "v"): bytes[start + 2] == UInt8(ascii: "e")
      case UInt8(ascii: "l"): bytes[start + 2] == UInt8(ascii: "l")
      default: false
      }
    return isPair ? start + 3 : nil
  }

  // MARK: Scalars

  /// The kinds of ASCII.
  private static let ascii: [Kind] = (0..<128).map { kind(of: Unicode.Scalar(UInt8($0))) }

  @inline(__always)
  private func look(_ bytes: [UInt8], _ place: Int) -> (kind: Kind, width: Int) {
    let byte = bytes[place]
    if byte < 0x80 { return (ascii[Int(byte)], 1) }
    let (scalar, width) = Self.scalar(bytes, place)
    return (Self.kind(of: scalar), width)
  }

  private static func kind(of scalar: Unicode.Scalar) -> Kind {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: .letter
    case .decimalNumber, .letterNumber, .otherNumber: .number
    default: scalar.properties.isWhitespace ? .space : .other
    }
  }

  /// Bytes of the scalar that begins with this byte.
  @inline(__always)
  static func width(_ byte: UInt8) -> Int { byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4 }

  /// Where the scalar begins that a byte belongs to.
  static func start(_ bytes: [UInt8], _ place: Int) -> Int {
    var start = place
    while start > 0 && bytes[start] & 0xC0 == 0x80 { start -= 1 }
    return start
  }

  /// The scalar that begins at a place of valid UTF-8.
  static func scalar(_ bytes: [UInt8], _ place: Int) -> (scalar: Unicode.Scalar, width: Int) {
    let width = width(bytes[place])
    precondition(place + width <= bytes.count, "UTF-8 must end with a whole scalar")
    if width == 1 { return (Unicode.Scalar(bytes[place]), 1) }
    var value = UInt32(bytes[place]) & (0x7F >> UInt32(width))
    for next in bytes[place + 1..<place + width] { value = value << 6 | UInt32(next & 0x3F) }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", width)
  }
}
