// What is done to the rows that belong to a symbol, such as the one that begins a document.

extension Rows where Element == Int32 {
  /// Calls `body` with each row that holds `symbol`, the first first.
  public func forEachRow(holding symbol: Int32, _ body: (Int) -> Void) {
    for row in 0..<count where pointer[row] == symbol { body(row) }
  }

  /// How many rows hold `symbol`.
  public func count(of symbol: Int32) -> Int {
    var count = 0
    forEachRow(holding: symbol) { _ in count += 1 }
    return count
  }
}

extension Rows {
  /// Overwrites some columns of each row r with those of `row [1, N]` wherever `symbols[r]` is `symbol`.
  public func overwrite(with row: Rows, columns range: Range<Int>, where symbols: Rows<Int32>, are symbol: Int32) {
    precondition(
      symbols.count == rows && row.count == columns && range.lowerBound >= 0 && range.upperBound <= columns,
      "rows of [\(rows), \(columns)] overwritten with \(row.count) numbers where \(symbols.count) symbols say so")
    symbols.forEachRow(holding: symbol) { index in
      (pointer + index * columns + range.lowerBound).update(
        from: row.pointer + range.lowerBound, count: range.count)
    }
  }
}
