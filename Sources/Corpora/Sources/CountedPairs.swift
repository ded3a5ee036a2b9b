/// aⁿbⁿ, one string a line, n uniform in 1 … `max` (a context-free language; Gers & Schmidhuber 2001).
///
/// Only n is unknown: ln max nats a line. It comes out with the first `b`, since after i letters `a` the next symbol is
/// `a` with probability (max − i) / (max − i + 1). A line has 2n + 1 symbols, max + 2 on average, so the optimal loss is
/// ln max / (max + 2). Whoever has forgotten n at the first `b` pays ln max again for where the `b`s end.
public struct CountedPairs: SymbolSource {
  public static let name = "anbn"
  public static let summary = "aⁿbⁿ, one a line, n uniform from 1 to max: counting"
  private static let maximumParameter = SourceParameter("max", 10, in: 1...100_000, "the largest n")
  public static let parameters = [maximumParameter]

  /// The largest n.
  public let maximum: Int

  /// Strings with n from 1 to `maximum`.
  public init(maximum: Int) {
    precondition(maximum >= 1, "aⁿbⁿ with n up to \(maximum)")
    self.maximum = maximum
  }

  public init(_ values: SourceValues) { self.init(maximum: values.count(Self.maximumParameter)) }

  public var description: String {
    SymbolSources.specification(Self.name, [(Self.maximumParameter, Double(maximum))])
  }
  public var vocabulary: [Unicode.Scalar] { symbols("ab\n") }
  public var optimalLoss: Double { ln(maximum) / Double(maximum + 2) }
  public var forgetfulLoss: Double { 2 * optimalLoss }
  public var criterion: String {
    "for every n up to max each legal successor is likelier than each other symbol, the line's end too (after Gers & "
      + "Schmidhuber 2001)"
  }
  public func makeProcess() -> Process { Process(maximum: maximum) }

  /// A place in a line.
  public struct Process: SymbolProcess {
    let maximum: Int
    /// Letters of either kind in this line so far.
    private var (a, b) = (0, 0)

    init(maximum: Int) { self.maximum = maximum }

    public func probability(of symbol: Int) -> Double {
      let certain: Int
      switch (a, b) {
      case (0, _): certain = 0
      case (_, 0) where a < maximum:
        let more = Double(maximum - a) / Double(maximum - a + 1)
        return symbol == 0 ? more : symbol == 1 ? 1 - more : 0
      default: certain = b < a ? 1 : 2
      }
      return symbol == certain ? 1 : 0
    }

    public mutating func read(_ symbol: Int) {
      switch symbol {
      case 0: a += 1
      case 1: b += 1
      default: (a, b) = (0, 0)
      }
    }
  }
}
