/// Bits b[t] = b[t−1] xor b[t−k] xor a coin that is 1 with probability p, k being the lag; the first k bits are fair.
///
/// Whoever sees k symbols back knows all but the coin: the optimal loss is h(p) = −p ln p − (1 − p) ln(1 − p) nats (the
/// first k bits, at ln 2 each, vanish from the rate).
///
/// Whoever sees at most k − 1 symbols back pays exactly ln 2, for any p. Proof: any k bits in a row are independent fair
/// bits. The first k are. If b[t−k] … b[t−1] are, take the coin c as given, which is independent of them: the map
/// (b[t−k], b[t−k+1], …, b[t−1]) → (b[t−k+1], …, b[t−1], b[t−1] xor b[t−k] xor c) is one to one, since it keeps all but
/// b[t−k] and this can be told from the last bit; so it keeps the uniform distribution, whatever c is. Therefore b[t] is
/// a fair bit, independent of the k − 1 bits before it. ∎
///
/// A gradient that flows fewer than k steps back cannot teach the lag; a state that is carried further may hold the bit,
/// but only by chance.
public struct LaggedXor: SymbolSource {
  public static let name = "xor"
  public static let summary = "next bit = previous bit xor the one lag back xor a coin of probability p"
  private static let lagParameter = SourceParameter("lag", 20, in: 2...100_000, "how far back the other bit is")
  private static let coinParameter = SourceParameter("p", 0.02, within: 0...0.5, "how often the bit is wrong")
  public static let parameters = [lagParameter, coinParameter]

  /// k.
  public let lag: Int
  /// p.
  public let probability: Double

  /// Lag at least 2, p from 0 to 0.5.
  public init(lag: Int, probability: Double = 0.02) {
    precondition(lag >= 2, "a lag of \(lag): below 2 the two bits are one")
    precondition((0...0.5).contains(probability), "a coin of probability \(probability)")
    self.lag = lag
    self.probability = probability
  }

  public init(_ values: SourceValues) {
    self.init(lag: values.count(Self.lagParameter), probability: values.number(Self.coinParameter))
  }

  public var description: String {
    SymbolSources.specification(Self.name, [(Self.lagParameter, Double(lag)), (Self.coinParameter, probability)])
  }
  public var vocabulary: [Unicode.Scalar] { symbols("01") }
  public var optimalLoss: Double { entropy([probability, 1 - probability]) }
  public var forgetfulLoss: Double { ln(2) }
  public var criterion: String {
    "the loss is nearer to the optimal one than to ln 2, which nobody undercuts who does not see lag symbols back"
  }
  public func makeProcess() -> Process { Process(lag: lag, probability: probability) }

  /// The last k bits.
  public struct Process: SymbolProcess {
    let lag: Int
    let probability: Double
    /// The bit of place t is at t mod k.
    private var bits: [Int] = []
    private var count = 0

    init(lag: Int, probability: Double) {
      (self.lag, self.probability) = (lag, probability)
    }

    public func probability(of symbol: Int) -> Double {
      guard count >= lag else { return 0.5 }
      let expected = bits[(count - 1) % lag] ^ bits[count % lag]
      return symbol == expected ? 1 - probability : probability
    }

    public mutating func read(_ symbol: Int) {
      if count < lag { bits.append(symbol) } else { bits[count % lag] = symbol }
      count += 1
    }
  }
}
