/// Sampling: drawing symbols from a model's predictions.

import Compute

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Draws symbols from logits at a temperature.
public struct Sampler: Sendable, Equatable {
  /// Above 1 flatter, below 1 sharper, 0 always the likeliest symbol.
  public let temperature: Double

  /// - Throws: ``InvalidSampling`` where the temperature is negative or not a number.
  public init(temperature: Double) throws {
    guard temperature >= 0, temperature.isFinite else {
      throw InvalidSampling("temperature is \(temperature); it must be 0 (greedy) or a number above it, such as 0.8")
    }
    self.temperature = temperature
  }

  /// The probabilities softmax(logits / temperature); at temperature 0 all on the likeliest symbol, the first of equals.
  public func probabilities(_ logits: [Double]) -> [Double] {
    var weights = logits
    let sum = makeWeights(&weights)
    return weights.map { $0 / sum }
  }

  /// Turns logits into what probabilities are proportional to; their sum.
  private func makeWeights(_ logits: inout [Double]) -> Double {
    precondition(!logits.isEmpty, "a symbol drawn from no logits")
    var best = 0
    for symbol in logits.indices where logits[symbol] > logits[best] { best = symbol }
    let largest = logits[best]
    var sum = 0.0
    for symbol in logits.indices {
      // Shifted before it is divided: a tiny temperature gives −∞ and probability 0, never ∞ − ∞.
      logits[symbol] =
        temperature > 0 ? exp((logits[symbol] - largest) / temperature) : symbol == best ? 1 : 0
      sum += logits[symbol]
    }
    return sum
  }

  /// Draws one symbol by inversion: the first whose cumulated probability exceeds a uniform number.
  public func draw(_ logits: [Double], using random: inout CounterRandom) -> Int { draw(logits[...], using: &random) }

  /// Draws one symbol by inversion, counted from the beginning of a part of an array.
  public func draw(_ logits: ArraySlice<Double>, using random: inout CounterRandom) -> Int {
    var weights: [Double] = []
    return draw(logits, using: &random, weights: &weights)
  }

  /// The same in memory that is used again.
  package func draw(
    _ logits: ArraySlice<Double>, using random: inout CounterRandom, weights: inout [Double]
  ) -> Int {
    weights.removeAll(keepingCapacity: true)
    weights += logits
    let sum = makeWeights(&weights)
    let threshold = random.uniform() * sum
    var cumulated = 0.0
    for symbol in weights.indices {
      cumulated += weights[symbol]
      if threshold < cumulated { return symbol }
    }
    // Rounding left the sum a hair under the threshold: the last symbol that can come.
    return weights.lastIndex { $0 > 0 } ?? 0
  }
}
