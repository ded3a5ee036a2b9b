/// How charts and pages look, in light and in dark.
public enum ChartStyle {
  /// Colours of lines, which people with any colour vision can tell apart (after Okabe & Ito 2008).
  public static let colours = 6

  private static let light = ["#0072b2", "#d55e00", "#007a5a", "#a8518a", "#8a6d00", "#444444"]
  private static let dark = ["#56b4e9", "#ff9b57", "#2ec79b", "#e8a0cc", "#f0d64a", "#bbbbbb"]

  /// The style of charts.
  public static var css: String {
    """
    .chart { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-size: 13px; }
    .chart text { fill: #333; }
    .chart .title { font-size: 16px; font-weight: 600; fill: #111; }
    .chart .ground { fill: #fff; }
    .chart .grid { stroke: #e3e3e3; fill: none; }
    .chart .axis { stroke: #777; fill: none; }
    .chart .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
    .chart .dashed { stroke-dasharray: 6 4; }
    \(lines(light))
    @media (prefers-color-scheme: dark) {
    .chart text { fill: #ccc; }
    .chart .title { fill: #f2f2f2; }
    .chart .ground { fill: #16181c; }
    .chart .grid { stroke: #33373e; }
    .chart .axis { stroke: #8a8f98; }
    \(lines(dark))
    }

    """
  }

  private static func lines(_ colours: [String]) -> String {
    colours.enumerated().map { ".chart .c\($0.offset) { stroke: \($0.element); }" }.joined(separator: "\n")
  }

  /// The style of pages.
  static let page = """
    :root { color-scheme: light dark; }
    body { font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; color: #222;
      background: #fff; max-width: 760px; margin: 2em auto; padding: 0 1em; }
    h1 { font-size: 1.6em; line-height: 1.2; } h2 { font-size: 1.2em; margin-top: 2em; }
    svg.chart { max-width: 100%; min-width: 540px; height: auto; }
    .wide { overflow-x: auto; margin: 1em 0; }
    figure { margin: 1em 0; }
    dl { display: grid; grid-template-columns: minmax(7em, max-content) 1fr; gap: 0.3em 1em; }
    dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
    figcaption { color: #666; font-size: 0.9em; }
    pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f4f4; padding: 0.8em; border-radius: 4px;
      margin: 0.3em 0; }
    td { white-space: nowrap; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
    th, td { padding: 0.2em 0.8em; text-align: right; border-bottom: 1px solid #ddd; }
    th { font-weight: 600; } th:first-child, td:first-child { text-align: left; }
    @media (max-width: 480px) {
    dl { display: block; } dd { margin-bottom: 0.4em; }
    th, td { padding: 0.2em 0.4em; } th:first-child, td:first-child { padding-left: 0; }
    }
    @media (prefers-color-scheme: dark) {
    body { color: #ddd; background: #16181c; }
    th, td { border-color: #3a3f47; }
    pre { background: #22262c; } figcaption { color: #a5abb3; }
    }

    """
}

/// Text as it stands in HTML, SVG and their attributes: what has a meaning there is written out, and what no XML may
/// hold becomes U+FFFD.
public func escaped(_ text: String) -> String {
  var out = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": out += "&amp;"
    case "<": out += "&lt;"
    case ">": out += "&gt;"
    case "\"": out += "&quot;"
    case "'": out += "&#39;"
    case "\t", "\n", "\r": out.unicodeScalars.append(scalar)
    case "\u{0}"..<"\u{20}", "\u{FFFE}", "\u{FFFF}": out += "\u{FFFD}"
    default: out.unicodeScalars.append(scalar)
    }
  }
  return out
}
