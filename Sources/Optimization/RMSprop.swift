import Compute

/// The constants of RMSprop.
public struct RMSpropConfiguration: Sendable, Equatable {
  /// α: the share that the mean of squares keeps at each step.
  public var alpha: Double
  public var epsilon: Double
  /// Of the steps, after the division.
  public var momentum: Double
  /// λ: λ·w is added to the gradients of matrices.
  public var weightDecay: Double

  public init(alpha: Double = 0.99, epsilon: Double = 1e-8, momentum: Double = 0, weightDecay: Double = 0) {
    self.alpha = alpha
    self.epsilon = epsilon
    self.momentum = momentum
    self.weightDecay = weightDecay
  }
}

/// RMSprop (Tieleman & Hinton 2012, lecture 6.5), not centred, with momentum as PyTorch has it:
/// v ← αv + (1−α)g², b ← μb + g/(√v + ε), w ← w − ηb.
///
/// Weight decay is for matrices; biases are left alone.
public struct RMSprop<Real: KernelReal>: Optimizer {
  public let configuration: RMSpropConfiguration
  private var squares: ParameterSet<Real>
  /// b; the last step, which nobody asks for again, without momentum.
  private var buffer: ParameterSet<Real>
  public var updates = 0

  public init(_ configuration: RMSpropConfiguration, layout: ParameterLayout) {
    self.configuration = configuration
    squares = ParameterSet(layout)
    buffer = ParameterSet(layout)
  }

  public var state: [NamedParameters<Real>] {
    get {
      let average = NamedParameters("square_avg", squares)
      return configuration.momentum > 0 ? [average, .init("momentum_buffer", buffer)] : [average]
    }
    set {
      guard configuration.momentum > 0 else {
        squares = newValue.values(named: "square_avg", layout: squares.layout)[0]
        return
      }
      let values = newValue.values(named: "square_avg", "momentum_buffer", layout: squares.layout)
      (squares, buffer) = (values[0], values[1])
    }
  }

  public mutating func update(
    _ parameters: inout ParameterSet<Real>, gradients: ParameterSet<Real>, learningRate: Double, on workers: Workers
  ) {
    updates += 1
    let (configuration, squares, buffer) = (configuration, squares.writableFlat(), buffer.writableFlat())
    let (gradient, weights) = (gradients.flat, parameters.writableFlat())
    Stretch.forEach(of: parameters, weightDecay: configuration.weightDecay, on: workers) { stretch in
      let step = RMSpropStep(
        rate: learningRate, penalty: stretch.decays ? configuration.weightDecay : 0, alpha: configuration.alpha,
        epsilon: configuration.epsilon, momentum: configuration.momentum)
      Real.rmsprop(
        step, gradient: gradient[stretch], squares: squares[stretch], buffer: buffer[stretch], weights: weights[stretch]
      )
    }
  }
}
