import Compute
import Foundation
import LanguageModeling
import Tokenization

/// A small network with its regularisers, written out in plain loops from the papers' equations and PyTorch's cells: what
/// the layers, masks and gradients of the library are compared with.
struct PlainRegularizedNetwork {
  let configuration: ModelConfiguration
  let regularization: Regularization
  let lanes: Int
  /// Of what is dropped.
  let seed: UInt64
  let number: Int

  /// `count` ones, some of which a stream drops.
  private func mask(_ purpose: RandomPurpose, _ probability: Double, lane: Int, _ count: Int) -> [Double] {
    guard probability > 0 else { return [Double](repeating: 1, count: count) }
    let ones = Rows<Double>(1, count, [Double](repeating: 1, count: count))
    let random = CounterRandom(seed: seed, purpose: purpose, step: number, lane: lane)
    Double.drop(Drop(probability: probability, random), from: ones)
    return ones.elements
  }

  /// The mask of a lane at a place: 0 is what layer 0 reads, k what layer k − 1 hands up.
  func lockedMask(place: Int, lane: Int) -> [Double] {
    let probability =
      place == 0
      ? regularization.inputDropout
      : place == configuration.layers ? regularization.outputDropout : regularization.hiddenDropout
    let count = place == 0 ? configuration.embeddingSize : configuration.hiddenSize
    return mask(.lockedDropout, probability, lane: place << 20 | lane, count)
  }

  // MARK: Weights

  private struct Weights {
    var tensors: [String: [Double]] = [:]
    subscript(name: String) -> [Double] { tensors[name] ?? [] }
  }

  private func weights(_ parameters: ParameterSet<Double>) -> Weights {
    var weights = Weights()
    for slot in parameters.layout.slots {
      weights.tensors[parameters.layout[slot].name] = parameters[slot].elements
    }
    if configuration.tiesWeights { weights.tensors["decoder.weight"] = weights["encoder.weight"] }
    let symbols = mask(.embeddingDropout, regularization.embeddingDropout, lane: 0, configuration.vocabularySize)
    let size = configuration.embeddingSize
    weights.tensors["encoder.weight"] = weights["encoder.weight"].enumerated().map { $1 * symbols[$0 / size] }
    for layer in 0..<configuration.layers {
      let name = "rnn.weight_hh_l\(layer)"
      let dropped = mask(.weightDrop, regularization.weightDrop, lane: layer, weights[name].count)
      weights.tensors[name] = zip(weights[name], dropped).map { $0 * $1 }
    }
    return weights
  }

  private func product(_ x: [Double], _ weight: [Double], _ bias: [Double]) -> [Double] {
    bias.indices.map { row in x.indices.reduce(bias[row]) { $0 + weight[row * x.count + $1] * x[$1] } }
  }

  // MARK: Cells

  private struct State {
    var h, c: [Double]
  }

  private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  /// α ⊙ (z − mean z) / √(variance z + 10⁻⁵) + β.
  private func normalized(_ z: [Double], _ name: String, _ weights: Weights) -> [Double] {
    let mean = z.reduce(0, +) / Double(z.count)
    let variance = z.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(z.count)
    let (gain, bias) = (weights["\(name).weight"], weights["\(name).bias"])
    return z.indices.map { gain[$0] * (z[$0] - mean) / (variance + 1e-5).squareRoot() + bias[$0] }
  }

  private func layerNormStep(_ x: [Double], _ state: State, layer: Int, _ weights: Weights) -> State {
    let size = configuration.hiddenSize
    let none = [Double](repeating: 0, count: 4 * size)
    let a = normalized(
      product(x, weights["rnn.weight_ih_l\(layer)"], none), "rnn.layernorm_ih_l\(layer)", weights)
    let b = normalized(
      product(state.h, weights["rnn.weight_hh_l\(layer)"], none), "rnn.layernorm_hh_l\(layer)", weights)
    let bias = weights["rnn.bias_l\(layer)"]
    let gates = none.indices.map { a[$0] + b[$0] + bias[$0] }
    let c = (0..<size).map { sigmoid(gates[size + $0]) * state.c[$0] + sigmoid(gates[$0]) * tanh(gates[2 * size + $0]) }
    let normal = normalized(c, "rnn.layernorm_c_l\(layer)", weights)
    return State(h: (0..<size).map { sigmoid(gates[3 * size + $0]) * tanh(normal[$0]) }, c: c)
  }

  private func step(_ x: [Double], _ state: State, layer: Int, _ weights: Weights) -> State {
    let size = configuration.hiddenSize
    if configuration.cell == .layerNormLSTM { return layerNormStep(x, state, layer: layer, weights) }
    let a = product(x, weights["rnn.weight_ih_l\(layer)"], weights["rnn.bias_ih_l\(layer)"])
    let b = product(state.h, weights["rnn.weight_hh_l\(layer)"], weights["rnn.bias_hh_l\(layer)"])
    var next = state
    for j in 0..<size {
      func gate(_ k: Int) -> Double { a[k * size + j] + b[k * size + j] }
      switch configuration.cell {
      case .lstm, .layerNormLSTM:
        next.c[j] = sigmoid(gate(1)) * state.c[j] + sigmoid(gate(0)) * tanh(gate(2))
        next.h[j] = sigmoid(gate(3)) * tanh(next.c[j])
      case .gru:
        let (r, z) = (sigmoid(gate(0)), sigmoid(gate(1)))
        next.h[j] = (1 - z) * tanh(a[2 * size + j] + r * b[2 * size + j]) + z * state.h[j]
      case .rnn:
        next.h[j] = configuration.nonlinearity == .tanh ? tanh(gate(0)) : max(0, gate(0))
      }
    }
    return next
  }

  // MARK: Objective

  struct Objective {
    /// Σ of the losses of all steps, of all lanes.
    var lossSum = 0.0
    /// What is differentiated: the mean loss of the scored steps, α·mean (m⊙h)² and β·mean (h_t − h_t−1)².
    var differentiated = 0.0
  }

  /// Reads a window `[T, B]` from the zero state: the steps before `cut` with `frozen`, the others with `parameters`; the
  /// last `scored` steps count in what is differentiated.
  func objective(
    _ parameters: ParameterSet<Double>, before frozen: ParameterSet<Double>, _ window: TokenWindow, cut: Int,
    scored: Int
  ) -> Objective {
    let (old, new) = (weights(frozen), weights(parameters))
    var objective = Objective()
    let first = window.steps - scored
    let size = configuration.hiddenSize
    let (elements, pairs) = (Double(scored * lanes * size), Double((scored - 1) * lanes * size))
    for lane in 0..<lanes {
      let masks = (0...configuration.layers).map { lockedMask(place: $0, lane: lane) }
      let zeros = [Double](repeating: 0, count: size)
      var states = [State](repeating: State(h: zeros, c: zeros), count: configuration.layers)
      for t in 0..<window.steps {
        let weights = t < cut ? old : new
        let symbol = Int(window.inputs[t * lanes + lane])
        let row = symbol * configuration.embeddingSize..<(symbol + 1) * configuration.embeddingSize
        var x = zip(weights["encoder.weight"][row], masks[0]).map { $0 * $1 }
        let before = states[configuration.layers - 1].h
        for layer in states.indices {
          states[layer] = step(x, states[layer], layer: layer, weights)
          x = zip(states[layer].h, masks[layer + 1]).map { $0 * $1 }
        }
        let logits = product(x, weights["decoder.weight"], weights["decoder.bias"])
        let loss =
          log(logits.reduce(0) { $0 + exp($1) }) - logits[Int(window.targets[t * lanes + lane])]
        objective.lossSum += loss
        guard t >= first else { continue }
        objective.differentiated += loss / Double(scored * lanes)
        objective.differentiated += regularization.activation * x.reduce(0) { $0 + $1 * $1 } / elements
        guard t > first else { continue }
        let changes = zip(states[configuration.layers - 1].h, before).map { $0 - $1 }
        objective.differentiated += regularization.temporalActivation * changes.reduce(0) { $0 + $1 * $1 } / pairs
      }
    }
    return objective
  }
}
