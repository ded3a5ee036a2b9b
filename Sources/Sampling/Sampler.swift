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
    precondition(!logits.isEmpty, "a symbol drawn from no logits")
    let best = logits.indices.reduce(0) { logits[$1] > logits[$0] ? $1 : $0 }
    guard temperature > 0 else { return logits.indices.map { $0 == best ? 1 : 0 } }
    // Shifted before it is divided: a tiny temperature gives −∞ and probability 0, never ∞ − ∞.
    let weights = logits.map { exp(($0 - logits[best]) / temperature) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }

  /// Draws one symbol by inversion: the first whose cumulated probability exceeds a uniform number.
  public func draw(_ logits: [Double], using random: inout CounterRandom) -> Int {
    let probabilities = probabilities(logits)
    let uniform = random.uniform()
    var cumulated = 0.0
    for (symbol, probability) in probabilities.enumerated() {
      cumulated += probability
      if uniform < cumulated { return symbol }
    }
    // Rounding left the sum a hair under the uniform number: the last symbol that can come.
    return probabilities.lastIndex { $0 > 0 } ?? 0
  }
}

/// A sampling setting that makes no sense.
public struct InvalidSampling: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}
