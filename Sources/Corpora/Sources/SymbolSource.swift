import Compute

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A source of symbols whose best possible loss is known: a model that reaches it has learnt everything that there is.
///
/// A source is its ``Process``: the exact distribution of the next symbol after all symbols before. Texts are drawn
/// from it, one random number a symbol, so a longer text of a seed begins with the shorter one.
public protocol SymbolSource<Process>: Sendable, CustomStringConvertible {
  associatedtype Process: SymbolProcess

  /// What `--source` calls it.
  static var name: String { get }
  /// What it is, in a line.
  static var summary: String { get }
  /// What can be set, in the order of ``description``.
  static var parameters: [SourceParameter] { get }

  /// - Parameter values: Each within its parameter's range.
  /// - Throws: ``SourceError`` where they do not fit each other.
  init(_ values: SourceValues) throws

  /// Distinct symbols: printable ASCII, and a line feed where the source writes lines.
  var vocabulary: [Unicode.Scalar] { get }
  /// The entropy rate: nats per symbol of whoever knows the source and has seen all symbols before. No model's expected
  /// loss is lower.
  var optimalLoss: Double { get }
  /// The best loss, in nats per symbol, of whoever knows the source too but has forgotten what it is made to test.
  var forgetfulLoss: Double { get }
  /// When a model has learnt the source, and who says so.
  var criterion: String { get }
  /// The process at the beginning of a text.
  func makeProcess() -> Process
}

/// What a source knows after the symbols of a text so far. Symbols are places in the source's vocabulary.
public protocol SymbolProcess {
  /// The probability that `symbol` is next.
  func probability(of symbol: Int) -> Double
  /// Goes on by a symbol whose probability is above 0.
  mutating func read(_ symbol: Int)
}

extension SymbolSource {
  /// Draws a text of `length` symbols; a pure function of the seed, in which a shorter text begins every longer one.
  public func text(length: Int, seed: UInt64) -> String {
    precondition(length >= 0, "a text of \(length) symbols")
    var random = CounterRandom(seed: seed, purpose: .corpus)
    var process = makeProcess()
    let vocabulary = vocabulary
    var text = String.UnicodeScalarView()
    text.reserveCapacity(length)
    for _ in 0..<length {
      let symbol = draw(from: process, count: vocabulary.count, random.uniform())
      text.append(vocabulary[symbol])
      process.read(symbol)
    }
    return String(text)
  }

  private func draw(from process: Process, count: Int, _ uniform: Double) -> Int {
    var (rest, last) = (uniform, 0)
    for symbol in 0..<count {
      let probability = process.probability(of: symbol)
      guard probability > 0 else { continue }
      last = symbol
      rest -= probability
      if rest < 0 { break }
    }
    return last  // where rounding leaves a rest, the last possible symbol
  }

  /// The surprisal −ln p of each symbol of a text that begins where the source begins, in nats: what the best predictor
  /// pays. Infinite from the first symbol on that cannot be.
  public func optimalLosses(of text: String) -> [Double] {
    var process: Process? = makeProcess()
    let vocabulary = vocabulary
    return text.unicodeScalars.map { scalar in
      guard let symbol = vocabulary.firstIndex(of: scalar), let probability = process?.probability(of: symbol),
        probability > 0
      else {
        process = nil
        return .infinity
      }
      process?.read(symbol)
      return -log(probability)
    }
  }

  /// The symbols that can follow a text which begins where the source begins, in the vocabulary's order; none where the
  /// text itself cannot be.
  public func legalSuccessors(after prefix: String) -> [Unicode.Scalar] {
    var process = makeProcess()
    let vocabulary = vocabulary
    for scalar in prefix.unicodeScalars {
      guard let symbol = vocabulary.firstIndex(of: scalar), process.probability(of: symbol) > 0 else { return [] }
      process.read(symbol)
    }
    return vocabulary.indices.filter { process.probability(of: $0) > 0 }.map { vocabulary[$0] }
  }
}

/// The entropy of a distribution, in nats.
func entropy(_ probabilities: [Double]) -> Double {
  probabilities.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
}

/// The natural logarithm of a whole number.
func ln(_ count: Int) -> Double { log(Double(count)) }

/// Symbols as a vocabulary.
func symbols(_ text: String) -> [Unicode.Scalar] { Array(text.unicodeScalars) }
