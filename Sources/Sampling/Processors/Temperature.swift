/// Divides logits by a temperature: above 1 the distribution is flatter, below 1 sharper.
public struct Temperature: LogitProcessor, Equatable {
  /// Above 0; 0, always the likeliest symbol, is ``Sampler``'s.
  public let temperature: Double

  /// - Throws: ``InvalidSampling`` where it is not a number above 0.
  public init(_ temperature: Double) throws {
    try require(
      temperature > 0 && temperature.isFinite, "temperature is \(temperature); here it must be a number above 0")
    self.temperature = temperature
  }

  public mutating func process(_ logits: inout [Double]) {
    guard let largest = logits.max(), largest > -.infinity else { return }
    // Shifted before it is divided: a tiny temperature gives −∞, never ∞ − ∞.
    for symbol in logits.indices { logits[symbol] = (logits[symbol] - largest) / temperature }
  }
}
