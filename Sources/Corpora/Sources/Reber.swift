/// Strings of the embedded Reber grammar, one a line (Hochreiter & Schmidhuber 1997, §5.1; the inner grammar is Reber's
/// of 1967 as Cleeremans, Servan-Schreiber & McClelland 1989 draw it).
///
/// A string is `B`, `T` or `P`, a string of the inner grammar, the same `T` or `P` again, `E`. Every choice is a fair
/// coin. So one symbol near the end hangs on the second one, over an inner string of any length.
///
/// The optimal loss is that of the coins. Let nᵢ be the mean number of symbols from inner state i to the inner `E`:
/// n₁ = 2 + n₃, n₂ = 2 + n₄, n₃ = 1 + n₂/2, n₄ = 1 + n₃/2, so n₁ = 16/3, n₂ = 14/3, and n₀ = 1 + (n₁ + n₂)/2 = 6. Each of
/// these 6 symbols is a coin, and the outer `T` or `P` is the seventh. A string has 6 + 2 inner and 4 outer symbols, 12
/// on average, and a line feed here. By the renewal–reward theorem the rate is 7 ln 2 / 13. Whoever has forgotten the
/// outer symbol tosses an eighth coin.
public struct EmbeddedReber: SymbolSource {
  public static let name = "reber"
  public static let summary = "embedded Reber grammar, strings one a line: the outer T or P comes back at the end"
  public static let parameters: [SourceParameter] = []

  /// The grammar, which has no parameters.
  public init() {}
  public init(_: SourceValues) { self.init() }

  public var description: String { Self.name }
  public var vocabulary: [Unicode.Scalar] { symbols("BTPSXVE\n") }
  public var optimalLoss: Double { 7 * ln(2) / 13 }
  public var forgetfulLoss: Double { 8 * ln(2) / 13 }
  public var criterion: String {
    "at every place of unseen strings each legal successor is likelier than each other symbol, at the outer T and P too "
      + "(Hochreiter & Schmidhuber 1997, §5.1)"
  }
  public func makeProcess() -> ReberProcess { ReberProcess(endsLines: true) }
}

/// Strings of the embedded Reber grammar with nothing between them: a stream that a model reads without ever being reset
/// (Gers, Schmidhuber & Cummins 2000).
///
/// The rate is that of ``EmbeddedReber`` without the line feed: 7 ln 2 / 12.
public struct ContinualReber: SymbolSource {
  public static let name = "continual-reber"
  public static let summary = "strings of the embedded Reber grammar with nothing between: when to forget"
  public static let parameters: [SourceParameter] = []

  /// The grammar, which has no parameters.
  public init() {}
  public init(_: SourceValues) { self.init() }

  public var description: String { Self.name }
  public var vocabulary: [Unicode.Scalar] { symbols("BTPSXVE") }
  public var optimalLoss: Double { 7 * ln(2) / 12 }
  public var forgetfulLoss: Double { 8 * ln(2) / 12 }
  public var criterion: String {
    "at every place of an unseen stream, read without a reset, each legal successor is likelier than each other symbol "
      + "(after Gers, Schmidhuber & Cummins 2000)"
  }
  public func makeProcess() -> ReberProcess { ReberProcess(endsLines: false) }
}

/// A place in a string of the embedded Reber grammar.
public struct ReberProcess: SymbolProcess {
  private enum Place {
    case begin
    case outer
    case innerBegin
    /// State 0 … 4 of the inner grammar, or 5, which its `E` leaves.
    case inner(Int)
    case outerAgain
    case end
    case lineEnd
  }

  // Places in the vocabulary.
  private static let (b, t, p, s, x, v, e, lineFeed) = (0, 1, 2, 3, 4, 5, 6, 7)

  /// By inner state: the two ways on, or the one.
  private static let inner: [[(symbol: Int, next: Int)]] = [
    [(t, 1), (p, 2)], [(s, 1), (x, 3)], [(t, 2), (v, 4)], [(x, 2), (s, 5)], [(p, 3), (v, 5)],
  ]

  private let endsLines: Bool
  private var place = Place.begin
  /// The outer `T` or `P` of this string.
  private var outer = 0

  init(endsLines: Bool) { self.endsLines = endsLines }

  public func probability(of symbol: Int) -> Double {
    switch place {
    case .begin, .innerBegin: symbol == Self.b ? 1 : 0
    case .outer: symbol == Self.t || symbol == Self.p ? 0.5 : 0
    case .inner(5), .end: symbol == Self.e ? 1 : 0
    case .inner(let state): Self.inner[state].contains { $0.symbol == symbol } ? 0.5 : 0
    case .outerAgain: symbol == outer ? 1 : 0
    case .lineEnd: symbol == Self.lineFeed ? 1 : 0
    }
  }

  public mutating func read(_ symbol: Int) {
    switch place {
    case .begin: place = .outer
    case .outer: (outer, place) = (symbol, .innerBegin)
    case .innerBegin: place = .inner(0)
    case .inner(5): place = .outerAgain
    case .inner(let state):
      if let way = Self.inner[state].first(where: { $0.symbol == symbol }) { place = .inner(way.next) }
    case .outerAgain: place = .end
    case .end: place = endsLines ? .lineEnd : .begin
    case .lineEnd: place = .begin
    }
  }

  /// Whether the next symbol is the outer `T` or `P` that the string's second symbol decides.
  public var recallsOuter: Bool { if case .outerAgain = place { true } else { false } }
}
