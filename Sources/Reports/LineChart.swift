/// A line chart as SVG: axes, grid, legend; readable in light and dark, and without scripts.
public struct LineChart: Sendable {
  /// One line.
  public struct Series: Sendable {
    /// The name in the legend.
    public let label: String
    /// In the order in which they are joined. Points that the chart cannot show – not finite, or not above 0 on a
    /// logarithmic axis – break the line.
    public let points: [Point]
    /// Whether the line is dashed.
    public let isDashed: Bool

    public init(_ label: String, _ points: [Point], isDashed: Bool = false) {
      self.label = label
      self.points = points
      self.isDashed = isDashed
    }

    /// Values at 0, 1, 2, …, or from another number on.
    public init(_ label: String, values: [Double], from first: Int = 0, isDashed: Bool = false) {
      let points = values.enumerated().map { Point(Double(first + $0.offset), $0.element) }
      self.init(label, points, isDashed: isDashed)
    }
  }

  /// A place in the chart's own numbers.
  public struct Point: Sendable, Equatable {
    public let x, y: Double

    public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
  }

  /// One axis.
  public struct Axis: Sendable {
    /// What its numbers are.
    public let label: String
    /// Whether it has a logarithmic scale.
    public let isLogarithmic: Bool

    public init(_ label: String, isLogarithmic: Bool = false) {
      self.label = label
      self.isLogarithmic = isLogarithmic
    }
  }

  /// Above the chart.
  public var title: String
  /// To the right, and up.
  public var x, y: Axis
  /// The lines; after ``ChartStyle/colours`` they share colours.
  public var series: [Series]
  /// Size in pixels, where nobody scales it.
  public var width = 720.0
  public var height = 400.0

  /// A chart of some lines.
  public init(_ title: String, x: Axis, y: Axis, series: [Series]) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series
  }

  /// A file of its own, with its style.
  public var svg: String { element(style: ChartStyle.css) + "\n" }

  /// The element to stand in a page that has ``ChartStyle/css``.
  public var inlineSVG: String { element(style: nil) }
}

// MARK: Drawing

extension LineChart {
  private func element(style: String?) -> String {
    let legend = legendPlaces
    let plot = Plot(self, top: 44 + 20 * Double((legend.last?.row ?? -1) + 1))
    var out = """
      <svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(short(width)) \(short(height))" \
      width="\(short(width))" height="\(short(height))" role="img" aria-label="\(escaped(title))">

      """
    if let style { out += "<style>\n\(style)</style>\n<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n" }
    out += text(title, 16, 24, "title", anchor: "start")
    for (index, place) in legend.enumerated() { out += legendItem(index, place) }
    out += grid(plot) + axisLabels(plot)
    for index in series.indices { out += line(index, plot) }
    return out + "</svg>"
  }

  /// Rows of the legend, each as wide as the chart allows.
  private var legendPlaces: [(row: Int, x: Double)] {
    var (row, x) = (0, 16.0)
    return series.map { series in
      // Letters are about seven pixels wide.
      let itemWidth = 44 + 7 * Double(series.label.count)
      if x > 16 && x + itemWidth > width { (row, x) = (row + 1, 16) }
      defer { x += itemWidth }
      return (row, x)
    }
  }

  private func legendItem(_ index: Int, _ place: (row: Int, x: Double)) -> String {
    let y = 46 + 20 * Double(place.row)
    let path = "M\(short(place.x)) \(short(y - 4))h22"
    return "<path class=\"\(lineClass(index))\" d=\"\(path)\"/>\n"
      + text(series[index].label, place.x + 28, y, "legend", anchor: "start")
  }

  private func lineClass(_ index: Int) -> String {
    "line c\(index % ChartStyle.colours)" + (series[index].isDashed ? " dashed" : "")
  }

  private func grid(_ plot: Plot) -> String {
    var out = ""
    for tick in plot.x.ticks {
      let place = plot.across(tick.value)
      out += "<path class=\"grid\" d=\"M\(short(place)) \(short(plot.top))V\(short(plot.bottom))\"/>\n"
      out += text(tick.label, place, plot.bottom + 18, "tick", anchor: "middle")
    }
    for tick in plot.y.ticks {
      let place = plot.up(tick.value)
      out += "<path class=\"grid\" d=\"M\(short(plot.left)) \(short(place))H\(short(plot.right))\"/>\n"
      out += text(tick.label, plot.left - 8, place + 4, "tick", anchor: "end")
    }
    return out + "<path class=\"axis\" d=\"M\(short(plot.left)) \(short(plot.top))V\(short(plot.bottom))"
      + "H\(short(plot.right))\"/>\n"
  }

  private func axisLabels(_ plot: Plot) -> String {
    text(x.label, (plot.left + plot.right) / 2, height - 10, "label", anchor: "middle")
      + text(
        y.label, 0, 0, "label", anchor: "middle", at: "translate(16 \(short((plot.top + plot.bottom) / 2))) rotate(-90)"
      )
  }

  private func line(_ index: Int, _ plot: Plot) -> String {
    var path = ""
    var isBroken = true
    for point in series[index].points {
      guard plot.shows(point) else {
        isBroken = true
        continue
      }
      path += "\(isBroken ? "M" : "L")\(short(plot.across(point.x))) \(short(plot.up(point.y)))"
      isBroken = false
    }
    return path.isEmpty ? "" : "<path class=\"\(lineClass(index))\" d=\"\(path)\"/>\n"
  }

  private func text(
    _ content: String, _ x: Double, _ y: Double, _ name: String, anchor: String, at transform: String? = nil
  ) -> String {
    let place = transform.map { "transform=\"\($0)\"" } ?? "x=\"\(short(x))\" y=\"\(short(y))\""
    return "<text class=\"\(name)\" \(place) text-anchor=\"\(anchor)\">\(escaped(content))</text>\n"
  }
}

/// Where the numbers of a chart lie in its picture.
private struct Plot {
  let left, right, top, bottom: Double
  let x, y: Scale

  init(_ chart: LineChart, top: Double) {
    (left, right) = (76, chart.width - 20)
    (self.top, bottom) = (top, max(top + 40, chart.height - 52))
    let points = chart.series.flatMap(\.points).filter {
      $0.x.isFinite && $0.y.isFinite && (!chart.x.isLogarithmic || $0.x > 0) && (!chart.y.isLogarithmic || $0.y > 0)
    }
    x = Scale(points.map(\.x), isLogarithmic: chart.x.isLogarithmic, isRounded: false)
    y = Scale(points.map(\.y), isLogarithmic: chart.y.isLogarithmic, isRounded: true)
  }

  func shows(_ point: LineChart.Point) -> Bool {
    point.x.isFinite && point.y.isFinite && x.shows(point.x) && y.shows(point.y)
  }
  func across(_ value: Double) -> Double { left + x.place(value) * (right - left) }
  func up(_ value: Double) -> Double { bottom - y.place(value) * (bottom - top) }
}

/// A coordinate with at most two decimal places.
private func short(_ value: Double) -> String {
  var text = decimal(value, places: 2)
  while text.hasSuffix("0") { text.removeLast() }
  if text.hasSuffix(".") { text.removeLast() }
  return text == "-0" ? "0" : text
}
