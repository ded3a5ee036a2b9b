import Tokenization

/// Puts the tokens of texts together to units, row by row; what it keeps does not grow with the text.
///
/// - A token belongs to the line that it begins in, and to the word of its first scalar that is no white space. One that
///   is all white space belongs to the word before it, whose end it tells.
/// - Where a token has several characters, its surprisal and the entropy of its prediction are shared evenly among them.
/// - The end of a document belongs to what stands in its place: the line feed after it, or else the last unit.
/// - Rows of a text add up to its surprisal. Every character, word, line and file has a row, scored or not.
public struct UnitCollector {
  private let unit: TextUnit
  private let texts: [String]
  private let tokenizer: any Tokenizer
  private let emit: (UnitRow) throws -> Void

  private var index = -1
  private var bytes = TextBytes("")
  private var cursor = UnitCursor(TextBytes(""), .file)
  private var current: (all: Range<Int>, row: UnitRow)?

  /// - Parameter emit: Takes the rows in their order.
  public init(
    _ unit: TextUnit, of texts: [String], _ tokenizer: any Tokenizer, _ emit: @escaping (UnitRow) throws -> Void
  ) {
    self.unit = unit
    self.texts = texts
    self.tokenizer = tokenizer
    self.emit = emit
  }

  /// Adds the next token of a text.
  public mutating func add(_ text: Int, _ token: ScoredToken) throws {
    try moveTo(text)
    guard let surprisal = token.surprisal else { return }
    switch unit {
    case .token: try emit(row(of: token, surprisal))
    case .character: try share(token, surprisal)
    case .word, .line, .file: try add(surprisal, token.details, share: 1, at: anchor(of: token))
    }
  }

  /// Writes the last rows.
  public mutating func finish() throws {
    try moveTo(texts.count - 1)
    try endText()
  }

  // MARK: Texts

  private mutating func moveTo(_ text: Int) throws {
    while index < text {
      try endText()
      index += 1
      bytes = TextBytes(texts[index])
      cursor = UnitCursor(bytes, unit)
    }
  }

  private mutating func endText() throws {
    guard index >= 0, unit != .token else { return }
    while try advance() {}
    if let current { try emit(current.row) }
    current = nil
  }

  /// Goes on to the next unit; false where there is none, and the last one stays.
  private mutating func advance() throws -> Bool {
    guard let piece = cursor.next() else { return false }
    if let current { try emit(current.row) }
    let row = UnitRow(
      file: index, line: piece.line, position: piece.position, text: bytes.text(piece.shown),
      characters: scalars(in: unit == .file ? piece.all : piece.shown))
    current = (piece.all, row)
    return true
  }

  // MARK: Tokens

  private mutating func add(
    _ surprisal: Double, _ details: ScoredToken.Details?, share: Double, at place: Int
  ) throws {
    while place >= (current?.all.upperBound ?? 0), try advance() {}
    current?.row.add(surprisal, details, share: share)
  }

  private func anchor(of token: ScoredToken) -> Int {
    guard unit == .word else { return token.bytes.lowerBound }
    var place = bytes.start(of: token.bytes.lowerBound)
    while place < token.bytes.upperBound, let scalar = bytes.scalar(at: place) {
      if !scalar.properties.isWhitespace { return place }
      place += UTF8.width(scalar)
    }
    return token.bytes.lowerBound
  }

  private mutating func share(_ token: ScoredToken, _ surprisal: Double) throws {
    let first = bytes.start(of: token.bytes.lowerBound)
    let count = max(1, scalars(in: first..<max(first, token.bytes.upperBound)))
    var place = first
    for _ in 0..<count {
      try add(surprisal, token.details, share: 1 / Double(count), at: place)
      place += bytes.scalar(at: place).map { UTF8.width($0) } ?? 0
    }
  }

  private mutating func row(of token: ScoredToken, _ surprisal: Double) -> UnitRow {
    let (line, position) = cursor.locate(bytes.start(of: token.bytes.lowerBound))
    let text = token.bytes.isEmpty ? tokenizer.text(of: token.id) : bytes.text(token.bytes)
    var row = UnitRow(
      file: index, line: line, position: position, text: text, characters: scalars(in: token.bytes))
    row.add(surprisal, token.details, share: 1)
    return row
  }

  private func scalars(in range: Range<Int>) -> Int { bytes.bytes[range].count { $0 & 0xC0 != 0x80 } }
}

/// The most surprising rows, by nats for each character.
public struct TopRows {
  /// The most surprising first; of equals the earlier first.
  public private(set) var rows: [UnitRow] = []
  private let count: Int

  /// Room for `count` rows.
  public init(_ count: Int) { self.count = count }

  /// Keeps a row where it is among the most surprising so far.
  public mutating func add(_ row: UnitRow) {
    // Blank lines have no characters to share what their ends cost.
    guard row.surprisal != nil, row.characters > 0 else { return }
    if rows.count == count {
      guard let last = rows.last, row.density > last.density else { return }
      rows.removeLast()
    }
    let place = rows.firstIndex { row.density > $0.density } ?? rows.count
    rows.insert(row, at: place)
  }
}
