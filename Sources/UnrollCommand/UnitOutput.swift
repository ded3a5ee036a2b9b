import Evaluation
import Reports

/// Writes rows of units to standard output as they come, or the most surprising of them at the end.
final class UnitOutput {
  enum Form { case text, csv, jsonl }

  private let form: Form
  private let names: [String]
  private var top: TopRows?
  /// Of the rows that were added, where it is asked for.
  private var total: UnitTotal?
  private var pending = ""
  /// Whether somebody still reads.
  private(set) var isOpen = true

  /// - Parameter addsTotal: Whether several rows are followed by their total; not where only the top ones are told.
  init(_ form: Form, names: [String], top: Int?, addsTotal: Bool) {
    (self.form, self.names) = (form, names)
    total = addsTotal && top == nil && names.count > 1 ? UnitTotal() : nil
    self.top = top.map { TopRows($0) }
    switch form {
    case .text: pending = UnitRow.heading
    case .csv: pending = UnitRow.columns.joined(separator: ",") + "\n"
    case .jsonl: break
    }
  }

  func add(_ row: UnitRow) throws {
    guard top == nil else {
      top?.add(row)
      return
    }
    total?.add(row)
    try write(row)
  }

  func finish() throws {
    for row in top?.rows ?? [] { try write(row) }
    switch form {
    case .text: break
    case .csv: pending += total.map { $0.csv + "\n" } ?? ""
    case .jsonl: pending += total.map { $0.json.text() + "\n" } ?? ""
    }
    try flush()
  }

  private func write(_ row: UnitRow) throws {
    let name = names[row.file]
    switch form {
    case .text: pending += row.text(file: name)
    case .csv: pending += row.csv(file: name) + "\n"
    case .jsonl: pending += row.json(file: name).text() + "\n"
    }
    if pending.utf8.count > 1 << 16 { try flush() }
  }

  private func flush() throws {
    isOpen = try isOpen && Terminal.write(pending)
    pending = ""
    // A closed pipe ends quietly.
    if !isOpen { throw NobodyReads() }
  }
}

/// Standard output was closed.
struct NobodyReads: Error {}

/// A table of files, with a total.
func fileTable(_ report: PerplexityReport, names: [String]) -> String {
  var table = ColumnTable(["file", "", "tokens", "nats/token", "bits/character", "bits/byte"])
  func add(_ name: String, _ score: Score, characters: Int, bytes: Int) {
    guard score.tokens > 0 else {
      table.add([name, "", "0", "–", "–", "–"])
      return
    }
    let bits = score.bits
    table.add([
      name, "", grouped(score.tokens), decimal(score.mean, places: 4), decimal(bits / Double(characters), places: 4),
      decimal(bits / Double(bytes), places: 4),
    ])
  }
  for (name, text) in zip(names, report.texts) {
    add(name, text.score, characters: text.characters, bytes: text.bytes)
  }
  add("all", report.score, characters: report.characters, bytes: report.bytes)
  return table.text
}
