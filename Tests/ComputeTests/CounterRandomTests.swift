import Compute
import Testing

@Suite struct CounterRandomTests {
  struct Answer: Sendable {
    let counter: (UInt32, UInt32, UInt32, UInt32)
    let key: (UInt32, UInt32)
    let expected: [UInt32]
  }

  /// The known answers of Salmon et al.'s own test file: zeros, ones, digits of π.
  static let answers = [
    Answer(counter: (0, 0, 0, 0), key: (0, 0), expected: [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]),
    Answer(
      counter: (.max, .max, .max, .max), key: (.max, .max),
      expected: [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]),
    Answer(
      counter: (0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344), key: (0xA409_3822, 0x299F_31D0),
      expected: [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1]),
  ]

  @Test(arguments: answers)
  func knownAnswers(_ answer: Answer) {
    let (a, b, c, d) = CounterRandom.philox(answer.counter, key: answer.key)
    #expect([a, b, c, d] == answer.expected)
  }

  /// Streams that differ in seed, purpose, step or lane share no number.
  @Test func streamsDiffer() {
    var seen: Set<UInt64> = []
    var count = 0
    for seed: UInt64 in [0, 1, 1 << 40] {
      for purpose in [RandomPurpose.initialization, .sampling, .corpus] {
        for step in [0, 1, 1 << 33] {
          for lane in [0, 1] {
            var random = CounterRandom(seed: seed, purpose: purpose, step: step, lane: lane)
            for _ in 0..<50 { seen.insert(random.next()) }
            count += 50
          }
        }
      }
    }
    #expect(seen.count == count)
  }

  @Test func uniformNumbersFillTheUnitInterval() {
    var random = CounterRandom(seed: 3, purpose: .sampling)
    var counts = [Int](repeating: 0, count: 20)
    for _ in 0..<20_000 {
      let number = random.uniform()
      #expect(number >= 0 && number < 1)
      counts[Int(number * 20)] += 1
    }
    // χ² of 19 degrees of freedom: 43.8 is its 0.1 % point.
    let chiSquared = counts.reduce(0.0) { $0 + Double(($1 - 1000) * ($1 - 1000)) / 1000 }
    #expect(chiSquared < 43.8)
  }
}
