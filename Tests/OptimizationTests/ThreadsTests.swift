import Compute
import Optimization
import TestSupport
import Testing

/// Updates of long vectors: the number of threads changes no bit, and every element has its part.
@Suite struct ThreadsTests {
  private static let layout = {
    var layout = ParameterLayout()
    _ = layout.add("matrix", 301, 300)
    _ = layout.add("bias", 77)
    _ = layout.add("other", 3, 5)
    return layout
  }()

  private func numbers(_ seed: UInt64) -> ParameterSet<Float> {
    var (set, random) = (ParameterSet<Float>(Self.layout), CounterRandom(seed: seed, purpose: .corpus))
    for slot in Self.layout.slots {
      let numbers = randomNumbers(Self.layout[slot].count, bound: 1, using: &random)
      set.writable(slot).copy(from: numbers.map { Float($0) })
    }
    return set
  }

  @Test(arguments: [0, 0.1])
  func updates(_ weightDecay: Double) {
    let makers: [@Sendable () -> any Optimizer<Float>] = [
      { Adam(.init(weightDecay: weightDecay), layout: Self.layout) },
      { Adam(.init(weightDecay: weightDecay, isDecoupled: false), layout: Self.layout) },
      { SGD(.init(weightDecay: weightDecay), layout: Self.layout) },
      { SGD(.init(momentum: 0.9, isNesterov: true, weightDecay: weightDecay), layout: Self.layout) },
      { RMSprop(.init(momentum: 0.5, weightDecay: weightDecay), layout: Self.layout) },
      { Adagrad(.init(weightDecay: weightDecay), layout: Self.layout) },
    ]
    for make in makers {
      func run(_ workers: Workers) -> [[Float]] {
        var weights = numbers(1)
        var update = ClippedUpdate(
          make(), clipping: .init(maximumNorm: 5), average: .init(.exponential(decay: 0.9), layout: Self.layout))
        for step in 0..<3 {
          var gradients = numbers(UInt64(step) + 2)
          update.apply(&gradients, measured: gradients.norm, to: &weights, learningRate: 0.1, on: workers)
        }
        return ([weights, update.average?.weights ?? weights] + update.optimizer.state.map(\.values)).map(
          \.flat.elements)
      }
      let expected = run(Workers(threads: 1))
      for threads in [2, 5] { #expect(run(Workers(threads: threads)) == expected) }
      let start = numbers(1)
      for slot in Self.layout.slots {
        let place = Self.layout.elements(of: slot)
        #expect(zip(expected[0][place], start[slot].elements).allSatisfy { $0 != $1 })
        #expect(zip(expected[1][place], expected[0][place]).contains { $0 != $1 })
      }
    }
  }
}
