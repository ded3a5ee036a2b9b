import Compute

/// The constants of Adam.
public struct AdamConfiguration: Sendable, Equatable {
  public var beta1, beta2, epsilon: Double
  /// λ: each step multiplies matrices by 1 − learning rate·λ. 0 is plain Adam.
  public var weightDecay: Double

  public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }
}

/// Adam (Kingma & Ba 2015, algorithm 1) with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2).
///
/// Weight decay is for matrices, the embedding included; biases are left alone.
public struct Adam<Real: KernelReal>: Sendable {
  public let configuration: AdamConfiguration
  public private(set) var firstMoment: ParameterSet<Real>
  public private(set) var secondMoment: ParameterSet<Real>
  /// Updates made.
  public private(set) var updates = 0

  public init(_ configuration: AdamConfiguration, layout: ParameterLayout) {
    self.configuration = configuration
    firstMoment = ParameterSet(layout)
    secondMoment = ParameterSet(layout)
  }

  /// One update of `parameters`. The caller answers for the gradient being finite.
  public mutating func update(
    _ parameters: inout ParameterSet<Real>, gradients: ParameterSet<Real>, learningRate: Double
  ) {
    updates += 1
    let correction1 = 1 - power(configuration.beta1, updates)
    let correction2 = (1 - power(configuration.beta2, updates)).squareRoot()
    let step = AdamStep(
      beta1: configuration.beta1, beta2: configuration.beta2, rate: learningRate * correction2 / correction1,
      epsilon: configuration.epsilon * correction2, decay: 1)
    guard configuration.weightDecay > 0 else {
      Real.adam(
        step, gradient: gradients.flat, firstMoment: firstMoment.writableFlat(),
        secondMoment: secondMoment.writableFlat(), weights: parameters.writableFlat())
      return
    }
    for slot in parameters.layout.slots {
      var step = step
      if parameters.layout[slot].isMatrix { step.decay = 1 - learningRate * configuration.weightDecay }
      Real.adam(
        step, gradient: gradients[slot], firstMoment: firstMoment.writable(slot),
        secondMoment: secondMoment.writable(slot), weights: parameters.writable(slot))
    }
  }

  /// βⁿ by repeated squaring: the same on every platform.
  private func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, base, exponent) = (1.0, base, exponent)
    while exponent > 0 {
      if exponent & 1 == 1 { result *= base }
      base *= base
      exponent >>= 1
    }
    return result
  }
}
