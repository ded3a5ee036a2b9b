/// A table with a heading: the first two columns flush left, the others flush right.
public struct ColumnTable: Sendable {
  private var rows: [[String]]

  /// A table with its heading alone.
  public init(_ columns: [String]) { rows = [columns] }

  /// Adds a row of as many cells.
  public mutating func add(_ cells: [String]) {
    precondition(cells.count == rows[0].count, "\(cells.count) cells in a table of \(rows[0].count) columns")
    rows.append(cells)
  }

  /// The lines; ends with a line feed.
  public var text: String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let room = String(repeating: " ", count: widths[column] - cell.count)
        return column < 2 ? cell + room : room + cell
      }
      return cells.joined(separator: "  ").trimmingEnd + "\n"
    }.joined()
  }
}

/// Comma-separated values (RFC 4180).
public enum CSV {
  /// A field, in quotation marks where it needs them.
  public static func field(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { !Array(",\"\r\n".utf8).contains($0) }
    return isPlain ? text : "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}

extension String {
  fileprivate var trimmingEnd: Substring {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return text
  }
}
