import Compute

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A Markov chain: the next symbol hangs on the last one alone. Its states are the letters `a`, `b`, …
///
/// The text begins in the stationary distribution π, π = πP. The optimal loss is the entropy rate −Σᵢ πᵢ Σⱼ Pᵢⱼ ln Pᵢⱼ (Cover
/// & Thomas, "Elements of Information Theory", 2nd edition, theorem 4.2.4). Whoever has forgotten the last symbol pays the
/// entropy of π.
public struct MarkovChain: SymbolSource {
  public static let name = "markov"
  public static let summary = "Markov chain of random transitions; another matrix makes another chain"
  private static let statesParameter = SourceParameter("states", 5, in: 2...26, "how many symbols there are")
  private static let matrixParameter = SourceParameter("matrix", 1, in: 0...1_000_000_000, "the transitions' seed")
  public static let parameters = [statesParameter, matrixParameter]

  /// P: the probability of state j after state i at `[i][j]`.
  public let transitions: [[Double]]
  /// π.
  public let stationary: [Double]
  public let description: String

  /// A chain of given transitions.
  ///
  /// - Parameter transitions: 1 to 26 rows that sum to 1, in which each state can be reached from each other.
  /// - Throws: ``SourceError``.
  public init(transitions: [[Double]]) throws {
    try self.init(transitions, "\(Self.name) of \(transitions.count) given states")
  }

  /// A chain of random transitions: each row uniform among all distributions.
  ///
  /// - Parameters:
  ///   - states: 2 to 26.
  ///   - matrix: The transitions' seed.
  public init(states: Int, matrix: UInt64) throws {
    let values = [(Self.statesParameter, Double(states)), (Self.matrixParameter, Double(matrix))]
    try self.init(
      Self.randomTransitions(states: states, seed: matrix), SymbolSources.specification(Self.name, values))
  }

  public init(_ values: SourceValues) throws {
    try self.init(states: values.count(Self.statesParameter), matrix: UInt64(values.count(Self.matrixParameter)))
  }

  private init(_ transitions: [[Double]], _ description: String) throws {
    try Self.check(transitions)
    self.transitions = transitions
    self.description = description
    stationary = Self.stationary(transitions)
  }

  public var vocabulary: [Unicode.Scalar] { Array(symbols("abcdefghijklmnopqrstuvwxyz")[..<transitions.count]) }
  public var optimalLoss: Double { zip(stationary, transitions).reduce(0) { $0 + $1.0 * entropy($1.1) } }
  public var forgetfulLoss: Double { entropy(stationary) }
  public var criterion: String { "the loss is within 1 % of the entropy rate (Cover & Thomas, theorem 4.2.4)" }
  public func makeProcess() -> Process { Process(transitions: transitions, next: stationary) }

  /// The distribution of what comes next.
  public struct Process: SymbolProcess {
    let transitions: [[Double]]
    fileprivate(set) var next: [Double]

    public func probability(of symbol: Int) -> Double { next[symbol] }
    public mutating func read(_ symbol: Int) { next = transitions[symbol] }
  }

  // MARK: Matrices

  /// Rows of exponential variates over their sum are uniform among all distributions (Devroye 1986, chapter V.2).
  private static func randomTransitions(states: Int, seed: UInt64) -> [[Double]] {
    precondition((2...26).contains(states), "a chain of \(states) states")
    return (0..<states).map { state in
      // Lane 0 is that of texts.
      var random = CounterRandom(seed: seed, purpose: .corpus, lane: state + 1)
      let row = (0..<states).map { _ in -log(1 - random.uniform()) }
      let sum = row.reduce(0, +)
      return row.map { $0 / sum }
    }
  }

  private static func check(_ transitions: [[Double]]) throws {
    let count = transitions.count
    guard (1...26).contains(count), transitions.allSatisfy({ $0.count == count }) else {
      throw SourceError("a Markov chain wants a square matrix of 1 to 26 rows")
    }
    for (state, row) in transitions.enumerated() {
      guard row.allSatisfy({ $0 >= 0 }), abs(row.reduce(0, +) - 1) <= 1e-9 else {
        throw SourceError("row \(state + 1) of a Markov chain is no distribution: \(row)")
      }
    }
    guard (0..<count).allSatisfy({ reached(from: $0, transitions).count == count }) else {
      throw SourceError("a Markov chain wants every state to be reached from every other one")
    }
  }

  private static func reached(from state: Int, _ transitions: [[Double]]) -> Set<Int> {
    var (reached, open) = (Set([state]), [state])
    while let state = open.popLast() {
      for (next, probability) in transitions[state].enumerated()
      where probability > 0 && reached.insert(next).inserted {
        open.append(next)
      }
    }
    return reached
  }

  /// π of an irreducible chain, by elimination without subtraction (Grassmann, Taksar & Heyman 1985).
  private static func stationary(_ transitions: [[Double]]) -> [Double] {
    var p = transitions
    for last in stride(from: p.count - 1, to: 0, by: -1) {
      let leaves = p[last][..<last].reduce(0, +)
      for i in 0..<last {
        p[i][last] /= leaves
        for j in 0..<last { p[i][j] += p[i][last] * p[last][j] }
      }
    }
    var stationary = [1.0]
    for state in p.indices.dropFirst() {
      stationary.append((0..<state).reduce(0) { $0 + stationary[$1] * p[$1][state] })
    }
    let sum = stationary.reduce(0, +)
    return stationary.map { $0 / sum }
  }
}
