import Compute
import Foundation
import TestSupport
import Testing

/// The loops of dynamic evaluation and of the cache, in both precisions, against the same sums written out; at lengths
/// with tails.
@Suite struct PulledStepTests {
  private static let lengths = [1, 15, 16, 17, 33, 100]

  private func numbers<Real: KernelReal>(_: Real.Type, _ count: Int, seed: UInt64) -> [Real] {
    var random = CounterRandom(seed: seed, purpose: .corpus)
    return randomNumbers(count, bound: 3, using: &random).map { Real($0) }
  }

  private func check<Real: KernelReal>(_: Real.Type, _ count: Int, tolerance: Double) {
    let (g, base) = (numbers(Real.self, count, seed: 1), numbers(Real.self, count, seed: 2))
    let (w, squares) = (numbers(Real.self, count, seed: 3), numbers(Real.self, count, seed: 4).map(\.magnitude))
    func rows(_ values: [Real]) -> Rows<Real> { Rows(1, count, values) }
    func expect(_ found: Rows<Real>, _ expected: (Int) -> Double) {
      for j in 0..<count { #expect(abs(Double(found[0, j]) - expected(j)) < tolerance) }
    }
    let sums = rows(squares)
    Real.addSquares(rows(g), to: sums)
    expect(sums) { Double(squares[$0]) + Double(g[$0]) * Double(g[$0]) }
    let roots = squares.map { (0.25 * Double($0)).squareRoot() }
    #expect(abs(Real.sumOfRoots(rows(squares), times: 0.25) - roots.reduce(0, +)) < tolerance * Double(count))
    let sgd = rows(w)
    Real.pulledSGD(rate: 0.3, pull: 0.2, gradient: rows(g), base: rows(base), weights: sgd)
    expect(sgd) { Double(w[$0]) + 0.2 * (Double(base[$0]) - Double(w[$0])) - 0.3 * Double(g[$0]) }
    let rms = rows(w)
    let step = PulledStep(rate: 0.3, pull: 1.5, factor: 0.25, epsilon: 0.1)
    Real.pulledRMS(step, gradient: rows(g), squares: rows(squares), base: rows(base), weights: rms)
    expect(rms) {
      let share = min(1, 1.5 * roots[$0])
      return Double(w[$0]) + share * (Double(base[$0]) - Double(w[$0])) - 0.3 * Double(g[$0]) / (roots[$0] + 0.1)
    }
  }

  @Test(arguments: lengths) func stepsOfFloat(_ count: Int) { check(Float.self, count, tolerance: 1e-5) }
  @Test(arguments: lengths) func stepsOfDouble(_ count: Int) { check(Double.self, count, tolerance: 1e-13) }

  /// The softmax over keys, summed by symbol; the oldest pairs make room for new ones.
  @Test(arguments: lengths) func cacheProbabilities(_ columns: Int) {
    let memory = KeyedSymbols(capacity: 5, columns: columns)
    let query = Rows<Float>(1, columns, numbers(Float.self, columns, seed: 50))
    #expect(memory.probability(of: 0, query: query, flatness: 0.1) == 0)
    let keys = (0..<8).map { numbers(Float.self, columns, seed: UInt64($0)) }
    let symbols = [0, 1, 2, 0, 1, 0, 2, 0].map { Int32($0) }
    for (key, symbol) in zip(keys, symbols) { memory.add(Rows(1, columns, key), symbol) }
    #expect(memory.count == 5)
    func weight(_ index: Int) -> Double {
      exp(0.1 * zip(keys[index], query.elements).reduce(0.0) { $0 + Double($1.0) * Double($1.1) })
    }
    let all = (3..<8).reduce(0.0) { $0 + weight($1) }
    for symbol in 0..<3 as Range<Int32> {
      let wanted = (3..<8).filter { symbols[$0] == symbol }.reduce(0.0) { $0 + weight($1) }
      #expect(abs(memory.probability(of: symbol, query: query, flatness: 0.1) - wanted / all) < 1e-5)
    }
    memory.removeAll()
    #expect(memory.probability(of: 0, query: query, flatness: 0.1) == 0)
  }

  /// Many queries at once are those one after another, to the bit: also where pairs of the same block, or of a window
  /// longer than the memory, take each other's places.
  @Test(arguments: [1, 3, 16, 20, 100], [1, 5, 16, 40, 200])
  func manyQueriesAtOnce(_ capacity: Int, _ window: Int) {
    let columns = 17
    let one = KeyedSymbols(capacity: capacity, columns: columns)
    let many = KeyedSymbols(capacity: capacity, columns: columns)
    let hidden = Rows<Float>(200, columns, numbers(Float.self, 200 * columns, seed: 9))
    let symbols = (0..<200).map { Int32($0 * $0 % 7) }
    for start in stride(from: 0, to: 200, by: window) {
      let part = start..<min(start + window, 200)
      let expected = part.map { t in
        defer { one.add(hidden[t..<t + 1], symbols[t]) }
        return one.probability(of: symbols[t], query: hidden[t..<t + 1], flatness: 0.1)
      }
      #expect(many.probabilities(of: Array(symbols[part]), queries: hidden[part], flatness: 0.1) == expected)
    }
    #expect(many.count == one.count)
  }
}
