import Compute
import Optimization
import TestSupport
import Testing

@Suite struct WeightAverageTests {
  private func weights(_ step: Int) -> ParameterSet<Double> { randomSet(Double.self, bound: 2, seed: UInt64(step + 1)) }

  /// Σ dⁿ⁻ⁱ·wᵢ / Σ dⁿ⁻ⁱ, after each number of updates.
  @Test(arguments: [0, 0.5, 0.9, 0.999])
  func exponentialMean(_ decay: Double) throws {
    var average = WeightAverage<Double>(.exponential(decay: decay), layout: weights(0).layout)
    #expect(average.weights == nil)
    var (sum, total) = ([Double](repeating: 0, count: 54), 0.0)
    for step in 0..<20 {
      average.follow(weights(step))
      sum = zip(sum, weights(step).numbers).map { $0 * decay + $1 }
      total = total * decay + 1
      let expected = sum.map { $0 / total }
      #expect(largestDifference(try #require(average.weights).numbers, expected) < 1e-13)
    }
    let isTriggered = average.note(validationLoss: 1)
    #expect(!isTriggered)
  }

  /// The mean begins when a loss is above the least of those more than `interval` validations ago, and not before.
  @Test(
    arguments: [
      (2, [5, 4, 3, 2, 1, 0.5], nil), (2, [5, 4, 4.5, 4.6, 4.1], 4), (2, [5, 4, 4.5, 4.6, 3.9, 7], 5),
      (2, [5, 6, 7, 8], 3), (0, [5, 5, 5.1], 2), (5, [1, 2, 2, 2, 2, 2], nil), (5, [1, 2, 2, 2, 2, 2, 2], 6),
    ] as [(Int, [Double], Int?)])
  func trigger(_ interval: Int, _ losses: [Double], _ at: Int?) throws {
    var average = WeightAverage<Double>(.triggered(interval: interval), layout: weights(0).layout)
    var sum = [Double](repeating: 0, count: 54)
    for (index, loss) in losses.enumerated() {
      let isTriggered = average.note(validationLoss: loss)
      #expect(isTriggered == (index == at))
      average.follow(weights(index))
      guard let at, index >= at else {
        #expect(average.weights == nil)
        continue
      }
      sum = zip(sum, weights(index).numbers).map { $0 + $1 }
      let mean = sum.map { $0 / Double(index - at + 1) }
      #expect(largestDifference(try #require(average.weights).numbers, mean) < 1e-14)
    }
  }

  /// Average and counters are all that is remembered: another goes on from them to the bit, and the first goes on alone.
  @Test(arguments: [.exponential(decay: 0.9), .triggered(interval: 1)] as [Averaging])
  func goesOnFromItsState(_ averaging: Averaging) throws {
    for begin in 0..<8 {
      var first = WeightAverage<Double>(averaging, layout: weights(0).layout)
      func advance(_ average: inout WeightAverage<Double>, _ step: Int) {
        average.follow(weights(step))
        average.note(validationLoss: [3, 2, 2.5, 2.6, 2.7, 2.8][min(step, 5)])
      }
      for step in 0..<begin { advance(&first, step) }
      var second = WeightAverage<Double>(averaging, layout: weights(0).layout)
      second.restore(first.state, first.counters)
      for step in begin..<10 { advance(&first, step) }
      for step in begin..<10 { advance(&second, step) }
      #expect(first.counters == second.counters)
      #expect(try #require(first.weights).numbers == #require(second.weights).numbers)
    }
  }

  /// The average follows each update, and stays out of the optimiser's way.
  @Test func followsUpdates() throws {
    var (parameters, plain) = (weights(0), weights(0))
    let adam = Adam<Double>(.init(), layout: parameters.layout)
    var update = ClippedUpdate<Double>(
      adam, clipping: .init(), average: WeightAverage(.exponential(decay: 0.5), layout: parameters.layout))
    var alone = ClippedUpdate<Double>(adam, clipping: .init())
    for step in 1..<3 {
      var (gradients, same) = (weights(step), weights(step))
      update.apply(&gradients, measured: 1, to: &parameters, learningRate: 0.1)
      alone.apply(&same, measured: 1, to: &plain, learningRate: 0.1)
    }
    #expect(parameters.numbers == plain.numbers)
    #expect(update.average?.counters.updates == 2)
    #expect(try #require(update.average?.weights).numbers != parameters.numbers)
  }
}
