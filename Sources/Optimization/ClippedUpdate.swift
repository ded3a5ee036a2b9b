import Compute

/// An optimiser behind a gate: gradients are clipped, and what is not finite never reaches weights or moments.
public struct ClippedUpdate<Real: KernelReal>: Sendable {
  public private(set) var optimizer: Adam<Real>
  /// The largest gradient norm.
  public let maximumNorm: Double

  public init(_ optimizer: Adam<Real>, maximumNorm: Double) {
    self.optimizer = optimizer
    self.maximumNorm = maximumNorm
  }

  /// Clips `gradients` in place and updates `parameters`, unless the loss or the gradient is not finite.
  ///
  /// - Returns: The norm before clipping, and whether the update was made.
  public mutating func apply(
    loss: Double, gradients: inout ParameterSet<Real>, to parameters: inout ParameterSet<Real>, learningRate: Double
  ) -> (norm: Double, isMade: Bool) {
    let norm = gradients.norm
    guard loss.isFinite, norm.isFinite else { return (norm, false) }
    gradients.clip(toNorm: maximumNorm, measured: norm)
    optimizer.update(&parameters, gradients: gradients, learningRate: learningRate)
    return (norm, true)
  }
}
