import Compute
import Testing

/// Dropping elements: the numbers of ``CounterRandom``, the right share, the right scale.
@Suite struct DropTests {
  /// Element by element from the stream's words, as CKernels.h says.
  private func isKept(_ count: Int, _ probability: Double, seed: UInt64, step: Int, lane: Int) -> [Bool] {
    let threshold = UInt32((probability * 65_536).rounded())
    return (0..<count).map { element in
      let (tile, place) = (element / 128, element % 128)
      let (word, isUpper, block) = (place / 32, place % 32 >= 16, tile * 16 + place % 16)
      let words = CounterRandom.philox(
        (UInt32(block), RandomPurpose.weightDrop.rawValue, UInt32(step), UInt32(lane)),
        key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
      let bits = [words.0, words.1, words.2, words.3][word]
      return (isUpper ? bits >> 16 : bits & 0xFFFF) >= threshold
    }
  }

  private func check<Real: KernelReal>(_: Real.Type, _ count: Int) {
    let seed: UInt64 = 0x1234_5678_9ABC_DEF0
    let random = CounterRandom(seed: seed, purpose: .weightDrop, step: 7, lane: 3)
    let kept = isKept(count, 0.3, seed: seed, step: 7, lane: 3)
    let drop = Drop(probability: 0.3, random)
    let before = (0..<count).map { Real($0 + 1) }
    let values = Rows(1, count, before)
    Real.drop(drop, from: values)
    #expect(values.elements == zip(before, kept).map { $1 ? $0 * Real(drop.factor) : 0 })
  }

  @Test(arguments: [0, 1, 16, 127, 128, 129, 1000]) func inFloat(_ count: Int) { check(Float.self, count) }
  @Test(arguments: [0, 1, 16, 127, 128, 129, 1000]) func inDouble(_ count: Int) { check(Double.self, count) }

  /// The share of what is dropped is p, and the mean stays.
  @Test(arguments: [0.0, 0.001, 0.1, 0.5, 0.9, 0.99])
  func shareAndMean(_ probability: Double) {
    let count = 200_000
    let values = Rows<Float>(1, count, [Float](repeating: 1, count: count))
    Float.drop(Drop(probability: probability, CounterRandom(seed: 5, purpose: .lockedDropout)), from: values)
    let share = Double(values.elements.count { $0 == 0 }) / Double(count)
    let deviation = (probability * (1 - probability) / Double(count)).squareRoot()
    #expect(abs(share - probability) <= 4 * deviation + 1e-5)
    let mean = values.elements.reduce(0.0) { $0 + Double($1) } / Double(count)
    #expect(abs(mean - 1) <= 5 * deviation / (1 - probability) + 1e-5)
  }

  /// A mask for every step, factors for rows, by place or by symbol.
  @Test func factors() {
    let a = Rows<Double>(4, 2, [1, 2, 3, 4, 5, 6, 7, 8])
    Double.multiply(a, by: Rows(2, 2, [1, 0, 2, 3]))
    #expect(a.elements == [1, 0, 6, 12, 5, 0, 14, 24])
    Double.scaleRows(a, by: Rows(4, 1, [1, 2, 0, -1]), of: nil)
    #expect(a.elements == [1, 0, 12, 24, 0, 0, -14, -24])
    Double.scaleRows(a, by: Rows(2, 1, [10, 1]), of: Rows(4, 1, [1, 0, 1, 0]))
    #expect(a.elements == [1, 0, 120, 240, 0, 0, -140, -240])
  }
}
