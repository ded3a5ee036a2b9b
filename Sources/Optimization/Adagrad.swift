import Compute

/// The constants of Adagrad.
public struct AdagradConfiguration: Sendable, Equatable {
  public var epsilon: Double
  /// λ: λ·w is added to the gradients of matrices.
  public var weightDecay: Double

  public init(epsilon: Double = 1e-10, weightDecay: Double = 0) {
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }
}

/// Adagrad (Duchi, Hazan & Singer 2011, the diagonal form of figure 1): s ← s + g², w ← w − ηg/(√s + ε).
///
/// Weight decay is for matrices; biases are left alone.
public struct Adagrad<Real: KernelReal>: Optimizer {
  public let configuration: AdagradConfiguration
  private var sum: ParameterSet<Real>
  public var updates = 0

  public init(_ configuration: AdagradConfiguration, layout: ParameterLayout) {
    self.configuration = configuration
    sum = ParameterSet(layout)
  }

  public var state: [NamedParameters<Real>] {
    get { [.init("sum", sum)] }
    set { sum = newValue.values(named: "sum", layout: sum.layout)[0] }
  }

  public mutating func update(
    _ parameters: inout ParameterSet<Real>, gradients: ParameterSet<Real>, learningRate: Double, on workers: Workers
  ) {
    updates += 1
    let (configuration, sum) = (configuration, sum.writableFlat())
    let (gradient, weights) = (gradients.flat, parameters.writableFlat())
    Stretch.forEach(of: parameters, weightDecay: configuration.weightDecay, on: workers) { stretch in
      Real.adagrad(
        rate: learningRate, penalty: stretch.decays ? configuration.weightDecay : 0, epsilon: configuration.epsilon,
        gradient: gradient[stretch], sum: sum[stretch], weights: weights[stretch])
    }
  }
}
