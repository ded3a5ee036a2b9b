import Reports

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// In words and bars.
extension GradientFlow {
  /// A page for a terminal.
  public var text: String {
    let parts = [summary + "\n", threshold + "\n"] + layers.indices.map(layerText)
    return parts.joined(separator: "\n") + "\n" + pathLengthText + "\n" + truncationText + "\n" + advice + "\n"
  }

  /// What was looked at.
  var summary: String {
    "\(configuration.cellName), \(configuration.layers) × \(configuration.hiddenSize), on \(settings.lanes) lanes of "
      + "\(settings.steps) steps; mean loss \(decimal(loss, places: 4)) nats per token."
  }

  var threshold: String {
    let (low, high) = (1 / GradientVerdict.largestStableDecay, GradientVerdict.largestStableDecay)
    return "A gradient is called stable where its decay per step lies between \(decimal(low, places: 3)) and "
      + "\(decimal(high, places: 3)): it takes at least \(Int(GradientVerdict.stepsOfStable)) steps to halve or double."
  }

  /// The shown lags or path lengths among so many.
  static func shown(upTo largest: Int) -> [Int] {
    let lengths = truncationLengths(upTo: largest)
    return lengths.last == largest ? lengths : lengths + [largest]
  }

  // MARK: Layers

  private func layerText(_ index: Int) -> String {
    let layer = layers[index]
    var text = "Layer \(index), hidden state: \(layer.hidden.words)\n"
    if let cell = layer.cell { text += "Layer \(index), cell: \(cell.words)\n" }
    text += "Largest Lyapunov exponent on the text \(signed(layer.lyapunovExponent)) per step, "
    text += "a factor of \(decimal(exp(layer.lyapunovExponent), places: 3)).\n"
    text += layer.matrices.map(\.words).joined(separator: "\n") + "\n\n"
    text += "Mean norm of the loss's gradient by lag, bars over ten decades:\n"
    return text + bars(layer)
  }

  private func bars(_ layer: Layer) -> String {
    let head = ["lag", "at h"] + (layer.cell == nil ? [] : ["at c"])
    let largest = layer.hidden.normByLag.filter(\.isFinite).max() ?? 0
    return columns(
      [head]
        + ([0] + Self.shown(upTo: settings.lags)).map { lag in
          let norm = layer.hidden.normByLag[lag]
          let share = norm.isFinite ? 1 + log10(norm / largest) / 10 : 1
          return ["\(lag)", threeDigits(norm)] + (layer.cell.map { [threeDigits($0.normByLag[lag])] } ?? [])
            + (largest > 0 && share > 0.003 ? [bar(share, width: 40)] : [])
        })
  }

  // MARK: Path lengths and truncation

  private var pathLengthText: String {
    "Norm of ∂L/∂W_hh by path length; all paths together \(threeDigits(weightGradient.full)), those longer than "
      + "\(settings.lags + 1) steps \(weightGradient.longerWords):\n"
      + columns(
        [["length", "norm"]]
          + Self.shown(upTo: settings.lags + 1).map { length in
            let norm = weightGradient.norms[length - 1]
            let bar = bar(norm / (weightGradient.norms.max() ?? 1), width: 40)
            return ["\(length)", threeDigits(norm)] + (bar.isEmpty ? [] : [bar])
          })
  }

  static let truncationColumns = ["k1", "k2", "relative error", "cosine", "activations", "ms per step"]

  var truncationRows: [[String]] {
    truncation.map { entry in
      [
        "\(entry.k1)", "\(entry.k2)", "\(decimal(100 * entry.relativeError, places: 2)) %",
        decimal(entry.cosine, places: 5), "\(grouped((entry.activationBytes + 999) / 1000)) kB",
        decimal(entry.millisecondsPerStep, places: 4),
      ]
    }
  }

  var truncationNote: String {
    "Truncated BPTT against full BPTT over \(settings.steps) steps, all tensors of the recurrent layers; activations and "
      + "time of \(settings.lanes) lanes in float32 on one thread."
  }

  private var truncationText: String { truncationNote + "\n" + columns([Self.truncationColumns] + truncationRows) }

  var advice: String {
    func words(_ scheme: String, _ k2: Int) -> String {
      "with \(scheme) " + (k2 == settings.steps ? "nowhere short of the whole window" : "from k2 \(k2) on")
    }
    return "Little is lost – at most \(Int(100 * Truncation.largestError)) % of relative error, cosine at least "
      + "\(decimal(Truncation.smallestCosine, places: 2)) – \(words("k1 = 1", recommended(everyStep: true))); "
      + "\(words("k1 = k2", recommended(everyStep: false)))."
  }
}

func signed(_ value: Double) -> String { (value < 0 ? "−" : "+") + decimal(abs(value), places: 4) }

extension GradientDecay {
  var words: String {
    guard let fittedLags else { return "\(verdict.rawValue); too few lags to fit a decay" }
    let life =
      halfLife.isFinite
      ? ", \(halfLife < 0 ? "doubles" : "halves") in \(decimal(abs(halfLife), places: 1)) steps" : ""
    return "\(verdict.rawValue), decay \(decimal(decay, places: 4)) per step\(life) (fitted to lags "
      + "\(fittedLags.lowerBound) to \(fittedLags.upperBound); \(decimal(lateDecay, places: 4)) over the later half)"
  }
}

extension GradientFlow.PathLengths {
  /// What is left of the full gradient when the parts are taken off it: rounding alone leaves about 1e-16 of it.
  var longerWords: String { longer < 1e-13 * full ? "too little to tell from rounding" : threeDigits(longer) }
}

extension RecurrentMatrix {
  var words: String {
    "W_hh, gate \(gate): spectral radius \(decimal(spectralRadius, places: 3)), norm \(decimal(norm, places: 3))"
  }
}
