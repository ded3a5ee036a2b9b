/// The parts of texts that surprisal is told by.
public enum TextUnit: String, Sendable, CaseIterable {
  case token, character, word, line, file
}

/// One part of a text and what the model thought of it.
public struct UnitRow: Sendable {
  /// The index of its text.
  public let file: Int
  /// Where it begins: the line and the Unicode scalar in it, both from 1.
  public internal(set) var line, position: Int
  /// The part as the text has it; of a line without its end, of a file nothing.
  public internal(set) var text = ""
  /// Unicode scalars of the text; of a file all.
  public internal(set) var characters = 0
  /// Σ −ln p of its tokens in nats; nil where none was scored.
  public internal(set) var surprisal: Double?
  /// The highest rank among its tokens, from 1; nil where none was scored.
  public internal(set) var rank: Int?
  /// Σ of the entropies of the predictions of its tokens, in nats; nil where none was scored.
  public internal(set) var entropy: Double?

  init(file: Int, line: Int, position: Int) { (self.file, self.line, self.position) = (file, line, position) }

  /// Nats for each character: what parts of different length are compared by.
  public var density: Double { (surprisal ?? 0) / Double(max(1, characters)) }

  mutating func add(_ surprisal: Double, _ details: ScoredToken.Details?, share: Double) {
    self.surprisal = (self.surprisal ?? 0) + share * surprisal
    guard let details else { return }
    rank = max(rank ?? 0, details.rank)
    entropy = (entropy ?? 0) + share * details.entropy
  }

  mutating func add(_ scalar: Unicode.Scalar) {
    text.unicodeScalars.append(scalar)
    characters += 1
  }
}

/// Cuts a text into units, scalar by scalar; each has the white space, or the line's end, that follows it.
struct UnitCursor {
  /// Bytes that are behind.
  private(set) var place = 0
  /// Where the next scalar stands.
  private(set) var line = 1
  private(set) var position = 1

  private let unit: TextUnit
  private var last: Unicode.Scalar?
  /// Whether nothing but white space has come.
  private var isLeading = true
  /// Whether a carriage return has come, which may be part of the line's end.
  private var hasReturn = false

  init(_ unit: TextUnit) { self.unit = unit }

  /// Steps over the next scalar.
  ///
  /// - Parameters:
  ///   - row: The unit at hand; the next one where the scalar begins one.
  ///   - index: Of the text.
  /// - Returns: The unit that has ended, if one has.
  mutating func step(over scalar: Unicode.Scalar, _ row: inout UnitRow?, file index: Int) -> UnitRow? {
    let isSpace = unit == .word && scalar.properties.isWhitespace
    var ended: UnitRow?
    if begins(scalar, isSpace) {
      ended = row
      row = UnitRow(file: index, line: line, position: position)
      hasReturn = false
    }
    defer {
      place += UTF8.width(scalar)
      (line, position) = scalar == "\n" ? (line + 1, 1) : (line, position + 1)
      last = scalar
      if unit == .word && isLeading {
        // White space before the first word is part of it; the word begins after it.
        if isSpace {
          row?.line = line
          row?.position = position
        }
        isLeading = isSpace
      }
    }
    show(scalar, isSpace, &row)
    return ended
  }

  private func begins(_ scalar: Unicode.Scalar, _ isSpace: Bool) -> Bool {
    guard let last else { return true }
    switch unit {
    case .token, .character: return true
    case .word: return !isLeading && !isSpace && last.properties.isWhitespace
    case .line: return last == "\n"
    case .file: return false
    }
  }

  private mutating func show(_ scalar: Unicode.Scalar, _ isSpace: Bool, _ row: inout UnitRow?) {
    switch unit {
    case .token, .character: row?.add(scalar)
    case .word: if !isSpace { row?.add(scalar) }
    case .file: row?.characters += 1
    case .line:
      if hasReturn && scalar != "\n" { row?.add("\r") }
      hasReturn = scalar == "\r"
      if scalar != "\n" && scalar != "\r" { row?.add(scalar) }
    }
  }
}
