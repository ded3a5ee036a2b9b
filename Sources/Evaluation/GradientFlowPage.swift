import Reports

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// In pictures.
extension GradientFlow {
  /// ‖∂L_t/∂h_{t−lag}‖ of every layer, and of the cells, with the laws fitted to the hidden states' curves.
  public var chart: LineChart {
    let lines = layers.enumerated().flatMap { index, layer in
      let name = layers.count == 1 ? "" : "layer \(index), "
      let law = layer.hidden.law.map { law in
        [
          LineChart.Series(
            "\(name)\(decimal(layer.hidden.decay, places: 3)) per step: \(layer.hidden.verdict.rawValue)", law,
            isDashed: true)
        ]
      }
      return [LineChart.Series("\(name)hidden state", values: layer.hidden.normByLag)]
        + (layer.cell.map { [LineChart.Series("\(name)cell", values: $0.normByLag)] } ?? []) + (law ?? [])
    }
    return LineChart(
      "How a gradient flows back: \(configuration.cellName), \(configuration.layers) × \(configuration.hiddenSize)",
      x: .init("lag: steps from the loss back"), y: .init("mean norm of the gradient", isLogarithmic: true),
      series: lines)
  }

  private var pathLengthChart: LineChart {
    LineChart(
      "∂L/∂W_hh by path length", x: .init("path length: steps from the loss to the weight's use"),
      y: .init("norm of the part", isLogarithmic: true),
      series: layers.enumerated().map { index, layer in
        LineChart.Series("layer \(index)", values: layer.weightGradient.norms, from: 1)
      })
  }

  private func truncationChart(_ title: String, y: String, _ value: (Truncation) -> Double) -> LineChart {
    func line(_ label: String, _ entries: [Truncation]) -> LineChart.Series {
      LineChart.Series(label, entries.sorted { $0.k2 < $1.k2 }.map { .init(Double($0.k2), value($0)) })
    }
    return LineChart(
      title, x: .init("k2", isLogarithmic: true), y: .init(y),
      series: [
        line("k1 = 1", truncation.filter { $0.k1 == 1 }), line("k1 = k2", truncation.filter { $0.k1 == $0.k2 }),
      ])
  }

  /// One self-contained page.
  public var html: String {
    var page = HTMLPage("How gradients flow: \(configuration.cellName)")
    page.add(paragraph: summary)
    page.add(heading: "Back from a loss")
    page.add(chart)
    page.add(paragraph: threshold)
    page.add(
      columns: ["layer", "state", "decay per step", "half-life in steps", "verdict", "fitted to lags", "later half"],
      rows: layers.indices.flatMap { index in
        [layers[index].hidden.cells(index, "hidden")] + (layers[index].cell.map { [$0.cells(index, "cell")] } ?? [])
      })
    page.add(heading: "Recurrent weights")
    page.add(
      columns: ["layer", "gate", "spectral radius", "norm"],
      rows: layers.enumerated().flatMap { index, layer in
        layer.matrices.map {
          ["\(index)", $0.gate, decimal($0.spectralRadius, places: 4), decimal($0.norm, places: 4)]
        }
      })
    page.add(paragraph: lyapunovNote)
    page.add(heading: "Where the weight's gradient comes from")
    page.add(pathLengthChart)
    page.add(
      paragraph: "All paths together \(threeDigits(weightGradient.full)), those longer than \(settings.lags + 1) steps "
        + "\(weightGradient.longerWords).")
    addTruncation(to: &page)
    return page.html
  }

  private var lyapunovNote: String {
    let exponents = layers.enumerated().map { "layer \($0.offset) \(signed($0.element.lyapunovExponent))" }
    return "Largest Lyapunov exponent on the text, per step: \(exponents.joined(separator: ", ")). A gradient is "
      + "multiplied at each step by the weights and by the slopes of the activations, which are at most 1 and less where a "
      + "unit saturates. So a spectral radius above 1 need not make it explode: the exponent, measured on the text, has both."
  }

  private func addTruncation(to page: inout HTMLPage) {
    page.add(heading: "What truncation keeps")
    page.add(paragraph: advice)
    page.add(
      truncationChart("Error of the truncated gradient", y: "relative error, %") { 100 * $0.relativeError })
    page.add(truncationChart("Angle to the full gradient", y: "cosine") { $0.cosine })
    page.add(paragraph: truncationNote)
    page.add(columns: Self.truncationColumns, rows: truncationRows)
  }
}

extension GradientDecay {
  /// The fitted law at its lags: it passes through the mean of the logarithms at the middle of its lags.
  fileprivate var law: [LineChart.Point]? {
    guard let fittedLags else { return nil }
    let mean = fittedLags.reduce(0) { $0 + log(normByLag[$1]) } / Double(fittedLags.count)
    let middle = Double(fittedLags.lowerBound + fittedLags.upperBound) / 2
    return [fittedLags.lowerBound, fittedLags.upperBound].map { lag in
      LineChart.Point(Double(lag), exp(mean + (Double(lag) - middle) * log(decay)))
    }
  }

  fileprivate func cells(_ layer: Int, _ state: String) -> [String] {
    [
      "\(layer)", state, decimal(decay, places: 4), decimal(halfLife, places: 2), verdict.rawValue,
      fittedLags.map { "\($0.lowerBound) to \($0.upperBound)" } ?? "none", decimal(lateDecay, places: 4),
    ]
  }
}
