import Compute
import Optimization
import Testing

@Suite struct ClippedUpdateTests {
  private func update(_ layout: ParameterLayout, weightDecay: Double = 0.1) -> ClippedUpdate<Float> {
    ClippedUpdate(Adam(.init(weightDecay: weightDecay), layout: layout), maximumNorm: 0.5)
  }

  /// A gate with a gradient of norm above the limit is an optimiser after clipping.
  @Test func clipsAndUpdates() {
    var parameters = randomSet(Float.self, bound: 1, seed: 1)
    var gradients = randomSet(Float.self, bound: 10, seed: 2)
    var (expected, clipped) = (parameters, gradients)
    let norm = gradients.norm
    clipped.clip(toNorm: 0.5, measured: norm)
    var optimizer = Adam<Float>(.init(weightDecay: 0.1), layout: parameters.layout)
    optimizer.update(&expected, gradients: clipped, learningRate: 0.1)

    var update = update(parameters.layout)
    let result = update.apply(loss: 2, gradients: &gradients, to: &parameters, learningRate: 0.1)
    #expect(result.isMade)
    #expect(result.norm == norm && norm > 0.5)
    #expect(gradients.numbers == clipped.numbers)
    #expect(parameters.numbers == expected.numbers)
    #expect(update.optimizer.updates == 1)
  }

  /// What is not finite changes nothing: neither weights nor moments nor the count of updates.
  @Test(
    arguments: [(.nan, nil), (.infinity, nil), (1, .nan), (1, .infinity), (1, -.infinity)] as [(Double, Float?)])
  func refusesWhatIsNotFinite(_ loss: Double, _ element: Float?) {
    var parameters = randomSet(Float.self, bound: 1, seed: 1)
    var gradients = randomSet(Float.self, bound: 1, seed: 2)
    var update = update(parameters.layout)
    #expect(update.apply(loss: 1, gradients: &gradients, to: &parameters, learningRate: 0.1).isMade)
    let before = (parameters.numbers, update.optimizer.firstMoment.numbers, update.optimizer.secondMoment.numbers)

    if let element { gradients.writable(gradients.layout.slots[0])[6, 4] = element }
    let result = update.apply(loss: loss, gradients: &gradients, to: &parameters, learningRate: 0.1)
    #expect(!result.isMade)
    #expect(result.norm.isFinite == (element == nil))
    #expect(parameters.numbers == before.0)
    #expect(update.optimizer.firstMoment.numbers == before.1)
    #expect(update.optimizer.secondMoment.numbers == before.2)
    #expect(update.optimizer.updates == 1)
  }
}
