import Compute
import LanguageModeling
import Recurrence
import Tokenization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension GradientFlow {
  /// Reads a window of the text in Double, every lane from the state that streams begin from, and looks at the gradients
  /// of its losses.
  ///
  /// - Parameter model: A model in Double.
  /// - Throws: ``TextTooShort``, `PredictionsNotFinite`, ``GradientsNotFinite``.
  public init(of model: any LanguageModel, on tokens: [Int32], _ settings: Settings) throws {
    precondition(
      settings.lags >= 1 && settings.lags < settings.steps && settings.lanes >= 1,
      "\(settings.lags) lags, \(settings.steps) steps and \(settings.lanes) lanes")
    let window = try Self.window(tokens, settings)
    func analyse<Layer: RecurrentLayer<DoubleKernels>>(_: Layer.Type) throws -> GradientFlow {
      guard let model = model as? RecurrentLanguageModel<Layer> else {
        preconditionFailure("gradients are looked at in Double: load the model in float64")
      }
      return try GradientAnalysis(model, window, settings).flow()
    }
    self = try analyse(model.configuration.referenceLayer)
  }

  /// Lane b begins at b·n of the text, n = (tokens − 1) / B.
  private static func window(_ tokens: [Int32], _ settings: Settings) throws -> TokenWindow {
    let (lanes, steps) = (settings.lanes, settings.steps)
    let length = (tokens.count - 1) / lanes
    guard length >= steps else { throw TextTooShort(tokens: tokens.count, lanes: lanes, steps: steps) }
    let places = (0..<steps).flatMap { t in (0..<lanes).map { $0 * length + t } }
    return TokenWindow(
      steps: steps, lanes: lanes, inputs: places.map { tokens[$0] }, targets: places.map { tokens[$0 + 1] })
  }
}

/// One look at a model and a window.
private final class GradientAnalysis<Layer: RecurrentLayer<DoubleKernels>> {
  let model: RecurrentLanguageModel<Layer>
  let window: TokenWindow
  let settings: GradientFlow.Settings
  let layers: Range<Int>
  let layout: ParameterLayout
  let full: ParameterSet<Double>
  let loss: Double

  init(
    _ model: RecurrentLanguageModel<Layer>, _ window: TokenWindow, _ settings: GradientFlow.Settings
  ) throws {
    self.model = model
    self.window = window
    self.settings = settings
    layers = 0..<model.configuration.layers
    layout = model.network.layout
    (full, loss) = summedGradient(model, window, k1: window.steps)
    guard loss.isFinite else { throw PredictionsNotFinite() }
    guard Double.sumOfSquares(full.flat).isFinite else { throw GradientsNotFinite() }
  }

  func flow() throws -> GradientFlow {
    let probe = GradientProbe(model, window)
    let meter = followBack(probe)
    return GradientFlow(
      configuration: model.configuration, settings: settings, loss: loss,
      layers: layers.map { layer in
        GradientFlow.Layer(
          hidden: GradientDecay(normByLag: meter.hiddenNorms[layer]),
          cell: Layer.hasCell ? GradientDecay(normByLag: meter.cellNorms[layer]) : nil,
          weightGradient: pathLengths(meter, [layer]), matrices: matrices(layer),
          lyapunovExponent: probe.backwardGrowth(
            layer: layer, uncounted: settings.steps / 4, seed: settings.seed))
      },
      weightGradient: pathLengths(meter, Array(layers)), truncation: truncation(meter))
  }

  // MARK: Lag by lag

  /// What is kept of the way back.
  private struct Meter {
    /// By layer, then by lag.
    var hiddenNorms, cellNorms: [[Double]]
    /// Squared norms of the parts of ∂L/∂W_hh, by layer, then by lag.
    var squaredParts: [[Double]]
    /// The sum of all parts until now.
    var sum: ParameterSet<Double>
    /// How it compares with the full gradient, after each lag: that is TBPTT with k1 = 1 and k2 = lag + 1.
    var comparisons: [GradientComparison] = []
  }

  private func followBack(_ probe: GradientProbe<Layer>) -> Meter {
    let empty = [[Double]](repeating: [], count: layers.count)
    var meter = Meter(
      hiddenNorms: empty, cellNorms: empty, squaredParts: empty, sum: ParameterSet(layout))
    probe.forEachLag(settings.lags + 1) { lag in
      for layer in layers {
        meter.hiddenNorms[layer].append(mean(lag.hiddenNorms[layer], at: lag.lag))
        if Layer.hasCell { meter.cellNorms[layer].append(mean(lag.cellNorms[layer], at: lag.lag)) }
        meter.squaredParts[layer].append(Double.sumOfSquares(lag.gradients[recurrentWeight(layer)]))
      }
      Double.add(lag.gradients.flat, to: meter.sum.writableFlat())
      meter.comparisons.append(GradientComparison(of: meter.sum, with: full))
    }
    return meter
  }

  /// The mean over lanes and over those losses that have all lags before them, so that every lag is a mean over the
  /// same losses.
  private func mean(_ norms: [Double], at lag: Int) -> Double {
    let rows = norms[(settings.lags - lag) * window.lanes..<(window.steps - lag) * window.lanes]
    return rows.reduce(0, +) / Double(rows.count)
  }

  private func pathLengths(_ meter: Meter, _ layers: [Int]) -> GradientFlow.PathLengths {
    func total(_ squares: (Int) -> Double) -> Double { layers.reduce(0) { $0 + squares($1) }.squareRoot() }
    return GradientFlow.PathLengths(
      norms: (0...settings.lags).map { lag in total { meter.squaredParts[$0][lag] } },
      longer: total { layer in
        let slot = recurrentWeight(layer)
        return zip(full[slot].elements, meter.sum[slot].elements).reduce(0) {
          $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
        }
      },
      full: total { Double.sumOfSquares(full[recurrentWeight($0)]) })
  }

  private func recurrentWeight(_ layer: Int) -> ParameterLayout.Slot {
    let name = "rnn.weight_hh_l\(layer)"
    guard let slot = layout.slots.first(where: { layout[$0].name == name }) else {
      preconditionFailure("the network has no tensor \(name)")
    }
    return slot
  }

  private func matrices(_ layer: Int) -> [RecurrentMatrix] {
    let (weight, size) = (model.parameters[recurrentWeight(layer)], model.configuration.hiddenSize)
    let gates =
      switch model.configuration.cell {
      case .lstm, .layerNormLSTM: ["i", "f", "g", "o"]
      case .gru: ["r", "z", "n"]
      case .rnn: ["h"]
      }
    return gates.enumerated().map { index, gate in
      let matrix = weight[index * size..<(index + 1) * size]
      return RecurrentMatrix(gate: gate, spectralRadius: spectralRadius(matrix), norm: spectralNorm(matrix))
    }
  }

  // MARK: Truncation

  private func truncation(_ meter: Meter) -> [GradientFlow.Truncation] {
    let sizes = truncationLengths(upTo: settings.lags)
    let costs = TruncationCosts(
      model.configuration, window, lengths: sizes + [window.steps], seconds: settings.measuringSeconds)
    let everyStep = sizes.map { k2 in
      costs.truncation(k1: 1, k2: k2, meter.comparisons[k2 - 1])
    }
    // k1 = k2 = 1 is among those.
    let chunks = sizes.dropFirst().map { k2 in
      costs.truncation(
        k1: k2, k2: k2, GradientComparison(of: summedGradient(model, window, k1: k2).gradient, with: full))
    }
    let whole = costs.truncation(
      k1: window.steps, k2: window.steps, GradientComparison(of: full, with: full))
    return everyStep + chunks + [whole]
  }
}

/// 1, 2, 3, 5, 7, 10, 20, 30, 50, 70, 100, …
func truncationLengths(upTo largest: Int) -> [Int] {
  var lengths: [Int] = []
  var decade = 1
  while decade <= largest {
    lengths += [1, 2, 3, 5, 7].map { $0 * decade }.filter { $0 <= largest }
    decade *= 10
  }
  return lengths
}

/// The gradients of truncated BPTT with k2 = k1 over a window, added up as the gradient of its mean loss, weights held;
/// and that mean loss. A last chunk may be shorter.
private func summedGradient<Layer: RecurrentLayer<DoubleKernels>>(
  _ model: RecurrentLanguageModel<Layer>, _ window: TokenWindow, k1: Int
) -> (gradient: ParameterSet<Double>, loss: Double) {
  let bptt = TruncatedBPTT(model.network, lanes: window.lanes, k1: k1, workers: Workers(threads: 1))
  var sum = ParameterSet<Double>(model.network.layout)
  var loss = 0.0
  for start in stride(from: 0, to: window.steps, by: k1) {
    let chunk = window.steps(start..<min(start + k1, window.steps))
    loss += bptt.step(chunk, parameters: model.parameters)
    Double.scale(bptt.gradients.writableFlat(), by: Double(chunk.steps) / Double(window.steps))
    Double.add(bptt.gradients.flat, to: sum.writableFlat())
  }
  return (sum, loss / Double(window.targets.count))
}
