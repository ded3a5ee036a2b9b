import Compute
import TestSupport
import Testing

/// The loops over vectors of parameters, in both precisions, against the same sums written out; at lengths with tails.
@Suite struct VectorLoopTests {
  private static let lengths = [0, 1, 3, 15, 16, 17, 31, 33, 100]

  private func numbers<Real: KernelReal>(_: Real.Type, _ count: Int, seed: UInt64) -> [Real] {
    var random = CounterRandom(seed: seed, purpose: .corpus)
    return randomNumbers(count, bound: 3, using: &random).map { Real($0) }
  }

  private func check<Real: KernelReal>(_: Real.Type, _ count: Int) {
    let (a, b) = (numbers(Real.self, count, seed: 1), numbers(Real.self, count, seed: 2))
    let squares = a.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(Real.sumOfSquares(Rows(1, count, a)) - squares) <= 1e-14 * squares)
    let scaled = Rows(1, count, a)
    Real.scale(scaled, by: -0.25)
    #expect(scaled.elements == a.map { $0 * -0.25 })
    let clamped = Rows(1, count, a)
    #expect(Real.clamp(clamped, to: 1.5) == a.count { abs($0) > 1.5 })
    #expect(clamped.elements == a.map { min(max($0, -1.5), 1.5) })
    let sum = Rows(1, count, b)
    Real.add(Rows(1, count, a), to: sum)
    #expect(sum.elements == zip(a, b).map { $0 + $1 })
  }

  /// Cutting to a bound leaves the bound and NaN alone; infinities are outside.
  @Test func clampingAtTheEdges() {
    let odd = Rows<Float>(1, 5, [.nan, .infinity, -.infinity, 2, -2])
    #expect(Float.clamp(odd, to: 2) == 2)
    #expect(odd.elements[0].isNaN && Array(odd.elements[1...]) == [2, -2, 2, -2])
  }

  @Test(arguments: lengths) func vectorsOfFloat(_ count: Int) { check(Float.self, count) }
  @Test(arguments: lengths) func vectorsOfDouble(_ count: Int) { check(Double.self, count) }

  private func checkAdam<Real: KernelReal>(_: Real.Type, _ count: Int, tolerance: Double) {
    let step = AdamStep(beta1: 0.9, beta2: 0.999, rate: 0.01, epsilon: 1e-8, decay: 0.99)
    let (gradients, before) = (numbers(Real.self, count, seed: 3), numbers(Real.self, count, seed: 4))
    let firstBefore = numbers(Real.self, count, seed: 5)
    let secondBefore = numbers(Real.self, count, seed: 6).map(\.magnitude)
    let (first, second, weights) = (Rows(1, count, firstBefore), Rows(1, count, secondBefore), Rows(1, count, before))
    Real.adam(step, gradient: Rows(1, count, gradients), firstMoment: first, secondMoment: second, weights: weights)
    for index in 0..<count {
      let g = Double(gradients[index])
      let m = 0.9 * Double(firstBefore[index]) + (1 - 0.9) * g
      let v = 0.999 * Double(secondBefore[index]) + (1 - 0.999) * g * g
      let weight = 0.99 * Double(before[index]) - 0.01 * m / (v.squareRoot() + 1e-8)
      #expect(abs(Double(first[0, index]) - m) < tolerance)
      #expect(abs(Double(second[0, index]) - v) < tolerance)
      #expect(abs(Double(weights[0, index]) - weight) < tolerance)
    }
  }

  @Test(arguments: lengths) func adamInFloat(_ count: Int) { checkAdam(Float.self, count, tolerance: 2e-6) }
  @Test(arguments: lengths) func adamInDouble(_ count: Int) { checkAdam(Double.self, count, tolerance: 1e-14) }
}
