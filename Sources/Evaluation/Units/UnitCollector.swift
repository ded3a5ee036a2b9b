import Tokenization

/// Puts the tokens of texts together to units, row by row; what it keeps does not grow with the text, but with its longest
/// unit that is shown.
///
/// - A token belongs to the line that it begins in, and to the word of its first scalar that is no white space. One that
///   is all white space belongs to the word before it, whose end it tells.
/// - Where a token has several characters, its surprisal and the entropy of its prediction are shared evenly among them.
/// - The end of a document belongs to what stands in its place: the line feed after it, or else the last unit.
/// - Rows of a text add up to its surprisal. Every character, word, line and file has a row, scored or not.
public final class UnitCollector: ReadingFollower {
  private let unit: TextUnit
  private let tokenizer: any Tokenizer
  private let emit: (UnitRow) throws -> Void

  private var index = -1
  private var cursor = UnitCursor(.file)
  private var current: UnitRow?

  /// - Parameter emit: Takes the rows in their order.
  public init(_ unit: TextUnit, _ tokenizer: any Tokenizer, _ emit: @escaping (UnitRow) throws -> Void) {
    self.unit = unit
    self.tokenizer = tokenizer
    self.emit = emit
  }

  public func begin(_ index: Int) {
    self.index = index
    cursor = UnitCursor(unit)
  }

  public func add(_ token: ScoredToken, in text: PassingText) throws {
    guard let surprisal = token.surprisal else { return }
    switch unit {
    case .token: try emit(row(of: token, surprisal, in: text))
    case .character: try share(token, surprisal, in: text)
    case .word, .line, .file: try add(surprisal, token.details, share: 1, at: anchor(of: token, in: text), in: text)
    }
  }

  public func advance(to place: Int, in text: PassingText) throws -> Int {
    try move(to: place, in: text)
    return cursor.place
  }

  public func end(_ text: PassingText) throws {
    if let current, unit != .token { try emit(current) }
    current = nil
  }

  // MARK: Text

  /// Goes on until a byte is behind, and ends the units on the way.
  private func move(to place: Int, in text: PassingText) throws {
    while cursor.place < place, let scalar = text.scalar(at: cursor.place) {
      if let ended = cursor.step(over: scalar, &current, file: index), unit != .token { try emit(ended) }
    }
  }

  // MARK: Tokens

  private func add(
    _ surprisal: Double, _ details: ScoredToken.Details?, share: Double, at place: Int, in text: PassingText
  ) throws {
    try move(to: place + 1, in: text)
    current?.add(surprisal, details, share: share)
  }

  private func anchor(of token: ScoredToken, in text: PassingText) -> Int {
    guard unit == .word else { return token.bytes.lowerBound }
    var place = text.start(of: token.bytes.lowerBound)
    while place < token.bytes.upperBound, let scalar = text.scalar(at: place) {
      if !scalar.properties.isWhitespace { return place }
      place += UTF8.width(scalar)
    }
    return token.bytes.lowerBound
  }

  private func share(_ token: ScoredToken, _ surprisal: Double, in text: PassingText) throws {
    let first = text.start(of: token.bytes.lowerBound)
    let count = max(1, text.scalars(in: first..<max(first, token.bytes.upperBound)))
    var place = first
    for _ in 0..<count {
      try add(surprisal, token.details, share: 1 / Double(count), at: place, in: text)
      place += text.scalar(at: place).map { UTF8.width($0) } ?? 0
    }
  }

  private func row(of token: ScoredToken, _ surprisal: Double, in text: PassingText) throws -> UnitRow {
    try move(to: text.start(of: token.bytes.lowerBound), in: text)
    var row = UnitRow(file: index, line: cursor.line, position: cursor.position)
    row.text = token.bytes.isEmpty ? tokenizer.text(of: token.id) : text.text(token.bytes)
    row.characters = text.scalars(in: token.bytes)
    row.add(surprisal, token.details, share: 1)
    return row
  }
}

/// The most surprising rows, by nats for each character: a heap with the least surprising of them at its root (Williams
/// 1964).
public struct TopRows {
  private let count: Int
  private var heap: [(row: UnitRow, order: Int)] = []
  private var added = 0

  /// Room for `count` rows.
  public init(_ count: Int) {
    precondition(count >= 1, "\(count) rows are to be kept")
    self.count = count
  }

  /// The most surprising first; of equals the earlier first.
  public var rows: [UnitRow] { heap.sorted { Self.isLess($1, $0) }.map(\.row) }

  /// Keeps a row where it is among the most surprising so far. It takes the logarithm of the rows kept.
  public mutating func add(_ row: UnitRow) {
    // Blank lines have no characters to share what their ends cost.
    guard row.surprisal != nil, row.characters > 0 else { return }
    added += 1
    if heap.count < count {
      heap.append((row, added))
      rise()
    } else if row.density > heap[0].row.density {
      heap[0] = (row, added)
      sink()
    }
  }

  /// Whether a row goes before another: less surprising, or as much and later.
  private static func isLess(_ a: (row: UnitRow, order: Int), _ b: (row: UnitRow, order: Int)) -> Bool {
    a.row.density < b.row.density || (a.row.density == b.row.density && a.order > b.order)
  }

  private mutating func rise() {
    var place = heap.count - 1
    while place > 0, Self.isLess(heap[place], heap[(place - 1) / 2]) {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  private mutating func sink() {
    var place = 0
    while true {
      var least = place
      for child in 2 * place + 1...2 * place + 2 where child < heap.count && Self.isLess(heap[child], heap[least]) {
        least = child
      }
      if least == place { return }
      heap.swapAt(place, least)
      place = least
    }
  }
}
