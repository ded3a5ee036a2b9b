import Compute
import Optimization
import TestSupport
import Testing

/// Adam of one number, as the papers write it (Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2).
private struct ScalarAdam {
  let configuration: AdamConfiguration
  let decays: Bool
  var m = 0.0
  var v = 0.0
  var beta1Power = 1.0
  var beta2Power = 1.0

  init(_ configuration: AdamConfiguration, decays: Bool) {
    self.configuration = configuration
    self.decays = decays
  }

  mutating func update(_ weight: Double, gradient: Double, learningRate: Double) -> Double {
    let (beta1, beta2) = (configuration.beta1, configuration.beta2)
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient * gradient
    beta1Power *= beta1
    beta2Power *= beta2
    let decayed = decays ? weight - learningRate * configuration.weightDecay * weight : weight
    let (corrected1, corrected2) = (m / (1 - beta1Power), v / (1 - beta2Power))
    return decayed - learningRate * corrected1 / (corrected2.squareRoot() + configuration.epsilon)
  }
}

@Suite struct AdamTests {
  private static let configurations: [AdamConfiguration] = [
    .init(), .init(weightDecay: 0.1), .init(beta1: 0, beta2: 0.5, epsilon: 1e-3),
    .init(beta1: 0.95, beta2: 0.99, weightDecay: 0.01),
    .init(beta1: 0.5, beta2: 0.9999, epsilon: 0.1),
  ]

  private func largestError<Real: KernelReal>(_: Real.Type, _ configuration: AdamConfiguration, steps: Int) -> Double {
    var parameters = randomSet(Real.self, bound: 2, seed: 1)
    var optimizer = Adam<Real>(configuration, layout: parameters.layout)
    var expected = parameters.numbers
    var scalars = expected.indices.map { ScalarAdam(configuration, decays: $0 < 35) }
    for step in 1...steps {
      let gradients = randomSet(Real.self, bound: step % 3 == 0 ? 1e-3 : 5, seed: UInt64(step + 100))
      let rate = 0.01 / Double(step)
      optimizer.update(&parameters, gradients: gradients, learningRate: rate)
      for (index, gradient) in gradients.numbers.enumerated() {
        expected[index] = scalars[index].update(expected[index], gradient: gradient, learningRate: rate)
      }
    }
    return largestDifference(parameters.numbers, expected)
  }

  @Test(arguments: configurations)
  func followsTheRecurrence(_ configuration: AdamConfiguration) {
    #expect(largestError(Double.self, configuration, steps: 30) < 1e-14)
  }

  @Test(arguments: configurations)
  func followsTheRecurrenceInFloat32(_ configuration: AdamConfiguration) {
    #expect(largestError(Float.self, configuration, steps: 30) < 1e-6)
  }

  /// The first update moves every weight by the learning rate, whatever the gradient's size.
  @Test(arguments: [1e-3, 1, 1e3])
  func firstUpdateMovesByTheLearningRate(_ size: Double) {
    var parameters = randomSet(Float.self, bound: 0, seed: 1)
    let gradients = randomSet(Float.self, bound: size, seed: 2)
    var optimizer = Adam<Float>(.init(epsilon: 0), layout: parameters.layout)
    optimizer.update(&parameters, gradients: gradients, learningRate: 0.01)
    for (weight, gradient) in zip(parameters.numbers, gradients.numbers) {
      #expect(abs(weight / (gradient > 0 ? -0.01 : 0.01) - 1) < 1e-6)
    }
  }

  /// Without gradients, matrices shrink by 1 − rate·λ each step and vectors stay.
  @Test func decaysMatricesOnly() {
    var parameters = randomSet(Double.self, bound: 1, seed: 3)
    let before = parameters.numbers
    let gradients = ParameterSet<Double>(parameters.layout)
    var optimizer = Adam<Double>(.init(weightDecay: 0.5), layout: parameters.layout)
    for _ in 0..<3 { optimizer.update(&parameters, gradients: gradients, learningRate: 0.1) }
    let after = parameters.numbers
    #expect(zip(before[..<35], after[..<35]).allSatisfy { abs($1 - $0 * 0.95 * 0.95 * 0.95) < 1e-15 })
    #expect(before[35...] == after[35...])
  }

  @Test func countsUpdatesAndKeepsMoments() {
    var parameters = randomSet(Double.self, bound: 1, seed: 3)
    let gradients = randomSet(Double.self, bound: 1, seed: 4)
    var optimizer = Adam<Double>(.init(), layout: parameters.layout)
    #expect(optimizer.updates == 0)
    optimizer.update(&parameters, gradients: gradients, learningRate: 0.1)
    #expect(optimizer.updates == 1)
    let (first, second) = (optimizer.firstMoment.numbers, optimizer.secondMoment.numbers)
    #expect(zip(first, gradients.numbers).allSatisfy { abs($0 - 0.1 * $1) < 1e-16 })
    #expect(zip(second, gradients.numbers).allSatisfy { abs($0 - 0.001 * $1 * $1) < 1e-17 })
  }

  /// An optimiser is a value: a copy goes on by itself, from the same moments.
  @Test func isAValue() {
    var parameters = randomSet(Double.self, bound: 1, seed: 3)
    let gradients = randomSet(Double.self, bound: 1, seed: 4)
    var optimizer = Adam<Double>(.init(), layout: parameters.layout)
    optimizer.update(&parameters, gradients: gradients, learningRate: 0.1)
    var (copy, copied) = (optimizer, parameters)
    optimizer.update(&parameters, gradients: gradients, learningRate: 0.1)
    #expect(copy.updates == 1)
    #expect(copied.numbers != parameters.numbers)
    copy.update(&copied, gradients: gradients, learningRate: 0.1)
    #expect(copied.numbers == parameters.numbers)
    #expect(copy.secondMoment.numbers == optimizer.secondMoment.numbers)
  }
}
