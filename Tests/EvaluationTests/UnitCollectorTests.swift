import Evaluation
import Foundation
import Testing
import Tokenization

/// Rows of units from tokens made by hand.
@Suite struct UnitCollectorTests {
  private final class Rows { var rows: [UnitRow] = [] }

  /// Tokens as the strings they are; the first is not scored. Token i has i nats, rank i and entropy i / 2.
  private func rows(_ unit: TextUnit, _ texts: [[String]]) throws -> [UnitRow] {
    let sink = Rows()
    let collector = UnitCollector(unit, ByteTokenizer(normalization: .none)) { sink.rows.append($0) }
    for (index, tokens) in texts.enumerated() {
      let text = PassingText(tokens.joined())
      collector.begin(index)
      var place = 0
      for (i, token) in tokens.enumerated() {
        let end = place + token.utf8.count
        try collector.add(
          ScoredToken(
            id: 0, bytes: place..<end, position: i, isDocumentEnd: false, surprisal: i == 0 ? nil : Double(i),
            details: i == 0 ? nil : .init(rank: i, entropy: Double(i) / 2)), in: text)
        place = end
      }
      _ = try collector.advance(to: place, in: text)
      try collector.end(text)
    }
    return sink.rows
  }

  private static let tokens = ["The", " fox", "es", " ", " ran", ".\n", "\n", "né", "e", " \n"]

  private func expectTotal(_ rows: [UnitRow], _ total: Double) {
    #expect(abs(rows.reduce(0) { $0 + ($1.surprisal ?? 0) } - total) < 1e-12)
    #expect(abs(rows.reduce(0) { $0 + ($1.entropy ?? 0) } - total / 2) < 1e-12)
  }

  @Test(arguments: TextUnit.allCases)
  func rowsAddUp(_ unit: TextUnit) throws {
    let texts = [Self.tokens, ["a"], ["x", "y z"]]
    let rows = try rows(unit, texts)
    expectTotal(rows, 45 + 1)
    let counts: [TextUnit: Int] = [.token: 10, .character: 27, .word: 7, .line: 5, .file: 3]
    #expect(rows.count == counts[unit])
  }

  @Test func words() throws {
    let rows = try rows(.word, [Self.tokens])
    #expect(rows.map(\.text) == ["The", "foxes", "ran.", "née"])
    // A blank of its own tells the end of the word before it.
    #expect(rows.map(\.surprisal) == [nil, 6, 15, 24] as [Double?])
    #expect(rows.map(\.rank) == [nil, 3, 6, 9])
    #expect(rows.map(\.line) == [1, 1, 1, 3] && rows.map(\.position) == [1, 5, 12, 1])
  }

  @Test func lines() throws {
    let rows = try rows(.line, [Self.tokens, ["a\r\n", "b"]])
    #expect(rows.map(\.text) == ["The foxes  ran.", "", "née ", "a", "b"])
    #expect(rows.map(\.surprisal) == [15, 6, 24, nil, 1] as [Double?])
    #expect(rows.map(\.line) == [1, 2, 3, 1, 2] && rows.map(\.file) == [0, 0, 0, 1, 1])
  }

  @Test func charactersShareTheirToken() throws {
    let rows = try rows(.character, [["a", "né", "x"]])
    #expect(rows.map(\.text) == ["a", "n", "é", "x"] && rows.map(\.surprisal) == [nil, 0.5, 0.5, 2] as [Double?])
    #expect(rows.map(\.position) == [1, 2, 3, 4] && rows.map(\.rank) == [nil, 1, 1, 2])
  }

  /// Bytes of one character are added up, and the highest rank counts wherever it came.
  @Test(arguments: [false, true])
  func bytesMakeCharacters(_ hasDetails: Bool) throws {
    let sink = Rows()
    let collector = UnitCollector(.character, ByteTokenizer(normalization: .none)) { sink.rows.append($0) }
    let text = PassingText("aéb")
    collector.begin(0)
    for place in 0..<4 {
      try collector.add(
        ScoredToken(
          id: 0, bytes: place..<place + 1, position: place, isDocumentEnd: false, surprisal: Double(place + 1),
          details: hasDetails ? .init(rank: 10 - place, entropy: 1) : nil), in: text)
    }
    _ = try collector.advance(to: 4, in: text)
    try collector.end(text)
    #expect(sink.rows.map(\.surprisal) == [1, 5, 4] as [Double?])
    #expect(sink.rows.map(\.rank) == (hasDetails ? [10, 9, 7] : [nil, nil, nil]))
  }

  /// White space before the first word is part of it, but not where it is said to begin.
  @Test func leadingWhiteSpace() throws {
    let rows = try rows(.word, [["\n ", " ", "ab", " c"]])
    #expect(rows.map(\.text) == ["ab", "c"] && rows.map(\.surprisal) == [3, 3])
    #expect(rows.map(\.line) == [2, 2] && rows.map(\.position) == [3, 6])
  }

  /// A carriage return is part of a line's end only before a line feed.
  @Test func carriageReturns() throws {
    #expect(try rows(.line, [["a\rb\r\n", "\r\r\n", "c\r"]]).map(\.text) == ["a\rb", "\r", "c"])
  }

  /// Density is by characters, not by bytes.
  @Test func densities() throws {
    #expect(try rows(.token, [["x", "é", "ab", "日本語"]]).map(\.density) == [1, 1, 1])
  }

  /// A document's end has no text of its own, but a name.
  @Test func endsOfDocumentsAreNamed() throws {
    let sink = Rows()
    let collector = UnitCollector(.token, ByteTokenizer(normalization: .none, specialSymbols: ["<s>", "</s>"])) {
      sink.rows.append($0)
    }
    let text = PassingText("a\n")
    collector.begin(0)
    try collector.add(
      ScoredToken(id: 257, bytes: 1..<1, position: 2, isDocumentEnd: true, surprisal: 1, details: nil), in: text)
    #expect(sink.rows.map(\.text) == ["</s>"] && sink.rows.map(\.characters) == [0])
    #expect(sink.rows.map(\.position) == [2])
  }

  @Test func tokensHavePlaces() throws {
    let rows = try rows(.token, [Self.tokens])
    #expect(rows.map(\.text) == Array(Self.tokens.dropFirst()))
    #expect(rows.map(\.line) == [1, 1, 1, 1, 1, 2, 3, 3, 3] && rows.map(\.position) == [4, 8, 10, 11, 15, 1, 1, 3, 4])
  }

  @Test func formsOfRows() throws {
    let row = try rows(.token, [["a", "x,\"\n"]])[0]
    #expect(row.csv(file: "f") == "f,1,2,\"x,\"\"\n\",1.442695,1,0.721348")
    #expect(row.json(file: "f")["text"]?.string == "x,\"\n" && row.json(file: "f")["rank"]?.integer == 1)
    let empty = try rows(.character, [["a"]])[0]
    #expect(empty.csv(file: "f") == "f,1,1,a,,," && empty.json(file: "f")["surprisal_bits"]?.isNull == true)
  }

  @Test func theMostSurprising() throws {
    var top = TopRows(2)
    for row in try rows(.word, [["a ", "long ", "b ", "c ", "dd"]]) { top.add(row) }
    // Nats for each character: 1 / 4, 2, 3, 4 / 2.
    #expect(top.rows.map(\.text) == ["c", "b"])
  }

  /// A blank line has no characters that could be surprising, and what was not scored has no place at all.
  @Test(arguments: [1, 2, 9])
  func blankLinesAreNotSurprising(_ count: Int) throws {
    var top = TopRows(count)
    for row in try rows(.line, [["ab", "\n", "\n", "\n", "c"], ["z"]]) { top.add(row) }
    // Nats for each character: 1 / 2, then 2 and 3 for line ends alone, then 4.
    #expect(top.rows.map(\.text) == Array(["c", "ab"].prefix(count)))
  }

  /// A heap keeps what sorting would: equals in the order in which they came.
  @Test(arguments: [1, 7, 200, 1000])
  func theTopIsThatOfSorting(_ count: Int) throws {
    let words = (0..<400).map { "w\($0 * 37 % 100) " }
    let rows = try rows(.word, [["x "] + words.map { String(repeating: $0, count: 1) }]).dropFirst()
    var top = TopRows(count)
    // Some are as surprising as others.
    let mixed = rows.map { row in rows[rows.startIndex + row.position * 7 % 50] }
    for row in mixed { top.add(row) }
    let sorted = mixed.enumerated().sorted { ($1.element.density, $0.offset) < ($0.element.density, $1.offset) }
    #expect(top.rows.map(\.position) == sorted.prefix(count).map(\.element.position))
  }

  /// The total adds surprisals and entropies up, and has the highest rank wherever it came.
  @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
  func totals(_ order: [Int]) throws {
    let all = try rows(.token, [["a", "x", "yy", "zzz"]])
    var total = UnitTotal()
    for index in order { total.add(all[index]) }
    let sums = (all.compactMap(\.surprisal).reduce(0, +), all.compactMap(\.entropy).reduce(0, +))
    #expect(abs((total.json["surprisal_bits"]?.double ?? 0) - sums.0 / log(2)) < 1e-12 && sums.0 > 0)
    #expect(abs((total.json["entropy_bits"]?.double ?? 0) - sums.1 / log(2)) < 1e-12 && sums.1 > 0)
    #expect(total.json["rank"]?.integer == all.compactMap(\.rank).max() && total.csv.hasPrefix(",,,,"))
  }
}
