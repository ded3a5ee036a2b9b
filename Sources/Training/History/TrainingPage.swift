import Reports

/// `training/report.html`: a run on one page, with its curves, settings, samples, time and speed.
struct TrainingPage {
  let card: ModelCard
  let history: RunHistory

  private static var samplesShown: Int { 8 }

  var html: String {
    var page = HTMLPage("Training of \(card.name)")
    page.add(paragraph: summary)
    if let advice = history.advice { page.add(paragraph: advice) }
    page.add(heading: "Loss")
    page.add(lossChart)
    if !history.epochs.isEmpty {
      page.add(
        columns: ["epoch", "training loss", "time"],
        rows: thinned(history.epochs, to: Recipe.mostEpochs).map {
          ["\($0.epoch)", decimal($0.loss, places: 4), duration($0.seconds)]
        })
    }
    addSamples(to: &page)
    page.add(heading: "How it was trained")
    page.add(facts: card.rows.map { ($0.label, $0.value.replacing("`", with: "")) })
    page.add(heading: "On the way")
    page.add(gradientChart)
    page.add(rateChart)
    page.add(speedChart)
    return page.html
  }

  private var summary: String {
    let best = history.best.map {
      "best validation loss \(decimal($0.loss, places: 4)) nats per \(card.unit), \(decimal($0.bitsPerCharacter, places: 3)) "
        + "bits per character, after step \(grouped($0.step))"
    }
    let test = history.testLoss.map { "test loss \(decimal($0, places: 4))" }
    let left = history.skipped > 0 ? "\(grouped(history.skipped)) updates left out" : nil
    let end = history.end.map {
      "\(grouped($0.steps)) steps in \(duration($0.seconds)), ended by: \($0.reason)"
    }
    let text = [best ?? "not validated", test, end, left].compactMap { $0 }.joined(separator: "; ")
    return text.prefix(1).uppercased() + text.dropFirst() + "."
  }

  private func addSamples(to page: inout HTMLPage) {
    guard !history.samples.isEmpty else { return }
    page.add(heading: "What it wrote")
    for sample in thinned(history.samples, to: Self.samplesShown) {
      page.add(quotation: sample.text, of: "after step \(grouped(sample.step))")
    }
  }

  // MARK: Charts

  private var lossChart: LineChart {
    let validations = history.validations.map { LineChart.Point(Double($0.step), $0.loss) }
    return chart(
      "Loss in nats per \(card.unit)", "nats",
      [.init("training", curve(\.loss)), .init("validation", thinned(validations, to: 600))])
  }

  private var gradientChart: LineChart {
    var chart = chart("Norm of the gradient before clipping", "norm", [.init("gradient", curve(\.gradientNorm))])
    chart.y = .init("norm", isLogarithmic: true)
    return chart
  }

  private var rateChart: LineChart {
    chart("Learning rate", "learning rate", [.init("learning rate", curve(\.learningRate))])
  }

  private var speedChart: LineChart {
    chart(
      "Speed in \(card.unit)s a second", "thousands a second", [.init("speed", curve { $0.tokensPerSecond / 1000 })])
  }

  private func chart(_ title: String, _ y: String, _ series: [LineChart.Series]) -> LineChart {
    var chart = LineChart(title, x: .init("step"), y: .init(y), series: series)
    chart.height = 320
    return chart
  }

  private func curve(_ value: (RunHistory.Step) -> Double) -> [LineChart.Point] {
    thinned(history.steps, to: 600).map { .init(Double($0.step), value($0)) }
  }
}

/// At most so many of some items, evenly chosen; the first and the last are among them.
package func thinned<Item>(_ items: [Item], to count: Int) -> [Item] {
  precondition(count >= 2, "at least two items are kept")
  guard items.count > count else { return items }
  return (0..<count).map { items[$0 * (items.count - 1) / (count - 1)] }
}
