import Compute

/// The constants of stochastic gradient descent.
public struct SGDConfiguration: Sendable, Equatable {
  /// μ; 0 remembers nothing.
  public var momentum: Double
  /// Whether a step looks ahead along the momentum.
  public var isNesterov: Bool
  /// λ: λ·w is added to the gradients of matrices.
  public var weightDecay: Double

  public init(momentum: Double = 0, isNesterov: Bool = false, weightDecay: Double = 0) {
    precondition(!isNesterov || momentum > 0, "Nesterov's step wants a momentum above 0")
    self.momentum = momentum
    self.isNesterov = isNesterov
    self.weightDecay = weightDecay
  }
}

/// Stochastic gradient descent, with momentum (Polyak 1964) or Nesterov's (Sutskever et al. 2013, §2).
///
/// As in PyTorch, the buffer sums gradients and the learning rate multiplies it: b ← μb + g, w ← w − ηb, with Nesterov
/// w ← w − η(g + μb). Weight decay is for matrices; biases are left alone.
public struct SGD<Real: KernelReal>: Optimizer {
  public let configuration: SGDConfiguration
  /// b; nil without momentum.
  private var buffer: ParameterSet<Real>?
  private let layout: ParameterLayout
  public var updates = 0

  public init(_ configuration: SGDConfiguration, layout: ParameterLayout) {
    self.configuration = configuration
    self.layout = layout
    buffer = configuration.momentum > 0 ? ParameterSet(layout) : nil
  }

  public var state: [NamedParameters<Real>] {
    get { buffer.map { [.init("momentum_buffer", $0)] } ?? [] }
    set {
      guard buffer != nil else {
        precondition(newValue.isEmpty, "a state for SGD without momentum, which remembers nothing")
        return
      }
      buffer = newValue.values(named: "momentum_buffer", layout: layout)[0]
    }
  }

  public mutating func update(
    _ parameters: inout ParameterSet<Real>, gradients: ParameterSet<Real>, learningRate: Double, on workers: Workers
  ) {
    updates += 1
    let (configuration, buffer) = (configuration, buffer?.writableFlat())
    let (gradient, weights) = (gradients.flat, parameters.writableFlat())
    Stretch.forEach(of: parameters, weightDecay: configuration.weightDecay, on: workers) { stretch in
      let penalty = stretch.decays ? configuration.weightDecay : 0
      if let buffer {
        Real.momentum(
          rate: learningRate, penalty: penalty, momentum: configuration.momentum, isNesterov: configuration.isNesterov,
          gradient: gradient[stretch], buffer: buffer[stretch], weights: weights[stretch])
      } else {
        Real.sgd(rate: learningRate, penalty: penalty, gradient: gradient[stretch], weights: weights[stretch])
      }
    }
  }
}
