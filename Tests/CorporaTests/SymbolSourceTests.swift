import Compute
import Corpora
import Foundation
import Testing

/// A source by its specification, the figures worked out by hand beside it.
struct KnownSource: CustomTestStringConvertible {
  let specification: String
  let optimal: Double
  let forgetful: Double
  var testDescription: String { specification }

  func source() throws -> any SymbolSource { try SymbolSources.parse(specification) }
}

/// What holds of every source.
@Suite struct SymbolSourceTests {
  static let coin = -0.02 * log(0.02) - 0.98 * log(0.98)

  static let known = [
    KnownSource(specification: "reber", optimal: 0.373233, forgetful: 0.426552),
    KnownSource(specification: "continual-reber", optimal: 0.404336, forgetful: 0.462098),
    // The sum of two digits below 10: −Σ n/100 ln(n/100), n = 1 … 10 … 1.
    KnownSource(specification: "adding", optimal: (20 * log(10) + 2 * log(10)) / 23, forgetful: 2.323941),
    // Sums 0, 1, 2 with 1/4, 1/2, 1/4: 1.5 ln 2.
    KnownSource(
      specification: "adding:length=6,base=2", optimal: (6 * log(2) + 2 * log(3)) / 9,
      forgetful: (7.5 * log(2) + 2 * log(3)) / 9),
    KnownSource(specification: "copy", optimal: 30 * log(2) / 42, forgetful: 60 * log(2) / 42),
    KnownSource(
      specification: "copy:delay=3,items=2,letters=3", optimal: 2 * log(3) / 9, forgetful: 4 * log(3) / 9),
    KnownSource(specification: "copy:delay=0,items=1,letters=2", optimal: log(2) / 4, forgetful: log(2) / 2),
    KnownSource(specification: "anbn", optimal: log(10) / 12, forgetful: log(10) / 6),
    KnownSource(specification: "anbn:max=1", optimal: 0, forgetful: 0),
    KnownSource(specification: "xor", optimal: coin, forgetful: log(2)),
    KnownSource(specification: "xor:lag=2,p=0.02", optimal: coin, forgetful: log(2)),
    KnownSource(specification: "xor:lag=5,p=0", optimal: 0, forgetful: log(2)),
    KnownSource(specification: "xor:p=0.5,lag=3", optimal: log(2), forgetful: log(2)),
  ]

  @Test(arguments: known)
  func statesItsFigures(_ known: KnownSource) throws {
    let source = try known.source()
    #expect(abs(source.optimalLoss - known.optimal) < 1e-6)
    #expect(abs(source.forgetfulLoss - known.forgetful) < 1e-6)
  }

  /// The best predictor's mean loss on 200,000 symbols is the stated one within four standard errors, which are taken
  /// from the spread of means over 500 symbols since lines hang together.
  @Test(arguments: known.map(\.specification) + ["markov", "markov:states=3,matrix=7", "markov:states=26"])
  func bestPredictorReachesTheOptimum(_ specification: String) throws {
    let source = try SymbolSources.parse(specification)
    let text = source.text(length: 200_000, seed: 11)
    let losses = source.optimalLosses(of: text)
    #expect(losses.count == 200_000 && losses.allSatisfy { $0.isFinite && $0 >= 0 })
    let (mean, error) = meanAndError(losses, block: 500)
    #expect(abs(mean - source.optimalLoss) < 4 * error + 1e-3, "\(mean) ± \(error), not \(source.optimalLoss)")
  }

  @Test(arguments: SymbolSources.names)
  func seedsAndPrefixes(_ name: String) throws {
    let source = try SymbolSources.parse(name)
    let text = source.text(length: 2000, seed: 3)
    #expect(text.unicodeScalars.count == 2000)
    #expect(text == source.text(length: 2000, seed: 3))
    #expect(text != source.text(length: 2000, seed: 4))
    for length in [0, 1, 2, 17, 1999] {
      #expect(source.text(length: length, seed: 3) == String(text.prefix(length)))
    }
  }

  /// Symbols are printable ASCII or a line feed, distinct, and all of them come.
  @Test(arguments: SymbolSources.names)
  func vocabularies(_ name: String) throws {
    let source = try SymbolSources.parse(name)
    let vocabulary = Set(source.vocabulary)
    #expect(vocabulary.count == source.vocabulary.count)
    #expect(vocabulary.allSatisfy { $0 == "\n" || (0x20...0x7E).contains($0.value) })
    #expect(Set(source.text(length: 60_000, seed: 1).unicodeScalars) == vocabulary)
    #expect(!source.criterion.isEmpty && !source.criterion.contains("\n"))
  }

  /// At every place of a text the probabilities sum to 1, and what comes is one of the legal successors.
  @Test(arguments: known.map(\.specification) + ["markov"])
  func probabilitiesAreDistributions(_ specification: String) throws {
    try expectDistributions(SymbolSources.parse(specification))
  }

  private func expectDistributions(_ source: some SymbolSource) {
    var process = source.makeProcess()
    let vocabulary = source.vocabulary
    for scalar in source.text(length: 500, seed: 5).unicodeScalars {
      let probabilities = vocabulary.indices.map { process.probability(of: $0) }
      #expect(probabilities.allSatisfy { $0 >= 0 } && abs(probabilities.reduce(0, +) - 1) < 1e-12)
      let symbol = vocabulary.firstIndex(of: scalar) ?? 0
      #expect(probabilities[symbol] > 0)
      process.read(symbol)
    }
  }

  /// What cannot be has no successors, and an infinite loss from there on.
  @Test func impossibleTexts() throws {
    let reber = try SymbolSources.parse("reber")
    #expect(reber.legalSuccessors(after: "BX").isEmpty)
    #expect(reber.legalSuccessors(after: "B?").isEmpty)
    #expect(reber.optimalLosses(of: "BTX") == [0, log(2), .infinity])
    #expect(reber.optimalLosses(of: "BXB").map(\.isFinite) == [true, false, false])
  }
}

/// The mean of values that hang together, and its standard error from the means of blocks.
func meanAndError(_ values: [Double], block: Int) -> (mean: Double, error: Double) {
  let means = stride(from: 0, to: values.count - block + 1, by: block).map { start in
    values[start..<start + block].reduce(0, +) / Double(block)
  }
  let mean = means.reduce(0, +) / Double(means.count)
  let squares = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (mean, (squares / Double(means.count - 1) / Double(means.count)).squareRoot())
}
