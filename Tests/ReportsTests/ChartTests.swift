import Foundation
import Reports
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Charts and pages: well-formed, and what they draw is where the numbers are.
@Suite struct ChartTests {
  /// Every element of a document by its name, with its attributes and text.
  final class Elements: NSObject, XMLParserDelegate {
    struct Element {
      let name: String
      let attributes: [String: String]
      var text = ""
    }
    private(set) var all: [Element] = []
    private var open: [Int] = []

    init(_ document: String) throws {
      super.init()
      let parser = XMLParser(data: Data(document.utf8))
      parser.delegate = self
      guard parser.parse() else { throw NotWellFormed(error: "\(String(describing: parser.parserError))") }
    }

    func parser(
      _: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      open.append(all.count)
      all.append(Element(name: name, attributes: attributes))
    }
    func parser(_: XMLParser, didEndElement: String, namespaceURI: String?, qualifiedName: String?) {
      open.removeLast()
    }
    func parser(_: XMLParser, foundCharacters text: String) {
      if let last = open.last { all[last].text += text }
    }

    func callAsFunction(_ name: String, _ kind: String) -> [Element] {
      all.filter { $0.name == name && ($0.attributes["class"] ?? "").split(separator: " ").contains(Substring(kind)) }
    }
  }

  struct NotWellFormed: Error { let error: String }

  private func chart(_ series: [LineChart.Series], logarithmic: Bool = false) -> LineChart {
    LineChart("A <chart> & \"more\"", x: .init("steps"), y: .init("loss", isLogarithmic: logarithmic), series: series)
  }

  /// The places that a line's path goes through, and how often it is taken up anew.
  private func places(_ path: String) -> (points: [(x: Double, y: Double)], starts: Int) {
    let parts = path.split { "ML".contains($0) }
    let points = parts.map { part in
      let numbers = part.split(separator: " ").compactMap { Double($0) }
      return (numbers[0], numbers[1])
    }
    return (points, path.count { $0 == "M" })
  }

  @Test func linesAreWhereTheirNumbersAre() throws {
    let svg = try Elements(chart([.init("a", [.init(0, 0), .init(5, 10), .init(10, 5)])]).svg)
    // The first line element is the legend's.
    let line = try #require(svg("path", "line").last?.attributes["d"])
    let (points, starts) = places(line)
    #expect(starts == 1 && points.count == 3)
    #expect(points[0].x < points[1].x && abs(points[1].x * 2 - points[0].x - points[2].x) < 0.02)
    // Up is a smaller y.
    #expect(points[1].y < points[2].y && abs(points[2].y * 2 - points[0].y - points[1].y) < 0.02)
    // Where the marks are that have the points' numbers; a mark's text stands four pixels lower than the mark.
    func mark(_ text: String, _ anchor: String, _ coordinate: String) -> Double? {
      svg("text", "tick").first { $0.text == text && $0.attributes["text-anchor"] == anchor }
        .flatMap { $0.attributes[coordinate] }.flatMap(Double.init)
    }
    #expect(mark("10", "middle", "x") == points[2].x && mark("0", "middle", "x") == points[0].x)
    #expect(mark("10", "end", "y") == points[1].y + 4 && mark("0", "end", "y") == points[0].y + 4)
    // The marks at the ends are at the ends of the plot: x from 76 to 700, y from 348 up to 64.
    #expect(points[0].x == 76 && points[2].x == 700 && points[0].y == 348 && points[1].y == 64)
    #expect(svg("text", "title")[0].text == "A <chart> & \"more\"")
    #expect(svg("text", "label").map(\.text) == ["steps", "loss"] && svg("text", "legend").map(\.text) == ["a"])
  }

  /// On a logarithmic axis a geometric sequence is a straight line, between marks at powers of ten.
  @Test func geometricSequencesAreStraight() throws {
    let values = (0...20).map { pow(10, -Double($0)) }
    let svg = try Elements(chart([.init("a", values: values)], logarithmic: true).svg)
    let (points, _) = places(try #require(svg("path", "line").last?.attributes["d"]))
    #expect(points.count == 21)
    for (a, b) in zip(points, points.dropFirst()) { #expect(abs(b.y - a.y - (points[20].y - points[0].y) / 20) < 0.02) }
    let ticks = svg("text", "tick").map(\.text)
    #expect(ticks.contains("1") && ticks.contains("10⁻¹⁰") && ticks.contains("10⁻²⁰"))
  }

  /// A number that lies beyond a mark by rounding alone opens no room beyond it.
  @Test func roundingOpensNoRoom() throws {
    let svg = try Elements(chart([.init("a", values: [0.8, (1.0).nextUp])]).svg)
    let marks = svg("text", "tick").filter { $0.attributes["text-anchor"] == "end" }.map(\.text)
    #expect(marks == ["0.80", "0.85", "0.90", "0.95", "1.00"])
  }

  /// What cannot be shown breaks the line, and harms nothing else.
  @Test func linesBreakWhereThereIsNothingToShow() throws {
    let values = [1, 2, .nan, 4, 0, 3, .infinity, -1, 5]
    let svg = try Elements(chart([.init("a", values: values)], logarithmic: true).svg)
    let (points, starts) = places(try #require(svg("path", "line").last?.attributes["d"]))
    #expect(points.count == 5 && starts == 4)
    #expect(points.allSatisfy { $0.x.isFinite && $0.y.isFinite })
  }

  static let series: [[LineChart.Series]] = [
    [], [.init("nothing", [])], [.init("one", [.init(3, 7)])], [.init("flat", values: [2, 2, 2])],
    [.init("zero", values: [0, 0])], [.init("not finite", values: [.nan, .infinity])],
    [.init("tiny", values: [1e-300, 2e-300])], [.init("huge", values: [-1e300, 1e300])],
    [.init("near", values: [1, 1 + 1e-15])],
    (0..<20).map { .init("line number \($0)", values: [Double($0), 1], isDashed: $0 % 2 == 0) },
  ]

  @Test(arguments: series, [false, true])
  func everyChartIsWellFormed(_ series: [LineChart.Series], _ logarithmic: Bool) throws {
    let chart = chart(series, logarithmic: logarithmic)
    let svg = try Elements(chart.svg)
    #expect(svg.all[0].name == "svg" && svg("text", "legend").count == series.count)
    for path in svg("path", "line") {
      let text = path.attributes["d"] ?? ""
      #expect(!text.contains("n") && !text.contains("e"), "a number that SVG does not know: \(text)")
    }
    #expect(svg("text", "tick").count <= 40)
    #expect(chart.svg.contains("prefers-color-scheme: dark") && !chart.inlineSVG.contains("<style"))
  }

  @Test func pagesStandAlone() throws {
    var page = HTMLPage("Tables & <charts>")
    page.add(heading: "First > second")
    page.add(paragraph: "Plain \"text\" with \u{0} in it.")
    page.add(columns: ["a", "b"], rows: [["1", "<2>"], ["3", "4"]])
    page.add(chart([.init("a", values: [1, 2])]))
    let elements = try Elements(page.html)
    #expect(page.html.hasPrefix("<!DOCTYPE html>\n") && !page.html.contains("<script") && !page.html.contains("src="))
    #expect(elements.all.filter { $0.name == "td" }.map(\.text) == ["1", "<2>", "3", "4"])
    #expect(
      elements.all.filter { ["h1", "h2"].contains($0.name) }.map(\.text) == ["Tables & <charts>", "First > second"])
    #expect(elements.all.count { $0.name == "svg" } == 1 && elements.all.count { $0.name == "style" } == 1)
    #expect(page.html.contains("prefers-color-scheme: dark"))
  }
}

@Suite struct TextBarTests {
  @Test(arguments: [
    (0, ""), (-1, ""), (0.5, "█████"), (1, "██████████"), (7, "██████████"), (0.05, "▌"), (0.3125, "███▏"), (.nan, ""),
  ])
  func barsAreEighthsExact(_ share: Double, _ expected: String) {
    #expect(bar(share, width: 10) == expected)
  }

  @Test(
    arguments: [
      (0, "0"), (1, "1.00"), (12.345, "12.3"), (-0.01234, "-0.0123"), (0.00123, "0.00123"), (1e-4, "1.00e-04"),
      (1234, "1234"), (123456, "1.23e+05"), (.nan, "not a number"), (1e-300, "1.00e-300"),
    ] as [(Double, String)])
  func threeDigitsOfAnySize(_ value: Double, _ expected: String) {
    #expect(threeDigits(value) == expected)
  }

  @Test func columnsAreFlushRight() {
    #expect(
      columns([["lag", "norm"], ["1", "0.25", "██"], ["100", "1"]]) == "lag  norm\n  1  0.25  ██\n100     1\n")
    #expect(columns([]).isEmpty)
  }
}
