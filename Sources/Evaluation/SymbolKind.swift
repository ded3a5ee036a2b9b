/// What a symbol is, to see which kinds a model knows.
public enum SymbolKind: Hashable, Sendable {
  /// A letter, with the name of its script.
  case letter(String)
  case mark, digit, space, lineEnd, punctuation, other, documentEnd

  /// For people and as a key.
  public var name: String {
    switch self {
    case .letter(let script): "letters, \(script)"
    case .mark: "combining marks"
    case .digit: "digits"
    case .space: "spaces"
    case .lineEnd: "line ends"
    case .punctuation: "punctuation"
    case .other: "other symbols"
    case .documentEnd: "document ends"
    }
  }

  /// The kind of a scalar, by its general category; a letter's script by its block.
  public init(_ scalar: Unicode.Scalar) {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .letterNumber:
      self = .letter(Script.name(of: scalar))
    case .nonspacingMark, .spacingMark, .enclosingMark: self = .mark
    case .decimalNumber, .otherNumber: self = .digit
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      self = .punctuation
    case .lineSeparator, .paragraphSeparator: self = .lineEnd
    default:
      self = scalar == "\n" || scalar == "\r" ? .lineEnd : scalar.properties.isWhitespace ? .space : .other
    }
  }

  /// The kind of a token: that of the first scalar that is no white space among those it came from, else of the first.
  package init(of bytes: Range<Int>, in text: PassingText) {
    var place = text.start(of: bytes.lowerBound)
    var first: Unicode.Scalar?
    repeat {
      guard let scalar = text.scalar(at: place) else { break }
      first = first ?? scalar
      if !scalar.properties.isWhitespace {
        first = scalar
        break
      }
      place += UTF8.width(scalar)
    } while place < bytes.upperBound
    self = first.map { SymbolKind($0) } ?? .other
  }
}

/// The scripts of letters, by the blocks of Unicode 15 that hold them.
private enum Script {
  private static let blocks: [(range: ClosedRange<UInt32>, name: String)] = [
    (0x0041...0x02AF, "Latin"), (0x0370...0x03FF, "Greek"), (0x0400...0x052F, "Cyrillic"),
    (0x0530...0x058F, "Armenian"), (0x0590...0x05FF, "Hebrew"), (0x0600...0x06FF, "Arabic"),
    (0x0700...0x074F, "Syriac"), (0x0750...0x077F, "Arabic"), (0x0780...0x07BF, "Thaana"), (0x08A0...0x08FF, "Arabic"),
    (0x0900...0x097F, "Devanagari"), (0x0980...0x09FF, "Bengali"), (0x0A00...0x0A7F, "Gurmukhi"),
    (0x0A80...0x0AFF, "Gujarati"), (0x0B00...0x0B7F, "Oriya"), (0x0B80...0x0BFF, "Tamil"), (0x0C00...0x0C7F, "Telugu"),
    (0x0C80...0x0CFF, "Kannada"), (0x0D00...0x0D7F, "Malayalam"), (0x0D80...0x0DFF, "Sinhala"),
    (0x0E00...0x0E7F, "Thai"), (0x0E80...0x0EFF, "Lao"), (0x0F00...0x0FFF, "Tibetan"), (0x1000...0x109F, "Myanmar"),
    (0x10A0...0x10FF, "Georgian"), (0x1100...0x11FF, "Hangul"), (0x1200...0x139F, "Ethiopic"),
    (0x13A0...0x13FF, "Cherokee"), (0x1780...0x17FF, "Khmer"), (0x1800...0x18AF, "Mongolian"),
    (0x1C80...0x1C8F, "Cyrillic"), (0x1C90...0x1CBF, "Georgian"), (0x1E00...0x1EFF, "Latin"),
    (0x1F00...0x1FFF, "Greek"), (0x2C60...0x2C7F, "Latin"), (0x2D00...0x2D2F, "Georgian"),
    (0x2DE0...0x2DFF, "Cyrillic"), (0x3005...0x3007, "Han"), (0x3040...0x309F, "Hiragana"),
    (0x30A0...0x30FF, "Katakana"), (0x3100...0x312F, "Bopomofo"), (0x3130...0x318F, "Hangul"),
    (0x31F0...0x31FF, "Katakana"), (0x3400...0x9FFF, "Han"), (0xA640...0xA69F, "Cyrillic"), (0xA720...0xA7FF, "Latin"),
    (0xAB30...0xAB6F, "Latin"), (0xAC00...0xD7FF, "Hangul"), (0xF900...0xFAFF, "Han"), (0xFB00...0xFB06, "Latin"),
    (0xFB1D...0xFB4F, "Hebrew"), (0xFB50...0xFDFF, "Arabic"), (0xFE70...0xFEFF, "Arabic"), (0xFF21...0xFF5A, "Latin"),
    (0xFF66...0xFF9F, "Katakana"), (0x20000...0x323AF, "Han"),
  ]

  static func name(of scalar: Unicode.Scalar) -> String {
    if scalar.value < 0x250 { return "Latin" }
    var (low, high) = (0, blocks.count)
    while low < high {
      let middle = (low + high) / 2
      if blocks[middle].range.upperBound < scalar.value { low = middle + 1 } else { high = middle }
    }
    return low < blocks.count && blocks[low].range.contains(scalar.value) ? blocks[low].name : "other"
  }
}
