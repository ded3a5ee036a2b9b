/// Reports: numbers and tables as people read them.

/// Rows of a label, a number and a remark, in columns.
public struct TextTable: Sendable {
  /// What was added.
  public private(set) var rows: [(label: String, value: String, remark: String)] = []

  /// A table without rows.
  public init() {}

  /// Adds a row.
  public mutating func add(_ label: String, _ value: String, _ remark: String = "") {
    rows.append((label, value, remark))
  }

  /// The lines, labels flush left, values flush right; ends with a line feed.
  public var text: String {
    let labels = rows.map(\.label.count).max() ?? 0
    let values = rows.map(\.value.count).max() ?? 0
    return rows.map { row in
      let label = row.label + String(repeating: " ", count: labels - row.label.count)
      let value = String(repeating: " ", count: values - row.value.count) + row.value
      return row.remark.isEmpty ? "\(label)  \(value)\n" : "\(label)  \(value)  \(row.remark)\n"
    }.joined()
  }
}
