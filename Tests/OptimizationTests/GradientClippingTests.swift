import Compute
import Optimization
import TestSupport
import Testing

/// A set of a matrix and a vector, with numbers uniform in ±`bound`.
func randomSet<Real: KernelReal>(_: Real.Type, bound: Double, seed: UInt64) -> ParameterSet<Real> {
  var layout = ParameterLayout()
  let slots = [layout.add("matrix", 7, 5), layout.add("vector", 19)]
  var set = ParameterSet<Real>(layout)
  for slot in slots { set.fillUniform(slot, bound: bound, seed: seed) }
  return set
}

extension ParameterSet {
  /// All numbers in the order of tensors, gaps left out.
  var numbers: [Double] { layout.slots.flatMap { self[$0].elements.map { Double($0) } } }
}

@Suite struct GradientClippingTests {
  @Test(arguments: [1e-3, 0.37, 1, 3], [0, 1, 2] as [UInt64])
  func keepsTheDirection(_ maximum: Double, _ seed: UInt64) {
    var set = randomSet(Double.self, bound: 10, seed: seed)
    let (before, norm) = (set.numbers, set.norm)
    set.clip(toNorm: maximum, measured: norm)
    #expect(norm > maximum)
    #expect(abs(set.norm - maximum) < 1e-14 * maximum)
    #expect(zip(before, set.numbers).allSatisfy { abs($1 - $0 * (maximum / norm)) <= abs($1) * 1e-15 })
  }

  @Test func keepsTheDirectionInFloat32() {
    var set = randomSet(Float.self, bound: 10, seed: 4)
    let (before, norm) = (set.numbers, set.norm)
    set.clip(toNorm: 0.5, measured: norm)
    #expect(abs(set.norm - 0.5) < 1e-6)
    #expect(zip(before, set.numbers).allSatisfy { abs($1 - $0 * (0.5 / norm)) <= abs($1) * 2.4e-7 })
  }

  @Test(arguments: [1.0, 1.5, 1e300, .infinity])
  func changesNothingBelow(_ factor: Double) {
    var set = randomSet(Double.self, bound: 10, seed: 5)
    let before = set.numbers
    set.clip(toNorm: set.norm * factor, measured: set.norm)
    #expect(set.numbers == before)
  }

  @Test func leavesZerosAlone() {
    var set = randomSet(Double.self, bound: 0, seed: 6)
    set.clip(toNorm: 1, measured: set.norm)
    #expect(set.norm == 0)
  }

  @Test func measuresAllTensorsTogether() {
    var layout = ParameterLayout()
    let slots = [layout.add("a", 1, 1), layout.add("b", 1), layout.add("c", 2)]
    var set = ParameterSet<Double>(layout)
    for (slot, numbers) in zip(slots, [[2], [-3], [6, 0]] as [[Double]]) { set.writable(slot).copy(from: numbers) }
    #expect(set.norm == 7)
    set.clip(toNorm: 3.5, measured: 7)
    #expect(set.numbers == [1, -1.5, 3, 0])
  }

  @Test(arguments: [1e-3, 0.37, 1, 3])
  func bringsValuesIntoBounds(_ maximum: Double) {
    var set = randomSet(Double.self, bound: 10, seed: 9)
    let before = set.numbers
    let isClipped = set.clip(toValue: maximum)
    #expect(isClipped && set.numbers == before.map { min(max($0, -maximum), maximum) })
    let isClippedAgain = set.clip(toValue: maximum)
    #expect(!isClippedAgain, "what lies on the bound is in bounds")
  }

  @Test(arguments: [10, 1e300]) func leavesValuesInBounds(_ maximum: Double) {
    var set = randomSet(Double.self, bound: 10, seed: 5)
    let before = set.numbers
    let isClipped = set.clip(toValue: maximum)
    #expect(!isClipped && set.numbers == before)
  }

  /// The norm is of all tensors and of a copy alike; clipping a copy leaves the set.
  @Test func clipsACopyAlone() {
    let set = randomSet(Double.self, bound: 10, seed: 7)
    var copy = set
    copy.clip(toNorm: 1, measured: copy.norm)
    #expect(set.norm > 1)
    #expect(abs(copy.norm - 1) < 1e-14)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func hasNoFiniteNormWithSuchAnElement(_ element: Double) {
    var set = randomSet(Float.self, bound: 1, seed: 8)
    set.writable(set.layout.slots[1])[0, 18] = Float(element)
    #expect(!set.norm.isFinite)
  }
}
