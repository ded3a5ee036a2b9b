/// The parts of texts that surprisal is told by.
public enum TextUnit: String, Sendable, CaseIterable {
  case token, character, word, line, file
}

/// One part of a text and what the model thought of it.
public struct UnitRow: Sendable {
  /// The index of its text.
  public let file: Int
  /// Where it begins: the line and the Unicode scalar in it, both from 1.
  public let line, position: Int
  /// The part as the text has it; of a line without its end, of a file nothing.
  public let text: String
  /// Unicode scalars of the text.
  public let characters: Int
  /// Σ −ln p of its tokens in nats; nil where none was scored.
  public internal(set) var surprisal: Double?
  /// The highest rank among its tokens, from 1; nil where none was scored.
  public internal(set) var rank: Int?
  /// Σ of the entropies of the predictions of its tokens, in nats; nil where none was scored.
  public internal(set) var entropy: Double?

  /// Nats for each character: what parts of different length are compared by.
  public var density: Double { (surprisal ?? 0) / Double(max(1, characters)) }

  mutating func add(_ surprisal: Double, _ details: ScoredToken.Details?, share: Double) {
    self.surprisal = (self.surprisal ?? 0) + share * surprisal
    guard let details else { return }
    rank = max(rank ?? 0, details.rank)
    entropy = (entropy ?? 0) + share * details.entropy
  }
}

/// Cuts a text into units, one after another, each with the white space that follows it.
struct UnitCursor {
  /// A unit: all bytes that belong to it, those that are shown, and the place where these begin.
  struct Piece {
    let all, shown: Range<Int>
    let line, position: Int
  }

  private let text: TextBytes
  private let unit: TextUnit
  private(set) var place = 0
  private var line = 1
  private var position = 1

  init(_ text: TextBytes, _ unit: TextUnit) {
    self.text = text
    self.unit = unit
  }

  /// The next unit, nil at the end.
  mutating func next() -> Piece? {
    guard place < text.count else { return nil }
    let first = place
    if unit == .word { skip { $0.properties.isWhitespace } }
    let (start, line, position) = (place, line, position)
    switch unit {
    case .token, .character: step()
    case .word: skip { !$0.properties.isWhitespace }
    case .line: skip { $0 != "\n" }
    case .file: skip { _ in true }
    }
    var end = place
    switch unit {
    case .word: skip { $0.properties.isWhitespace }
    case .line:
      if end > start, text.bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
      step()
    case .file: end = start
    case .token, .character: break
    }
    return Piece(all: first..<place, shown: start..<end, line: line, position: position)
  }

  /// Where a byte is, at or after the place of the cursor, which moves there.
  mutating func locate(_ byte: Int) -> (line: Int, position: Int) {
    while place < byte, place < text.count { step() }
    return (line, position)
  }

  private mutating func skip(while condition: (Unicode.Scalar) -> Bool) {
    while let scalar = text.scalar(at: place), condition(scalar) { step(scalar) }
  }

  private mutating func step() {
    if let scalar = text.scalar(at: place) { step(scalar) }
  }

  private mutating func step(_ scalar: Unicode.Scalar) {
    place += UTF8.width(scalar)
    (line, position) = scalar == "\n" ? (line + 1, 1) : (line, position + 1)
  }
}
