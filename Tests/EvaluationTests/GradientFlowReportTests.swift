import Compute
import Evaluation
import Foundation
import LanguageModeling
import ModelFiles
import Recurrence
import TestSupport
import Testing
import Tokenization

/// That the figures of a report are those of what they name.
@Suite struct GradientFlowReportTests {
  private typealias Flows = GradientFlowTests

  /// The window is the beginning of each of the text's lanes, the loss its mean, and every lag's norm the mean over the
  /// losses that have all lags before them.
  @Test func meansAreOverTheSameLosses() throws {
    let model = try Flows.model(LSTM<DoubleKernels>.self, .lstm, hidden: 4, layers: 2)
    let tokens = Flows.tokens(100)
    let flow = try GradientFlow(of: model, on: tokens, Flows.settings(lags: 6, steps: 11, lanes: 3))
    // Lanes of 33 tokens.
    let places = (0..<11).flatMap { t in [t, 33 + t, 66 + t] }
    let window = TokenWindow(
      steps: 11, lanes: 3, inputs: places.map { tokens[$0] }, targets: places.map { tokens[$0 + 1] })
    let losses = model.makeReader(lanes: 3, steps: 11).losses(window)
    #expect(abs(flow.loss - losses.reduce(0, +) / 33) < 1e-13)
    GradientProbe(model, window).forEachLag(7) { lag in
      for layer in 0...1 {
        func mean(_ norms: [Double]) -> Double {
          let rows = (6..<11).flatMap { loss in (0..<3).map { norms[(loss - lag.lag) * 3 + $0] } }
          return rows.reduce(0, +) / 15
        }
        let (hidden, cell) = (flow.layers[layer].hidden.normByLag, flow.layers[layer].cell?.normByLag ?? [])
        #expect(abs(hidden[lag.lag] - mean(lag.hiddenNorms[layer])) < 1e-15)
        #expect(abs(cell[lag.lag] - mean(lag.cellNorms[layer])) < 1e-15)
      }
    }
  }

  /// Each gate has its own matrix: [0 a; b 0] has the radius √(a·b) and the norm max(a, b).
  @Test(arguments: [TestedCell.lstm, .layerNormLSTM, .gru])
  func matricesAreThoseOfTheirGates(_ cell: TestedCell) throws {
    func check<Layer: RecurrentLayer<DoubleKernels>>(_: Layer.Type) throws {
      func pair(_ layer: Int, _ gate: Int) -> (a: Double, b: Double) { (1.5 + Double(gate), 0.25 + Double(layer)) }
      let model = try Flows.model(Layer.self, cell, hidden: 2, layers: 2) { name, tensor in
        guard name.contains("weight_hh") else { return }
        tensor.clear()
        for gate in 0..<tensor.rows / 2 {
          (tensor[2 * gate, 1], tensor[2 * gate + 1, 0]) = pair(name.hasSuffix("0") ? 0 : 1, gate)
        }
      }
      let flow = try GradientFlow(of: model, on: Flows.tokens(60), Flows.settings(lags: 3, steps: 6, lanes: 2))
      let gates = cell != .gru ? ["i", "f", "g", "o"] : ["r", "z", "n"]
      for (index, layer) in flow.layers.enumerated() {
        #expect(layer.matrices.map(\.gate) == gates)
        let radii = gates.indices.map { (pair(index, $0).a * pair(index, $0).b).squareRoot() }
        #expect(largestDifference(layer.matrices.map(\.spectralRadius), radii) < 1e-7)
        #expect(largestDifference(layer.matrices.map(\.norm), gates.indices.map { pair(index, $0).a }) < 1e-7)
        #expect(abs(layer.spectralRadius - (radii.max() ?? 0)) < 1e-7)
      }
    }
    try check(cell.layer(DoubleKernels.self))
  }

  /// Two layers that are linear, each with its exponent: the steps in which a gradient turns into the direction that
  /// lasts are not counted.
  @Test func everyLayerHasItsExponent() throws {
    let model = try Flows.model(RNN<DoubleKernels>.self, .tanhRNN, hidden: 4, layers: 2) { name, tensor in
      guard name.hasPrefix("rnn") || name.hasPrefix("encoder") else { return }
      tensor.clear()
      guard name.contains("weight_hh") else { return }
      for unit in 0..<4 { tensor[unit, unit] = name.hasSuffix("0") ? 0.5 : unit == 2 ? 0.9 : 0.2 }
    }
    let flow = try GradientFlow(of: model, on: Flows.tokens(200), Flows.settings(lags: 5, steps: 80, lanes: 2))
    #expect(abs(flow.layers[0].lyapunovExponent - log(0.5)) < 1e-10)
    #expect(abs(flow.layers[1].lyapunovExponent - log(0.9)) < 1e-10)
  }

  /// An update goes through max(k1, k2) steps forward and back, and advances by k1.
  @Test func timeIsPerStepOfTheText() throws {
    let model = try Flows.model(RNN<DoubleKernels>.self, .tanhRNN, hidden: 4, layers: 1)
    let flow = try GradientFlow(of: model, on: Flows.tokens(60), Flows.settings(lags: 10, steps: 20, lanes: 2))
    for k2 in [2, 3, 5, 7, 10] {
      let entries = flow.truncation.filter { $0.k2 == k2 }
      #expect(entries.map(\.k1) == [1, k2] && Set(entries.map(\.activationBytes)).count == 1)
      #expect(abs(entries[0].millisecondsPerStep / entries[1].millisecondsPerStep / Double(k2) - 1) < 1e-9)
    }
  }

  /// A small angle is not enough: the length counts too. (An error of at most 10 % has a cosine of 0.995 at least.)
  @Test func faithfulIsNearInErrorToo() throws {
    var entries: [GradientFlow.Truncation] = []
    var hasTwoAdvices = false
    for rho in [0.5, 0.6, 0.7, 0.8] {
      let model = try Flows.model(RNN<DoubleKernels>.self, .tanhRNN, hidden: 4, layers: 1) { name, tensor in
        if name == "rnn.weight_hh_l0" { tensor.copy(from: orthogonal(4, seed: 2).map { $0 * rho }) }
      }
      let flow = try GradientFlow(of: model, on: Flows.tokens(200), Flows.settings(lags: 30, steps: 60, lanes: 2))
      entries += flow.truncation
      let advised = [true, false].map(flow.recommended(everyStep:))
      #expect(["recommended_k2_with_k1_1", "recommended_k2"].map { flow.json[$0]?.integer } == advised)
      hasTwoAdvices = hasTwoAdvices || advised[0] < advised[1]
    }
    #expect(hasTwoAdvices)
    #expect(entries.contains { $0.cosine > 0.99 && $0.relativeError > 0.1 })
    #expect(entries.allSatisfy { $0.isFaithful == ($0.relativeError <= 0.1) })
  }

  /// JSON has the report's numbers under their names.
  @Test func jsonHasTheNumbers() throws {
    let model = try Flows.model(LSTM<DoubleKernels>.self, .lstm, hidden: 4, layers: 2)
    let flow = try GradientFlow(of: model, on: Flows.tokens(200), Flows.settings(lags: 10, steps: 30, lanes: 2))
    let json = flow.json
    #expect(json["loss"]?.double == flow.loss)
    #expect(json["weight_gradient_norm"]?.double == flow.weightGradient.full)
    #expect(json["weight_gradient_longer_paths"]?.double == flow.weightGradient.longer)
    #expect(json["weight_gradient_by_path_length"]?.array?.map(\.double) == flow.weightGradient.norms)
    for (layer, json) in zip(flow.layers, try #require(json["layers"]?.array)) {
      let cell = try #require(layer.cell)
      #expect(json["norm_by_lag"]?.array?.map(\.double) == layer.hidden.normByLag)
      #expect(json["cell_norm_by_lag"]?.array?.map(\.double) == cell.normByLag)
      let numbers = [
        ("decay", layer.hidden.decay), ("half_life", layer.hidden.halfLife), ("late_decay", layer.hidden.lateDecay),
        ("cell_decay", cell.decay), ("cell_half_life", cell.halfLife), ("cell_late_decay", cell.lateDecay),
        ("spectral_radius", layer.spectralRadius), ("lyapunov_exponent", layer.lyapunovExponent),
      ]
      for (key, number) in numbers { #expect(json[key]?.double == number, "\(key)") }
      #expect(json["matrices"]?.array?.map { $0["norm"]?.double } == layer.matrices.map(\.norm))
      #expect(json["matrices"]?.array?.map { $0["spectral_radius"]?.double } == layer.matrices.map(\.spectralRadius))
    }
    for (entry, json) in zip(flow.truncation, try #require(json["truncation"]?.array)) {
      #expect(json["k1"]?.integer == entry.k1 && json["k2"]?.integer == entry.k2)
      #expect(json["relative_error"]?.double == entry.relativeError && json["cosine"]?.double == entry.cosine)
      #expect(json["milliseconds_per_step"]?.double == entry.millisecondsPerStep)
    }
  }

  /// What rounding leaves of the full gradient is not given out for the share of longer paths.
  @Test func roundingIsNotAShare() throws {
    func words(_ rho: Double, lags: Int) throws -> String {
      let model = try Flows.model(RNN<DoubleKernels>.self, .tanhRNN, hidden: 4, layers: 1) { name, tensor in
        if name == "rnn.weight_hh_l0" { tensor.copy(from: orthogonal(4, seed: 2).map { $0 * rho }) }
      }
      return try GradientFlow(of: model, on: Flows.tokens(200), Flows.settings(lags: lags, steps: 60, lanes: 2)).text
    }
    let remark = "too little to tell from rounding"
    #expect(try words(0.05, lags: 30).contains(remark))
    #expect(try !words(0.9, lags: 3).contains(remark))
  }
}
