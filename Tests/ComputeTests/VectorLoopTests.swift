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

  /// Every optimiser's loop and the average's, one step, at lengths with tails.
  private func checkOptimizers<Real: KernelReal>(_: Real.Type, _ count: Int, tolerance: Double) {
    func rows(_ seed: UInt64) -> Rows<Real> { Rows(1, count, numbers(Real.self, count, seed: seed)) }
    func check(_ found: Rows<Real>, _ expected: (_ index: Int) -> Double) {
      for index in 0..<count { #expect(abs(Double(found[0, index]) - expected(index)) < tolerance) }
    }
    let (gradient, before) = (rows(3), rows(4))
    let (buffers, squares) = (rows(5), Rows(1, count, numbers(Real.self, count, seed: 6).map(\.magnitude)))
    func g(_ index: Int) -> Double { Double(gradient[0, index]) + 0.25 * Double(before[0, index]) }
    func w(_ index: Int) -> Double { Double(before[0, index]) }

    var weights = rows(4)
    Real.move(weights, toward: gradient, share: 0.3)
    check(weights) { 0.7 * w($0) + 0.3 * Double(gradient[0, $0]) }
    weights = rows(4)
    Real.sgd(rate: 0.1, penalty: 0.25, gradient: gradient, weights: weights)
    check(weights) { w($0) - 0.1 * g($0) }
    for isNesterov in [false, true] {
      let buffer = rows(5)
      weights = rows(4)
      Real.momentum(
        rate: 0.1, penalty: 0.25, momentum: 0.8, isNesterov: isNesterov, gradient: gradient, buffer: buffer,
        weights: weights)
      func next(_ index: Int) -> Double { 0.8 * Double(buffers[0, index]) + g(index) }
      check(buffer, next)
      check(weights) { w($0) - 0.1 * (isNesterov ? g($0) + 0.8 * next($0) : next($0)) }
    }
    let (sum, square, buffer) = (Rows<Real>(1, count), Rows<Real>(1, count), rows(5))
    for rows in [sum, square] { rows.copy(from: squares) }
    weights = rows(4)
    Real.adagrad(rate: 0.1, penalty: 0.25, epsilon: 0.01, gradient: gradient, sum: sum, weights: weights)
    func added(_ index: Int) -> Double { Double(squares[0, index]) + g(index) * g(index) }
    check(sum, added)
    check(weights) { w($0) - 0.1 * g($0) / (added($0).squareRoot() + 0.01) }
    weights = rows(4)
    let step = RMSpropStep(rate: 0.1, penalty: 0.25, alpha: 0.9, epsilon: 0.01, momentum: 0.8)
    Real.rmsprop(step, gradient: gradient, squares: square, buffer: buffer, weights: weights)
    func mean(_ index: Int) -> Double { 0.9 * Double(squares[0, index]) + 0.1 * g(index) * g(index) }
    func past(_ index: Int) -> Double {
      0.8 * Double(buffers[0, index]) + g(index) / (mean(index).squareRoot() + 0.01)
    }
    check(square, mean)
    check(buffer, past)
    check(weights) { w($0) - 0.1 * past($0) }
  }

  @Test(arguments: lengths) func optimizersInFloat(_ count: Int) {
    checkOptimizers(Float.self, count, tolerance: 1e-4)
  }
  @Test(arguments: lengths) func optimizersInDouble(_ count: Int) {
    checkOptimizers(Double.self, count, tolerance: 1e-12)
  }

  @Test(arguments: lengths) func adamInFloat(_ count: Int) { checkAdam(Float.self, count, tolerance: 2e-6) }
  @Test(arguments: lengths) func adamInDouble(_ count: Int) { checkAdam(Double.self, count, tolerance: 1e-14) }
}
