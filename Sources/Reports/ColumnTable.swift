/// A table with a heading: the first columns flush left, the others flush right.
public struct ColumnTable: Sendable {
  private var rows: [[String]]
  private let flushLeft: Int

  /// A table with its heading alone.
  ///
  /// - Parameter flushLeft: How many of the first columns are flush left.
  public init(_ columns: [String], flushLeft: Int = 2) {
    rows = [columns]
    self.flushLeft = flushLeft
  }

  /// Adds a row of as many cells.
  public mutating func add(_ cells: [String]) {
    precondition(cells.count == rows[0].count, "\(cells.count) cells in a table of \(rows[0].count) columns")
    rows.append(cells)
  }

  /// The lines; ends with a line feed.
  public var text: String { columns(rows, flushLeft: flushLeft) }
}

/// Comma-separated values (RFC 4180).
public enum CSV {
  /// A field, in quotation marks where it needs them.
  public static func field(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { !Array(",\"\r\n".utf8).contains($0) }
    return isPlain ? text : "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
