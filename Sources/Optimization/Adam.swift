import Compute

/// The constants of Adam.
public struct AdamConfiguration: Sendable, Equatable {
  public var beta1, beta2, epsilon: Double
  /// λ; 0 is plain Adam.
  public var weightDecay: Double
  /// Whether each step multiplies matrices by 1 − learning rate·λ (AdamW), or adds λ·w to their gradients.
  public var isDecoupled: Bool

  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0,
    isDecoupled: Bool = true
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.isDecoupled = isDecoupled
  }
}

/// Adam (Kingma & Ba 2015, algorithm 1), with weight decay decoupled (AdamW; Loshchilov & Hutter 2019, algorithm 2) or
/// as a penalty on the squared weights.
///
/// Weight decay is for matrices, the embedding included; biases are left alone.
public struct Adam<Real: KernelReal>: Optimizer {
  public let configuration: AdamConfiguration
  public private(set) var firstMoment: ParameterSet<Real>
  public private(set) var secondMoment: ParameterSet<Real>
  public var updates = 0

  public init(_ configuration: AdamConfiguration, layout: ParameterLayout) {
    self.configuration = configuration
    firstMoment = ParameterSet(layout)
    secondMoment = ParameterSet(layout)
  }

  public var state: [NamedParameters<Real>] {
    get { [.init("exp_avg", firstMoment), .init("exp_avg_sq", secondMoment)] }
    set {
      let values = newValue.values(named: "exp_avg", "exp_avg_sq", layout: firstMoment.layout)
      (firstMoment, secondMoment) = (values[0], values[1])
    }
  }

  public mutating func update(
    _ parameters: inout ParameterSet<Real>, gradients: ParameterSet<Real>, learningRate: Double, on workers: Workers
  ) {
    updates += 1
    let (decay, isDecoupled) = (configuration.weightDecay, configuration.isDecoupled)
    let correction1 = 1 - power(configuration.beta1, updates)
    let correction2 = (1 - power(configuration.beta2, updates)).squareRoot()
    let (beta1, beta2, epsilon) = (configuration.beta1, configuration.beta2, configuration.epsilon)
    let (first, second) = (firstMoment.writableFlat(), secondMoment.writableFlat())
    let (gradient, weights) = (gradients.flat, parameters.writableFlat())
    Stretch.forEach(of: parameters, weightDecay: decay, on: workers) { stretch in
      let step = AdamStep(
        beta1: beta1, beta2: beta2, rate: learningRate * correction2 / correction1, epsilon: epsilon * correction2,
        decay: stretch.decays && isDecoupled ? 1 - learningRate * decay : 1,
        penalty: stretch.decays && !isDecoupled ? decay : 0)
      Real.adam(
        step, gradient: gradient[stretch], firstMoment: first[stretch], secondMoment: second[stretch],
        weights: weights[stretch])
    }
  }
}

/// βⁿ by repeated squaring: the same on every platform.
func power(_ base: Double, _ exponent: Int) -> Double {
  var (result, base, exponent) = (1.0, base, exponent)
  while exponent > 0 {
    if exponent & 1 == 1 { result *= base }
    base *= base
    exponent >>= 1
  }
  return result
}
