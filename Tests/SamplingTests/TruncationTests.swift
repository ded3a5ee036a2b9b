import Foundation
import Sampling
import Testing

/// The symbols that a processor leaves of weights whose logarithms are the logits; it must leave their logits alone.
private func kept(_ weights: [Double], _ processor: some LogitProcessor) -> [Int] {
  var processor = processor
  let before = weights.map { log($0) }
  var logits = before
  processor.process(&logits)
  for symbol in logits.indices { #expect(logits[symbol] == before[symbol] || logits[symbol] == -.infinity) }
  return logits.indices.filter { logits[$0] > -.infinity }
}

@Suite struct TruncationTests {
  /// Sixteenths: ranked 1, 4, 3, 0, 2.
  static let weights: [Double] = [2, 6, 1, 3, 4]

  @Test(
    arguments: [(1, [1]), (2, [1, 4]), (3, [1, 3, 4]), (5, [0, 1, 2, 3, 4]), (9, [0, 1, 2, 3, 4])] as [(Int, [Int])])
  func topK(_ count: Int, _ expected: [Int]) throws {
    #expect(kept(Self.weights, try TopK(count)) == expected)
  }

  @Test(arguments: [1, 2, 3, 4, 70])
  func topKTakesTheLowestOfEquals(_ count: Int) throws {
    #expect(kept([1, 5, 2, 2, 2], try TopK(count)) == [1, 2, 3, 4, 0].prefix(count).sorted())
    #expect(kept([2, 2, 5, 1], try TopK(2)) == [0, 2])
    let many = (0..<200).map { Double($0 % 4 + 1) }
    let expected = many.indices.sorted { (-many[$0], $0) < (-many[$1], $1) }.prefix(count).sorted()
    #expect(kept(many, try TopK(count)) == expected)
  }

  /// Cumulated: 6, 10, 13, 15, 16 of 16.
  @Test(
    arguments: [
      (0.001, [1]), (0.374, [1]), (0.376, [1, 4]), (0.624, [1, 4]), (0.812, [1, 3, 4]), (0.82, [0, 1, 3, 4]),
      (0.99, [0, 1, 2, 3, 4]), (1, [0, 1, 2, 3, 4]),
    ] as [(Double, [Int])])
  func topP(_ mass: Double, _ expected: [Int]) throws { #expect(kept(Self.weights, try TopP(mass)) == expected) }

  /// A symbol that reaches p exactly ends the nucleus.
  @Test func topPTakesTheLowestOfEquals() throws {
    #expect(kept([1, 1, 1, 1], try TopP(0.5)) == [0, 1])
    #expect(kept([1, 1, 1, 1], try TopP(0.51)) == [0, 1, 2])
    // The likely ones alone are ranked: a long tail of the unlikely does not count.
    #expect(kept([Double](repeating: 1e-9, count: 5000) + [3, 1], try TopP(0.8)) == [5000, 5001])
  }

  /// Against the largest, 6/16: ratios 1/3, 1, 1/6, 1/2, 2/3.
  @Test(
    arguments: [(0, [0, 1, 2, 3, 4]), (0.17, [0, 1, 3, 4]), (0.4, [1, 3, 4]), (0.6, [1, 4]), (1, [1])]
      as [(Double, [Int])])
  func minP(_ ratio: Double, _ expected: [Int]) throws { #expect(kept(Self.weights, try MinP(ratio)) == expected) }

  /// Entropy of 8, 4, 2, 1, 1 sixteenths: 1.875 bits. |surprisal − entropy|: 0.875, 0.125, 1.125, 2.125, 2.125.
  @Test(
    arguments: [
      (0.1, [1]), (0.25, [1]), (0.26, [0, 1]), (0.75, [0, 1]), (0.76, [0, 1, 2]), (0.9, [0, 1, 2, 3]),
      (0.99, [0, 1, 2, 3, 4]), (1, [0, 1, 2, 3, 4]),
    ] as [(Double, [Int])])
  func typicalP(_ mass: Double, _ expected: [Int]) throws {
    #expect(kept([8, 4, 2, 1, 1], try TypicalP(mass)) == expected)
  }

  /// Logits 0, 0, 0, 0, 5: mean 1, deviation 2. The impossible do not count.
  @Test(arguments: [(0, [4]), (2.4, [4]), (2.6, [0, 1, 2, 3, 4])] as [(Double, [Int])])
  func topNSigma(_ deviations: Double, _ expected: [Int]) throws {
    let weights: [Double] = [1, 1, 1, 1, exp(5)]
    #expect(kept(weights, try TopNSigma(deviations)) == expected)
    #expect(kept(weights + [0, 0], try TopNSigma(deviations)) == expected)
  }

  @Test func topNSigmaIsTheSameAtAnyTemperature() throws {
    for temperature in [0.1, 1, 30] {
      var logits: [Double] = [1, 4, 2, 3.5, -3, 3]
      var divide = try Temperature(temperature)
      divide.process(&logits)
      var truncate = try TopNSigma(0.5)
      truncate.process(&logits)
      #expect(logits.indices.filter { logits[$0] > -.infinity } == [1, 3, 5])
    }
  }

  static let all: [@Sendable () throws -> any LogitProcessor] = [
    { try TopK(2) }, { try TopK(100) }, { try TopP(0.5) }, { try TopP(1e-12) }, { try MinP(0.5) },
    { try TypicalP(0.5) },
    { try TypicalP(1e-12) }, { try TopNSigma(1) }, { try TopNSigma(0) }, { try Mirostat(target: 1) },
    { try Temperature(0.5) },
  ]

  /// Something is left of anything, and what cannot come before cannot after.
  @Test(arguments: all.indices)
  func leaveSomething(_ index: Int) throws {
    var processor = try Self.all[index]()
    let none = -Double.infinity
    let all: [[Double]] = [[0], [none, 3], [0, 0, 0], [1e300, 0, -1e300], [none, -1e5, none, -1e5]]
    for logits in all {
      var processed = logits
      processor.process(&processed)
      #expect(processed.contains { $0 > -.infinity } && processed.allSatisfy { !$0.isNaN && $0 < .infinity })
      #expect(zip(logits, processed).allSatisfy { $0.0 > -.infinity || $0.1 == -.infinity })
    }
  }
}

@Suite struct MirostatTests {
  /// Surprisals 1, 2, 3, 3 bits; the bound begins at 2τ and follows η (surprisal − τ), the surprisal being that before the
  /// truncation.
  @Test func followsTheTarget() throws {
    let weights: [Double] = [8, 4, 2, 2]
    var mirostat = try Mirostat(target: 1.25, rate: 0.5)
    func kept() -> [Int] {
      var logits = weights.map { log($0) }
      mirostat.process(&logits)
      return logits.indices.filter { logits[$0] > -.infinity }
    }
    mirostat.accept(3)  // of a prompt: nothing was predicted
    #expect(mirostat.bound == 2.5 && kept() == [0, 1])
    mirostat.accept(1)
    #expect(abs(mirostat.bound - (2.5 - 0.5 * 0.75)) < 1e-12 && kept() == [0, 1])
    mirostat.accept(1)
    #expect(abs(mirostat.bound - 1.75) < 1e-12 && kept() == [0])
    mirostat.accept(0)
    #expect(abs(mirostat.bound - 1.875) < 1e-12)
  }

  @Test func keepsTheFirstOfTheLikeliest() throws {
    var mirostat = try Mirostat(target: 0.1)
    var logits: [Double] = [0, 1, 1, 1, 1, 1, 1, 1]
    mirostat.process(&logits)
    #expect(logits.indices.filter { logits[$0] > -.infinity } == [1])
  }
}
