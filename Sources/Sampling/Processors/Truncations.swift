#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// Truncations: each leaves the symbols that it trusts as they are and makes the others impossible.

/// Keeps the k likeliest symbols (Fan, Lewis & Dauphin 2018, "Hierarchical neural story generation"): exactly k, of equals
/// the lowest ids.
public struct TopK: LogitProcessor, Equatable {
  public let count: Int

  /// - Throws: ``InvalidSampling`` where the count is below 1.
  public init(_ count: Int) throws {
    try require(count >= 1, "top-k is \(count); it must be 1 or more symbols")
    self.count = count
  }

  public mutating func process(_ logits: inout [Double]) {
    guard count < logits.count else { return }
    let kept = count <= 64 ? Distribution.top(count, of: logits)[...] : Distribution.ranking(logits).prefix(count)
    Distribution.keep(kept, in: &logits)
  }
}

/// Keeps the nucleus: the fewest likeliest symbols whose probabilities add up to p (Holtzman et al. 2020, "The curious
/// case of neural text degeneration"). Of equals the lowest ids.
public struct TopP: LogitProcessor, Equatable {
  public let mass: Double

  /// - Throws: ``InvalidSampling`` where the mass is not above 0 and at most 1.
  public init(_ mass: Double) throws {
    self.mass = try requireMass(mass, "top-p")
  }

  public mutating func process(_ logits: inout [Double]) {
    guard mass < 1 else { return }
    let probabilities = Distribution.probabilities(logits)
    // All symbols below this bound together hold less than 1 − p: the nucleus ends before them. (The half makes room for
    // rounding.)
    let bound = (1 - mass) / Double(2 * logits.count)
    let ranking = Distribution.rank(
      probabilities.indices.filter { probabilities[$0] > bound }.map { ($0, probabilities[$0]) })
    Distribution.keep(Distribution.prefix(of: ranking, holding: mass, probabilities), in: &logits)
  }
}

/// Keeps the symbols that are at least `ratio` times as likely as the likeliest (Nguyen et al. 2024, "Turning up the heat:
/// min-p sampling").
public struct MinP: LogitProcessor, Equatable {
  public let ratio: Double

  /// - Throws: ``InvalidSampling`` where the ratio is not of 0 to 1.
  public init(_ ratio: Double) throws {
    try require(ratio >= 0 && ratio <= 1, "min-p is \(ratio); it must be 0 to 1")
    self.ratio = ratio
  }

  public mutating func process(_ logits: inout [Double]) {
    guard let largest = logits.max() else { return }
    for symbol in logits.indices where exp(logits[symbol] - largest) < ratio { logits[symbol] = -.infinity }
  }
}

/// Keeps the locally typical set (Meister et al. 2023, "Locally typical sampling"): the fewest symbols that hold a mass,
/// those first whose surprisal is nearest to the entropy of the prediction. Of equals the lowest ids.
public struct TypicalP: LogitProcessor, Equatable {
  public let mass: Double

  /// - Throws: ``InvalidSampling`` where the mass is not above 0 and at most 1.
  public init(_ mass: Double) throws {
    self.mass = try requireMass(mass, "typical-p")
  }

  public mutating func process(_ logits: inout [Double]) {
    guard mass < 1 else { return }
    let probabilities = Distribution.probabilities(logits)
    let possible = probabilities.indices.filter { probabilities[$0] > 0 }
    let entropy = possible.reduce(0) { $0 - probabilities[$1] * log(probabilities[$1]) }
    let ranking = Distribution.rank(possible.map { ($0, -abs(-log(probabilities[$0]) - entropy)) })
    Distribution.keep(Distribution.prefix(of: ranking, holding: mass, probabilities), in: &logits)
  }
}

/// Keeps the symbols whose logits are within n standard deviations of the largest (Tang et al. 2024, "Top-nσ: not all
/// logits are you need"), the deviation being that of all possible symbols' logits. No temperature changes what is kept.
public struct TopNSigma: LogitProcessor, Equatable {
  public let deviations: Double

  /// - Throws: ``InvalidSampling`` where the number of deviations is negative or not finite.
  public init(_ deviations: Double) throws {
    try require(
      deviations >= 0 && deviations.isFinite, "top-n-sigma is \(deviations); it must be 0 or a number above it")
    self.deviations = deviations
  }

  public mutating func process(_ logits: inout [Double]) {
    let possible = logits.filter { $0 > -.infinity }
    guard let largest = possible.max() else { return }
    let mean = possible.reduce(0, +) / Double(possible.count)
    let variance = possible.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(possible.count)
    let bound = largest - deviations * variance.squareRoot()
    for symbol in logits.indices where logits[symbol] < bound { logits[symbol] = -.infinity }
  }
}

/// A share of all probability, for a setting of that name.
private func requireMass(_ mass: Double, _ name: String) throws -> Double {
  try require(mass > 0 && mass <= 1, "\(name) is \(mass); it must be above 0 and at most 1")
  return mass
}
