import Compute
import Evaluation
import Foundation
import LanguageModeling
import Recurrence
import TestSupport
import Testing
import Tokenization

/// How gradients flow through networks of which it is known.
@Suite struct GradientFlowTests {
  static func settings(lags: Int, steps: Int, lanes: Int) -> GradientFlow.Settings {
    var settings = GradientFlow.Settings()
    (settings.lags, settings.steps, settings.lanes) = (lags, steps, lanes)
    settings.measuringSeconds = 0
    return settings
  }

  static func tokens(_ count: Int, vocabulary: Int = 5) -> [Int32] {
    var random = CounterRandom(seed: 3, purpose: .corpus)
    return (0..<count).map { _ in Int32(random.next() % UInt64(vocabulary)) }
  }

  /// A random model, by tensor's name with its own numbers.
  static func model<Layer: RecurrentLayer<DoubleKernels>>(
    _: Layer.Type, _ cell: TestedCell, hidden: Int, layers: Int, setting: (String, Rows<Double>) -> Void = { _, _ in }
  ) throws -> RecurrentLanguageModel<Layer> {
    let network = Network<Layer>(
      try ModelConfiguration(
        cell: cell.cell, nonlinearity: cell.nonlinearity, vocabularySize: 5, embeddingSize: 3, hiddenSize: hidden,
        layers: layers))
    var parameters = ParameterSet<Double>(network.layout)
    for slot in network.layout.slots {
      parameters.fillUniform(slot, bound: 0.6, seed: 7)
      setting(network.layout[slot].name, parameters.writable(slot))
    }
    return RecurrentLanguageModel(network: network, parameters: parameters)
  }

  // MARK: Known decays

  /// Two ways to a layer whose activation is the identity: tanh at zero, where a network without inputs and biases stays
  /// and the slope is 1, with any orthogonal Q; and relu above zero, where one stays that has nothing negative, with a
  /// permutation for Q.
  enum Linear: CaseIterable { case tanhAtZero, reluAboveZero }

  /// A linear layer with the weight ρQ, Q orthogonal: ‖∂L_t/∂h_{t−k}‖ = ρ^k ‖∂L_t/∂h_t‖.
  @Test(arguments: Linear.allCases, [(0.5, GradientVerdict.vanishing), (1, .stable), (1.5, .exploding)])
  func linearLayerDecaysByRho(_ linear: Linear, _ known: (rho: Double, verdict: GradientVerdict)) throws {
    let (rho, verdict) = known
    let cell = linear == .tanhAtZero ? TestedCell.tanhRNN : .reluRNN
    let model = try Self.model(RNN<DoubleKernels>.self, cell, hidden: 6, layers: 1) { name, tensor in
      switch (linear, name) {
      case (.tanhAtZero, "rnn.weight_hh_l0"): tensor.copy(from: orthogonal(6, seed: 2).map { $0 * rho })
      case (.reluAboveZero, "rnn.weight_hh_l0"):
        tensor.clear()
        for row in 0..<6 { tensor[row, (5 * row + 1) % 6] = rho }
      case (_, "decoder.weight"), (_, "decoder.bias"): break
      case (.tanhAtZero, _): tensor.clear()
      case (.reluAboveZero, _): tensor.copy(from: tensor.elements.map(abs))
      }
    }
    let flow = try GradientFlow(of: model, on: Self.tokens(500), Self.settings(lags: 60, steps: 90, lanes: 2))
    let layer = flow.layers[0]
    #expect(abs(layer.hidden.decay - rho) < 1e-6 && layer.hidden.verdict == verdict)
    #expect(layer.hidden.fittedLags == 1...60)
    for lag in 0...60 {
      #expect(abs(layer.hidden.normByLag[lag] / layer.hidden.normByLag[0] / pow(rho, Double(lag)) - 1) < 1e-10)
    }
    #expect(abs(layer.lyapunovExponent - log(rho)) < 1e-10)
    #expect(abs(layer.spectralRadius - rho) < 1e-8 && abs(layer.matrices[0].norm - rho) < 1e-8)
    if rho != 1 { #expect(abs(layer.hidden.halfLife - log(0.5) / log(rho)) < 1e-4) }
  }

  /// An LSTM without recurrent weights forgets by its forget gate alone, the gates of one step for another's loss.
  @Test(arguments: [-1.0, 0, 3, 5])
  func cellDecaysByTheForgetGate(_ bias: Double) throws {
    let model = try Self.model(LSTM<DoubleKernels>.self, .lstm, hidden: 4, layers: 1) { name, tensor in
      guard name.hasPrefix("rnn") else { return }
      if name.contains("weight") || name.contains("bias_hh") { tensor.clear() }
      if name == "rnn.weight_ih_l0" { for unit in 0..<4 { tensor[8 + unit, 0] = 0.5 } }
      if name == "rnn.bias_ih_l0" { for unit in 4..<8 { tensor[0, unit] = bias } }
    }
    let flow = try GradientFlow(of: model, on: Self.tokens(500), Self.settings(lags: 30, steps: 60, lanes: 2))
    let (layer, decay) = (flow.layers[0], 1 / (1 + exp(-bias)))
    let cell = try #require(layer.cell)
    #expect(abs(cell.decay - decay) < 1e-9 && cell.normByLag[0] == 0)
    #expect(abs(layer.lyapunovExponent - log(decay)) < 1e-9)
    #expect(cell.verdict == (bias == 5 ? .stable : .vanishing))
    // Nothing flows back through the hidden state.
    #expect(layer.hidden.normByLag[1] == 0 && layer.hidden.decay == 0 && layer.hidden.fittedLags == nil)
  }

  /// A stack's lower layer feels the losses through the upper one only.
  @Test func lowerLayersAreReachedThroughUpperOnes() throws {
    let model = try Self.model(GRU<DoubleKernels>.self, .gru, hidden: 4, layers: 2) { name, tensor in
      if name == "rnn.weight_ih_l1" { tensor.clear() }
    }
    let flow = try GradientFlow(of: model, on: Self.tokens(100), Self.settings(lags: 5, steps: 10, lanes: 2))
    #expect(flow.layers[0].hidden.normByLag.allSatisfy { $0 == 0 } && flow.layers[0].weightGradient.full == 0)
    #expect(flow.layers[1].hidden.normByLag.allSatisfy { $0 > 0 })
  }

  @Test(arguments: [
    (0.96, GradientVerdict.vanishing), (0.967, .stable), (1.034, .stable), (1.036, .exploding), (0, .vanishing),
    (.infinity, .exploding),
  ])
  func verdictHasItsThreshold(_ decay: Double, _ verdict: GradientVerdict) {
    #expect(GradientVerdict(decay: decay) == verdict)
  }

  /// The law is fitted as far as numbers are good.
  @Test func fitStopsAtUnderflowAndOverflow() {
    let falling = GradientDecay(normByLag: (0...20).map { pow(1e-10, Double($0)) })
    #expect(falling.fittedLags == 1...14 && abs(falling.decay / 1e-10 - 1) < 1e-9)
    let growing = GradientDecay(normByLag: [1, 1e100, 1e200, 1e300, .infinity, .nan])
    #expect(growing.fittedLags == 1...3 && growing.verdict == .exploding)
    #expect(GradientDecay(normByLag: [1, .infinity]).decay == .infinity)
    // A curve with a bend: the later half alone is the later law.
    let bent = GradientDecay(
      normByLag: (0...40).map { $0 < 15 ? pow(0.5, Double($0)) : pow(0.5, 15) * pow(0.9, Double($0 - 15)) })
    #expect(bent.fittedLags == 1...40 && abs(bent.lateDecay - 0.9) < 1e-12 && bent.decay < 0.85)
    #expect(GradientDecay(normByLag: [1, 0.5]).fittedLags == nil)
  }

  // MARK: Against other ways to the same numbers

  /// The parts by path length, all of them, sum to full BPTT, whose norm the report has, in every cell and layer.
  @Test(arguments: TestedCell.allCases)
  func partsSumToTheFullGradient(_ cell: TestedCell) throws {
    func check<Layer: RecurrentLayer<DoubleKernels>>(_: Layer.Type) throws {
      let model = try Self.model(Layer.self, cell, hidden: 7, layers: 2)
      let window = Self.window(Self.tokens(28), steps: 9, lanes: 3)
      let bptt = TruncatedBPTT(model.network, lanes: 3, k1: 9, workers: Workers(threads: 1))
      _ = bptt.step(window, parameters: model.parameters)
      let full = bptt.gradients
      var sum = ParameterSet<Double>(model.network.layout)
      let recurrent = model.network.layout.slots.filter { model.network.layout[$0].name.contains("weight_hh") }
      var norms: [[Double]] = [[], []]
      GradientProbe(model, window).forEachLag(9) { lag in
        Double.add(lag.gradients.flat, to: sum.writableFlat())
        for layer in 0...1 {
          norms[layer].append(Double.sumOfSquares(lag.gradients[recurrent[layer]]).squareRoot())
        }
      }
      for slot in model.network.layout.slots {
        let scale = full[slot].elements.map(abs).max() ?? 0
        #expect(scale > 0)
        #expect(largestDifference(sum[slot].elements, full[slot].elements) < 1e-12 * max(scale, 1e-3))
      }
      let flow = try GradientFlow(of: model, on: Self.tokens(28), Self.settings(lags: 8, steps: 9, lanes: 3))
      for layer in 0...1 {
        #expect(largestDifference(flow.layers[layer].weightGradient.norms, norms[layer]) < 1e-14)
        #expect(
          abs(flow.layers[layer].weightGradient.full - Double.sumOfSquares(full[recurrent[layer]]).squareRoot()) < 1e-14
        )
      }
      let both = zip(norms[0], norms[1]).map { ($0 * $0 + $1 * $1).squareRoot() }
      #expect(largestDifference(flow.weightGradient.norms, both) < 1e-14)
      let weight = flow.weightGradient
      #expect(weight.norms.count == 9 && weight.longer < 1e-12 * weight.full && weight.full > 0)
      #expect(weight.norms[1] > 0 && flow.layers[0].weightGradient.full < weight.full)
    }
    try check(cell.layer(DoubleKernels.self))
  }

  /// The full gradient that all is compared with is that of the mean loss: central differences in every tensor.
  @Test(arguments: TestedCell.allCases)
  func sumOfPartsIsTheDerivativeOfTheLoss(_ cell: TestedCell) throws {
    func check<Layer: RecurrentLayer<DoubleKernels>>(_: Layer.Type) throws {
      let model = try Self.model(Layer.self, cell, hidden: 3, layers: 2)
      let window = Self.window(Self.tokens(60), steps: 5, lanes: 2)
      var sum = ParameterSet<Double>(model.network.layout)
      GradientProbe(model, window).forEachLag(5) { Double.add($0.gradients.flat, to: sum.writableFlat()) }
      func loss(_ slot: ParameterLayout.Slot, _ index: Int, _ difference: Double) -> Double {
        var parameters = model.parameters
        let tensor = parameters.writable(slot)
        tensor[index / tensor.columns, index % tensor.columns] += difference
        let losses = RecurrentLanguageModel(network: model.network, parameters: parameters)
          .makeReader(lanes: 2, steps: 5).losses(window)
        return losses.reduce(0, +) / 10
      }
      for slot in model.network.layout.slots {
        for (index, analytic) in sum[slot].elements.enumerated() {
          let numeric = (loss(slot, index, 1e-5) - loss(slot, index, -1e-5)) / 2e-5
          #expect(abs(analytic - numeric) <= 1e-9 + 1e-7 * abs(numeric), "\(model.network.layout[slot].name)[\(index)]")
        }
      }
    }
    try check(cell.layer(DoubleKernels.self))
  }

  /// ∂L_t at the state after step s is what a window from there to t leaves, less what a window to t − 1 leaves.
  @Test(arguments: TestedCell.allCases, [1, 2])
  func normsAreThoseOfGradientsAtStates(_ cell: TestedCell, _ layers: Int) throws {
    func check<Layer: RecurrentLayer<DoubleKernels>>(_: Layer.Type) throws {
      let model = try Self.model(Layer.self, cell, hidden: 5, layers: layers)
      let window = Self.window(Self.tokens(60), steps: 7, lanes: 2)
      let other = StateGradients(model, window)
      GradientProbe(model, window).forEachLag(7) { lag in
        for step in 0..<7 {
          for lane in 0..<2 {
            let row = step * 2 + lane
            guard step + lag.lag < 7 else {
              #expect(lag.hiddenNorms.allSatisfy { $0[row] == 0 } && lag.cellNorms.allSatisfy { $0[row] == 0 })
              continue
            }
            guard lag.lag > 0 else { continue }
            let norms = other.norms(loss: step + lag.lag, state: step, lane: lane)
            // Lower hidden states also feed the layer above at their own step, which a state after it does not.
            #expect(abs(lag.hiddenNorms[layers - 1][row] - norms.hidden[layers - 1]) < 1e-12)
            #expect(norms.hidden[layers - 1] > 1e-6 || cell == .reluRNN)
            for layer in lag.cellNorms.indices {
              #expect(abs(lag.cellNorms[layer][row] - norms.cell[layer]) < 1e-12)
            }
          }
        }
      }
    }
    try check(cell.layer(DoubleKernels.self))
  }

  /// A window of lanes that lie in a row in the tokens: 3 lanes of 9 steps are those that the analysis takes of 28.
  static func window(_ tokens: [Int32], steps: Int, lanes: Int) -> TokenWindow {
    let places = (0..<steps).flatMap { t in (0..<lanes).map { $0 * steps + t } }
    return TokenWindow(
      steps: steps, lanes: lanes, inputs: places.map { tokens[$0] }, targets: places.map { tokens[$0 + 1] })
  }
}

/// Gradients of one loss at the state after one step, by full BPTT over windows that begin there.
private struct StateGradients<Layer: RecurrentLayer<DoubleKernels>> {
  let model: RecurrentLanguageModel<Layer>
  let window: TokenWindow

  init(_ model: RecurrentLanguageModel<Layer>, _ window: TokenWindow) {
    self.model = model
    self.window = window
  }

  func norms(loss: Int, state: Int, lane: Int) -> (hidden: [Double], cell: [Double]) {
    let (long, short) = (ofLosses(through: loss, state), ofLosses(through: loss - 1, state))
    func norm(_ part: KeyPath<LayerState<Double, Double>, Rows<Double>?>, _ layer: Int) -> Double {
      guard let a = long[layer][keyPath: part] else { return 0 }
      let b = short.isEmpty ? nil : short[layer][keyPath: part]
      let differences = (0..<a.columns).map { a[lane, $0] - (b?[lane, $0] ?? 0) }
      return differences.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
    return (
      long.indices.map { norm(\.optionalHidden, $0) }, long.indices.map { norm(\.cell, $0) }
    )
  }

  /// The gradient of the sum of the losses after step `state` through step `last`, at the state between.
  private func ofLosses(through last: Int, _ state: Int) -> [LayerState<Double, Double>] {
    guard last > state else { return [] }
    let bptt = TruncatedBPTT(model.network, lanes: window.lanes, k1: window.steps, workers: Workers(threads: 1))
    _ = bptt.step(window.steps(0..<state + 1), parameters: model.parameters)
    let part = window.steps(state + 1..<last + 1)
    _ = bptt.step(part, parameters: model.parameters)
    let gradients = bptt.stateGradients[0]
    for layer in gradients {
      Double.scale(layer.hidden, by: Double(part.targets.count))
      if let cell = layer.cell { Double.scale(cell, by: Double(part.targets.count)) }
    }
    return gradients
  }
}

extension LayerState where Hidden == Real {
  fileprivate var optionalHidden: Rows<Real>? { hidden }
}

/// A random orthogonal matrix, row after row: Gram and Schmidt on random rows.
func orthogonal(_ size: Int, seed: UInt64) -> [Double] {
  var random = CounterRandom(seed: seed, purpose: .corpus)
  var rows: [[Double]] = []
  while rows.count < size {
    var row = randomNumbers(size, bound: 1, using: &random)
    for _ in 0..<2 {
      for other in rows {
        let product = zip(row, other).reduce(0) { $0 + $1.0 * $1.1 }
        row = zip(row, other).map { $0 - product * $1 }
      }
    }
    let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
    rows.append(row.map { $0 / length })
  }
  return rows.flatMap { $0 }
}
