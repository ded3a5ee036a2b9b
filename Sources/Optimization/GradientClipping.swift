/// Optimization: clipping and the updates of parameters by their gradients.

import Compute

extension ParameterSet {
  /// The Euclidean norm of all tensors together; not finite exactly where an element is not.
  public var norm: Double { Real.sumOfSquares(flat).squareRoot() }

  /// Scales all tensors by one factor so that their common norm is at most `maximum` (Pascanu et al. 2013, §3.2): the
  /// direction stays.
  ///
  /// - Parameter norm: ``norm``, as the caller has measured it.
  public mutating func clip(toNorm maximum: Double, measured norm: Double) {
    precondition(maximum > 0, "gradients are clipped to a norm above 0, not \(maximum)")
    guard norm > maximum else { return }
    Real.scale(writableFlat(), by: Real(maximum / norm))
  }
}
