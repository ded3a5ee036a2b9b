import Compute

/// Which optimiser, with its constants.
public struct OptimizerConfiguration: Sendable, Equatable {
  /// The optimisers by name.
  public enum Method: String, Sendable, CaseIterable {
    case sgd, rmsprop, adagrad, adam
    /// Adam with decoupled weight decay.
    case adamw

    /// The name as the papers write it.
    public var title: String {
      switch self {
      case .sgd: "SGD"
      case .rmsprop: "RMSprop"
      case .adagrad: "Adagrad"
      case .adam: "Adam"
      case .adamw: "AdamW"
      }
    }

    /// Whether a constant called momentum is one of its own.
    public var hasMomentum: Bool { self == .sgd || self == .rmsprop }
    /// Whether it has the constants β₁ and β₂.
    public var hasBetas: Bool { self == .adam || self == .adamw }
  }

  public var method: Method
  /// Of SGD and RMSprop.
  public var momentum: Double
  /// Whether SGD's momentum is Nesterov's.
  public var isNesterov: Bool
  /// Of Adam and AdamW.
  public var beta1, beta2: Double
  /// α of RMSprop.
  public var alpha: Double
  /// ε of all but SGD; nil for each one's own: 1e-8, Adagrad's 1e-10.
  public var epsilon: Double?
  /// λ, of matrices: decoupled in AdamW, λ·w added to the gradient in the others.
  public var weightDecay: Double

  public init(
    _ method: Method = .adamw, momentum: Double = 0, isNesterov: Bool = false, beta1: Double = 0.9,
    beta2: Double = 0.999, alpha: Double = 0.99, epsilon: Double? = nil, weightDecay: Double = 0
  ) {
    self.method = method
    self.momentum = momentum
    self.isNesterov = isNesterov
    self.beta1 = beta1
    self.beta2 = beta2
    self.alpha = alpha
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// A fresh optimiser.
  public func makeOptimizer<Real: KernelReal>(_ layout: ParameterLayout) -> any Optimizer<Real> {
    switch method {
    case .sgd:
      SGD<Real>(.init(momentum: momentum, isNesterov: isNesterov, weightDecay: weightDecay), layout: layout)
    case .rmsprop:
      RMSprop<Real>(
        .init(alpha: alpha, epsilon: epsilon ?? 1e-8, momentum: momentum, weightDecay: weightDecay), layout: layout)
    case .adagrad: Adagrad<Real>(.init(epsilon: epsilon ?? 1e-10, weightDecay: weightDecay), layout: layout)
    case .adam, .adamw:
      Adam<Real>(
        .init(
          beta1: beta1, beta2: beta2, epsilon: epsilon ?? 1e-8, weightDecay: weightDecay, isDecoupled: method == .adamw),
        layout: layout)
    }
  }

  /// The name and what is set of its constants, for people: `SGD, momentum 0.9 (Nesterov), weight decay 1e-06`.
  public var description: String {
    var parts = [method.title]
    if method.hasMomentum && momentum > 0 { parts.append("momentum \(momentum)" + (isNesterov ? " (Nesterov)" : "")) }
    if method == .rmsprop { parts.append("α \(alpha)") }
    if method.hasBetas { parts.append("β \(beta1) and \(beta2)") }
    if let epsilon, method != .sgd { parts.append("ε \(epsilon)") }
    parts.append("weight decay \(weightDecay)")
    return parts.joined(separator: ", ")
  }
}
