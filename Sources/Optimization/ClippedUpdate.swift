import Compute

/// How gradients are clipped before an update: by value, by norm, both or not at all.
///
/// With both, values are clipped first and the norm is that of what they leave: an element that stands out alone does
/// not shrink all others, and both bounds hold in the end.
public struct GradientClipping: Sendable, Equatable {
  /// The largest norm of all gradients together; nil for any.
  public var maximumNorm: Double?
  /// The largest magnitude of an element; nil for any.
  public var maximumValue: Double?

  /// Clipping by norm, by value or both.
  public init(maximumNorm: Double? = nil, maximumValue: Double? = nil) {
    self.maximumNorm = maximumNorm
    self.maximumValue = maximumValue
  }

  /// Clips in place.
  ///
  /// - Parameter norm: The gradients' norm, as the caller has measured it.
  /// - Returns: Whether anything was changed.
  public func apply<Real: KernelReal>(to gradients: inout ParameterSet<Real>, measured norm: Double) -> Bool {
    var (norm, isClipped) = (norm, false)
    if let maximumValue, gradients.clip(toValue: maximumValue) {
      isClipped = true
      norm = gradients.norm
    }
    if let maximumNorm, gradients.clip(toNorm: maximumNorm, measured: norm) { isClipped = true }
    return isClipped
  }
}

/// An optimiser behind clipping, and an average that follows the weights, where one is wanted.
public struct ClippedUpdate<Real: KernelReal>: Sendable {
  public var optimizer: any Optimizer<Real>
  public let clipping: GradientClipping
  /// What follows the weights after each update.
  public var average: WeightAverage<Real>?

  /// An optimiser that gets clipped gradients.
  public init(_ optimizer: any Optimizer<Real>, clipping: GradientClipping, average: WeightAverage<Real>? = nil) {
    self.optimizer = optimizer
    self.clipping = clipping
    self.average = average
  }

  /// Clips `gradients` in place, updates `parameters`, and lets the average follow.
  ///
  /// - Parameter norm: The gradients' norm, as the caller has measured it. It is finite: what is not would stay in the
  ///   moments for ever, so ``StabilityGuard`` stands before.
  /// - Returns: Whether clipping changed the gradients.
  @discardableResult
  public mutating func apply(
    _ gradients: inout ParameterSet<Real>, measured norm: Double, to parameters: inout ParameterSet<Real>,
    learningRate: Double, on workers: Workers = Workers(threads: 1)
  ) -> Bool {
    precondition(norm.isFinite, "an update wants a finite gradient, not one of norm \(norm)")
    let isClipped = clipping.apply(to: &gradients, measured: norm)
    optimizer.update(&parameters, gradients: gradients, learningRate: learningRate, on: workers)
    average?.follow(parameters, on: workers)
    return isClipped
  }
}
