#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A bar of block characters, an eighth of a column exact; `share` of `width` columns, 0 to 1.
public func bar(_ share: Double, width: Int) -> String {
  precondition(width >= 0, "a bar of \(width) columns")
  guard share > 0 else { return "" }
  let eighths = Int((min(1, share) * Double(width * 8)).rounded())
  let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
  return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
}

/// A number of any size in three digits: 0.123, 12.3, 4.56e-09.
public func threeDigits(_ value: Double) -> String {
  guard value.isFinite else { return decimal(value, places: 0) }
  guard value != 0 else { return "0" }
  let exponent = Int(log10(abs(value)).rounded(.down))
  if (-3...3).contains(exponent) { return decimal(value, places: max(0, 2 - exponent)) }
  return withVaList([value]) { arguments in
    var buffer = [CChar](repeating: 0, count: 40)
    let count = vsnprintf(&buffer, buffer.count, "%.2e", arguments)
    return String(decoding: buffer[..<Int(count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// Rows of cells in columns, two spaces apart, flush right but for the first few; the last cells of rows that have more
/// than the first are flush left. No line ends in spaces; ends with a line feed.
///
/// - Parameter flushLeft: How many of the first columns are flush left.
public func columns(_ rows: [[String]], flushLeft: Int = 0) -> String {
  guard let first = rows.first else { return "" }
  let widths = first.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    let cells = first.indices.map { column in
      let room = String(repeating: " ", count: widths[column] - row[column].count)
      return column < flushLeft ? row[column] + room : room + row[column]
    }
    return (cells + row.dropFirst(first.count)).joined(separator: "  ").trimmingEnd + "\n"
  }.joined()
}

extension String {
  fileprivate var trimmingEnd: Substring {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return text
  }
}
