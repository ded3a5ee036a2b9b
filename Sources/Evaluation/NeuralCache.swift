import Compute

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A neural cache (Grave, Joulin & Usunier 2017, "Improving neural language models with a continuous cache"): the symbols
/// that came after hidden states like the one at hand are likelier to come again.
///
///     p(x) = (1 − λ)·p_model(x) + λ·Σ_{i: xᵢ₊₁ = x} exp(θ·hᵢ·h) / Σ_i exp(θ·hᵢ·h)      over the last so many i
///
/// Hidden states are the top layer's. While nothing is remembered the model stands alone.
public final class NeuralCache {
  /// The constants.
  public struct Settings: Sendable, Equatable {
    /// Symbols remembered.
    public var window = 2000
    /// θ: the larger, the more the likest states count alone; 0 counts all alike.
    public var flatness = 1.5
    /// λ: the cache's share.
    public var share = 0.05

    /// The defaults.
    public init() {}

    /// - Throws: ``InvalidAdaptation`` that names the setting.
    public func validate() throws {
      try require((1...10_000_000).contains(window), "cache-window is \(window); it must be 1 to 10,000,000")
      try require(flatness >= 0 && flatness.isFinite, "cache-flatness is \(flatness); it must be a number of 0 or more")
      try require((0..<1).contains(share), "cache-share is \(share); it must be 0 or more, and less than 1")
    }
  }

  public let settings: Settings
  private let memory: KeyedSymbols

  /// - Parameter hiddenSize: H of the top layer.
  public init(_ settings: Settings, hiddenSize: Int) {
    self.settings = settings
    memory = KeyedSymbols(capacity: settings.window, columns: hiddenSize)
  }

  /// The probability of a symbol after a hidden state `[1, H]`, where the model says `probability`.
  public func probability(of symbol: Int32, _ probability: Double, after hidden: Rows<Float>) -> Double {
    guard memory.count > 0, settings.share > 0 else { return probability }
    let cached = memory.probability(of: symbol, query: hidden, flatness: settings.flatness)
    return mixture(probability, cached)
  }

  /// −ln p of symbols one after another, where the model says `losses`, after hidden states `[T, H]`; each is remembered
  /// before the next. To the bit the model's where the cache has no share.
  func losses(of symbols: [Int32], _ losses: ArraySlice<Double>, after hidden: Rows<Float>) -> [Double] {
    guard settings.share > 0 else { return Array(losses) }
    let isEmpty = memory.count == 0
    let cached = memory.probabilities(of: symbols, queries: hidden, flatness: settings.flatness)
    return zip(losses, cached).enumerated().map { t, pair in
      -log(isEmpty && t == 0 ? exp(-pair.0) : mixture(exp(-pair.0), pair.1))
    }
  }

  private func mixture(_ probability: Double, _ cached: Double) -> Double {
    (1 - settings.share) * probability + settings.share * cached
  }

  /// Remembers what came after a hidden state.
  public func add(_ symbol: Int32, after hidden: Rows<Float>) { memory.add(hidden, symbol) }
}
