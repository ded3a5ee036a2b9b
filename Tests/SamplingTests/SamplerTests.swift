import Compute
import Foundation
import Sampling
import Testing

@Suite struct SamplerProbabilityTests {
  /// softmax(logits / temperature), by hand: logits are logarithms of weights.
  @Test(
    arguments: [
      (1, [1, 2, 5], [0.125, 0.25, 0.625]), (0.5, [1, 2, 5], [1.0 / 30, 4.0 / 30, 25.0 / 30]),
      (2, [1, 4, 25], [0.125, 0.25, 0.625]), (1, [3], [1]), (1, [0, 1, 1], [0, 0.5, 0.5]),
      (1, [7, 7, 7, 7], [0.25, 0.25, 0.25, 0.25]),
    ] as [(Double, [Double], [Double])])
  func followTheSoftmax(_ temperature: Double, _ weights: [Double], _ expected: [Double]) throws {
    let logits = weights.map { log($0) }
    for shift in [0.0, -1000, 1000] {
      let got = try Sampler(temperature: temperature).probabilities(logits.map { $0 + shift })
      #expect(zip(got, expected).allSatisfy { abs($0 - $1) < 1e-12 }, "\(got)")
    }
  }

  @Test(
    arguments: [
      ([1, 3, 2], 1), ([3, 1, 3], 0), ([0, 0, 0], 0), ([-5, -1, -1], 1), ([-.infinity, -2], 1), ([4], 0),
      ([1e300, 1e301], 1),
    ] as [([Double], Int)])
  func temperatureZeroPicksTheFirstOfEquals(_ logits: [Double], _ best: Int) throws {
    for zero in [0.0, -0.0] {
      let sampler = try Sampler(temperature: zero)
      #expect(sampler.probabilities(logits) == logits.indices.map { $0 == best ? 1 : 0 })
      for step in 0..<20 {
        var random = CounterRandom(seed: 3, purpose: .sampling, step: step)
        #expect(sampler.draw(logits, using: &random) == best)
      }
    }
  }

  @Test(arguments: [1e-308, 1e-100, 1e-3, 1e3, 1e100, 1.7e308], [1, 80, 1e4, 1e300])
  func areFiniteAtAnyTemperature(_ temperature: Double, _ scale: Double) throws {
    let logits = [-scale, 0, scale, scale, -Double.infinity]
    let probabilities = try Sampler(temperature: temperature).probabilities(logits)
    #expect(probabilities.allSatisfy { $0 >= 0 && $0 <= 1 })
    #expect(abs(probabilities.reduce(0, +) - 1) < 1e-12)
    #expect(probabilities[2] == probabilities[3])
    #expect(probabilities[0] <= probabilities[1] && probabilities[1] <= probabilities[2])
    #expect(probabilities[4] == 0)
  }

  @Test func tinyTemperaturesShareAmongEquals() throws {
    #expect(try Sampler(temperature: .leastNonzeroMagnitude).probabilities([1, 2, 2]) == [0, 0.5, 0.5])
  }

  @Test(arguments: [-1, -1e-300, -.infinity, .infinity, .nan, -.nan] as [Double])
  func refuseOtherTemperatures(_ temperature: Double) {
    let error = #expect(throws: InvalidSampling.self) { try Sampler(temperature: temperature) }
    #expect(error?.description.contains("\(temperature)") == true)
  }
}

@Suite struct SamplerDrawTests {
  /// χ² of 20,000 draws of independent streams with 7 degrees of freedom; its 99.9 % quantile is 24.32.
  @Test(arguments: [0.5, 1, 2], [1, 2, 3] as [UInt64])
  func followTheDistribution(_ temperature: Double, _ seed: UInt64) throws {
    let logits = [0.3, -1, 2, 0, 1.5, -0.5, 0.9, 1]
    let sampler = try Sampler(temperature: temperature)
    let count = 20_000
    var drawn = [Int](repeating: 0, count: logits.count)
    for step in 0..<count {
      var random = CounterRandom(seed: seed, purpose: .sampling, step: step)
      drawn[sampler.draw(logits, using: &random)] += 1
    }
    let expected = sampler.probabilities(logits).map { $0 * Double(count) }
    let chiSquared = zip(drawn, expected).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) / $1.1 }
    #expect(chiSquared < 24.32)
    #expect(expected.allSatisfy { $0 > 5 }, "enough of each for the test")
  }

  @Test func neverDrawTheImpossible() throws {
    let sampler = try Sampler(temperature: 1)
    for step in 0..<5000 {
      var random = CounterRandom(seed: 9, purpose: .sampling, step: step)
      #expect([1, 3].contains(sampler.draw([-.infinity, 0, -.infinity, 0, -.infinity], using: &random)))
    }
  }

  @Test func dependOnSeedAndStepOnly() throws {
    let sampler = try Sampler(temperature: 1)
    let logits = (0..<100).map { Double($0 % 7) / 3 }
    func draws(seed: UInt64, _ steps: [Int]) -> [Int] {
      steps.map { step in
        var random = CounterRandom(seed: seed, purpose: .sampling, step: step)
        return sampler.draw(logits, using: &random)
      }
    }
    let steps = Array(0..<50)
    #expect(draws(seed: 1, steps) == draws(seed: 1, steps))
    #expect(draws(seed: 1, steps.reversed()) == draws(seed: 1, steps).reversed())
    #expect(draws(seed: 1, steps) != draws(seed: 2, steps))
    #expect(draws(seed: 1, steps) != draws(seed: 1, steps.map { $0 + 1 }))
    #expect(Set(draws(seed: 1, steps)).count > 20)
  }
}
