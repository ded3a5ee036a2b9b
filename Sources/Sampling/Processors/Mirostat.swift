/// Mirostat 2 (Basu et al. 2021, "Mirostat: a neural text decoding algorithm that directly controls perplexity"): keeps the
/// symbols whose surprisal is at most a bound, and moves the bound after each draw so that the surprisals drawn have a
/// given mean.
///
/// The surprisal of what was drawn is that before the truncation, as in the paper: −log₂ of its probability among all.
public struct Mirostat: LogitProcessor {
  /// τ: the wanted mean surprisal of a symbol, in bits.
  public let target: Double
  /// η: how fast the bound follows.
  public let rate: Double
  /// μ: the bound on the surprisal, in bits; at first 2τ.
  public internal(set) var bound: Double
  /// Of the prediction at hand; none where nothing was processed since the last symbol.
  private var surprisals: [Double] = []

  /// - Throws: ``InvalidSampling`` where the target or the rate is not a number above 0.
  public init(target: Double, rate: Double = 0.1) throws {
    try require(target > 0 && target.isFinite, "mirostat is \(target); it must be a number of bits above 0")
    try require(rate > 0 && rate.isFinite, "mirostat-rate is \(rate); it must be a number above 0")
    self.target = target
    self.rate = rate
    bound = 2 * target
  }

  public mutating func process(_ logits: inout [Double]) {
    let logSum = Distribution.logSum(logits)
    surprisals = logits.map { Distribution.bits(logSum - $0) }
    guard let best = logits.indices.max(by: { logits[$0] < logits[$1] }) else { return }
    let largest = logits[best]
    for symbol in logits.indices where surprisals[symbol] > bound && logits[symbol] < largest {
      logits[symbol] = -.infinity
    }
    // Where even the likeliest is too surprising, one of them is kept: the one with the lowest id.
    guard surprisals[best] > bound else { return }
    for symbol in logits.indices where symbol != logits.firstIndex(of: largest) { logits[symbol] = -.infinity }
  }

  public mutating func accept(_ token: Int32) {
    guard !surprisals.isEmpty else { return }
    bound -= rate * (surprisals[Int(token)] - target)
    surprisals = []
  }
}
