/// Optimization: clipping and the updates of parameters by their gradients.

import Compute

extension ParameterSet {
  /// The Euclidean norm of all tensors together; not finite exactly where an element is not.
  public var norm: Double { Real.sumOfSquares(flat).squareRoot() }

  /// Scales all tensors by one factor so that their common norm is at most `maximum` (Pascanu et al. 2013, §3.2): the
  /// direction stays.
  ///
  /// - Parameter norm: ``norm``, as the caller has measured it.
  /// - Returns: Whether the norm was above the maximum.
  @discardableResult
  public mutating func clip(toNorm maximum: Double, measured norm: Double) -> Bool {
    precondition(maximum > 0, "gradients are clipped to a norm above 0, not \(maximum)")
    guard norm > maximum else { return false }
    Real.scale(writableFlat(), by: Real(maximum / norm))
    return true
  }

  /// Brings every element into ±`maximum` (Goodfellow, Bengio & Courville 2016, §10.11.1): the direction
  /// changes.
  ///
  /// - Returns: Whether an element lay outside.
  @discardableResult
  public mutating func clip(toValue maximum: Double) -> Bool {
    precondition(maximum > 0, "gradients are clipped to values above 0, not \(maximum)")
    return Real.clamp(writableFlat(), to: Real(maximum)) > 0
  }
}
