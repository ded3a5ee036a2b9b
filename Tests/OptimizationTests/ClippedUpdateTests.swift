import Compute
import Optimization
import Testing

@Suite struct ClippedUpdateTests {
  /// An update gets the gradient that clipping leaves, and says whether that changed anything.
  @Test(
    arguments: [
      .init(), .init(maximumNorm: 0.5), .init(maximumValue: 3), .init(maximumNorm: 0.5, maximumValue: 3),
      .init(maximumNorm: 1e3), .init(maximumValue: 11), .init(maximumNorm: 1e3, maximumValue: 3),
    ] as [GradientClipping])
  func clipsAndUpdates(_ clipping: GradientClipping) {
    var parameters = randomSet(Float.self, bound: 1, seed: 1)
    var gradients = randomSet(Float.self, bound: 10, seed: 2)
    var (expected, clipped) = (parameters, gradients)
    if let value = clipping.maximumValue { clipped.clip(toValue: value) }
    if let norm = clipping.maximumNorm { clipped.clip(toNorm: norm, measured: clipped.norm) }
    var optimizer = Adam<Float>(.init(weightDecay: 0.1), layout: parameters.layout)
    optimizer.update(&expected, gradients: clipped, learningRate: 0.1)

    var update = ClippedUpdate<Float>(
      Adam<Float>(.init(weightDecay: 0.1), layout: parameters.layout), clipping: clipping)
    let isChanged = clipped.numbers != gradients.numbers
    let isClipped = update.apply(&gradients, measured: gradients.norm, to: &parameters, learningRate: 0.1)
    #expect(isClipped == isChanged)
    #expect(gradients.numbers == clipped.numbers)
    #expect(parameters.numbers == expected.numbers)
    #expect(update.optimizer.updates == 1)
  }

  /// Values first, then the norm of what they leave: one element that stands out does not shrink the others.
  @Test func clipsValuesFirst() {
    var layout = ParameterLayout()
    let slot = layout.add("a", 3)
    var gradients = ParameterSet<Double>(layout)
    gradients.writable(slot).copy(from: [1000, 3, -4])
    let clipping = GradientClipping(maximumNorm: 13, maximumValue: 12)
    let isClipped = clipping.apply(to: &gradients, measured: gradients.norm)
    #expect(isClipped && gradients.numbers == [12, 3, -4])
  }
}
