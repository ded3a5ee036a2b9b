import Reports

extension PerplexityReport {
  /// One self-contained page: the figures, the text coloured by surprisal, and where the loss lies.
  ///
  /// - Parameter model: The model's folder; the last part of its path is shown.
  public func page(_ map: HeatMap, model: String) -> String {
    var page = HTMLPage("How \(model.split(separator: "/").last ?? "/") reads")
    page.add(style: HeatMap.style)
    page.add(
      facts: figures.rows.map { ($0.label, $0.value + ($0.remark.isEmpty ? "" : " · \($0.remark)")) })
    page.add(heading: "The text")
    page.add(markup: HeatMap.legend)
    page.add(markup: map.html)
    if map.isShortened {
      page.add(
        paragraph: "Only the first \(grouped(HeatMap.shownBytes / 1_000_000)) MB are shown; the figures are of all.")
    }
    page.add(heading: "Where the loss lies")
    page.add(distribution)
    page.add(positionChart)
    page.add(
      columns: ["kind of symbol", "tokens", "nats each", "share of the loss, %"],
      rows: breakdown.kindsByShare.map { kind, score in
        [
          kind.name, grouped(score.tokens), decimal(score.mean, places: 4),
          decimal(100 * score.nats / self.score.nats, places: 1),
        ]
      })
    page.add(markup: "<p id=\"said\" hidden=\"hidden\"></p>")
    page.add(script: HeatMap.script)
    return page.html
  }

  /// Shares of tokens by surprisal, as steps.
  private var distribution: LineChart {
    let last = breakdown.histogram.lastIndex { $0 > 0 } ?? 0
    var points = [LineChart.Point(0, 0)]
    for (bin, count) in breakdown.histogram[...last].enumerated() {
      let share = 100 * Double(count) / Double(score.tokens)
      points.append(.init(Double(bin) * LossBreakdown.binWidth, share))
      points.append(.init(Double(bin + 1) * LossBreakdown.binWidth, share))
    }
    points.append(.init(Double(last + 1) * LossBreakdown.binWidth, 0))
    return LineChart(
      "Tokens by surprisal", x: .init("surprisal in bits"), y: .init("% of tokens, each 0.25 bits"),
      series: [.init("tokens", points)])
  }

  private var positionChart: LineChart {
    let points = breakdown.positions.filter { $0.score.tokens > 0 }.map {
      LineChart.Point(Double($0.places.lowerBound), $0.score.mean)
    }
    return LineChart(
      "Loss by place after the beginning", x: .init("tokens after the beginning, from", isLogarithmic: true),
      y: .init("nats per token"), series: [.init(texts.count > 1 ? "all texts" : "the text", points)])
  }
}

extension HeatMap {
  static let style = """
    .heat { overflow-wrap: anywhere; font-size: 1.05em; }
    .heat .part { white-space: pre-wrap; content-visibility: auto;
      contain-intrinsic-size: auto max(calc(var(--lines) * 1.5em), calc(var(--bytes) * 0.017em)); }
    .heat i, .legend i { font-style: normal; border-radius: 2px; }
    .legend i { display: inline-block; padding: 0 0.5em; margin: 0 0.2em 0.2em 0; }
    .heat i:hover { outline: 1px solid currentColor; }
    .h1 { background: #fff3c9; } .h2 { background: #ffdf9b; } .h3 { background: #ffbd73; } .h4 { background: #f8915c; }
    .h5 { background: #e0573f; color: #fff; }
    #said { position: fixed; left: 0; right: 0; bottom: 0; margin: 0; padding: 0.6em 1em; background: #222; color: #fff;
      font-size: 0.9em; }
    @media (max-width: 480px) {
    .heat .part { contain-intrinsic-size: auto max(calc(var(--lines) * 1.8em), calc(var(--bytes) * 0.04em)); }
    }
    @media (prefers-color-scheme: dark) {
    .h1 { background: #3a3620; } .h2 { background: #4d4020; } .h3 { background: #6e4a1c; } .h4 { background: #97501f; }
    .h5 { background: #c8432f; color: #fff; }
    #said { background: #eee; color: #111; }
    }
    """

  static let legend = """
    <p class="legend">Bits of surprisal: <i>under 1</i><i class="h1">1–2</i><i class="h2">2–4</i><i class="h3">4–7</i>\
    <i class="h4">7–11</i><i class="h5">over 11</i></p>
    <p>Point at a symbol, or touch it, for what else was likely.</p>
    """

  /// Tells on a touched symbol what its title says, since touch screens show no titles.
  static let script = """
    document.addEventListener("click", function (event) {
      var said = document.getElementById("said");
      var symbol = event.target.closest("i[title]");
      said.hidden = !symbol;
      said.textContent = symbol ? symbol.title : "";
    });
    """
}
