/// A page in one file: text, tables and charts; nothing fetched, and no scripts but those that are added.
public struct HTMLPage: Sendable {
  /// The page's title and first heading.
  public let title: String
  private var body = ""
  private var style = ""

  /// A page with its heading alone.
  public init(_ title: String) { self.title = title }

  /// Begins a section.
  public mutating func add(heading: String) { body += "<h2>\(escaped(heading))</h2>\n" }

  /// Adds well-formed markup as it is.
  public mutating func add(markup: String) { body += markup + "\n" }

  /// Adds rules to the page's style.
  public mutating func add(style rules: String) { style += rules + "\n" }

  /// Adds a script, which must do without `<` and `&`, and without which the page must do.
  public mutating func add(script: String) {
    precondition(!script.contains { "<&".contains($0) }, "a script in a page has no < and no &")
    body += "<script>\n\(script)\n</script>\n"
  }

  /// Adds a paragraph of plain text.
  public mutating func add(paragraph: String) { body += "<p>\(escaped(paragraph))</p>\n" }

  /// Adds names and what they stand for, a line or more each.
  public mutating func add(facts: [(name: String, value: String)]) {
    let items = facts.map { "<dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd>\n" }
    body += "<dl>\n\(items.joined())</dl>\n"
  }

  /// Adds a text as it stands, line by line, with a line that says what it is.
  public mutating func add(quotation: String, of what: String) {
    body += "<figure><figcaption>\(escaped(what))</figcaption><pre>\(escaped(quotation))</pre></figure>\n"
  }

  /// Adds a chart.
  public mutating func add(_ chart: LineChart) { body += "<figure class=\"wide\">\(chart.inlineSVG)</figure>\n" }

  /// Adds a table; every row has a cell for each column.
  public mutating func add(columns: [String], rows: [[String]]) {
    precondition(rows.allSatisfy { $0.count == columns.count }, "a row has not the \(columns.count) cells of its table")
    func row(_ cells: [String], _ tag: String) -> String {
      "<tr>" + cells.map { "<\(tag)>\(escaped($0))</\(tag)>" }.joined() + "</tr>\n"
    }
    body += "<div class=\"wide\"><table>\n<thead>\n" + row(columns, "th") + "</thead>\n<tbody>\n"
    body += rows.map { row($0, "td") }.joined() + "</tbody>\n</table></div>\n"
  }

  /// The whole page; it is well-formed XML too.
  public var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <title>\(escaped(title))</title>
    <style>
    \(ChartStyle.page)\(ChartStyle.css)\(style)</style>
    </head>
    <body>
    <h1>\(escaped(title))</h1>
    \(body)</body>
    </html>

    """
  }
}
