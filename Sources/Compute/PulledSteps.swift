import CKernels

/// The numbers of one step of dynamic evaluation: `w ← w − rate·g / (r + ε) + min(1, pull·r)·(base − w)`, where
/// `r = √(factor·squares)`.
public struct PulledStep: Sendable {
  public var rate, pull, factor, epsilon: Double

  public init(rate: Double, pull: Double, factor: Double, epsilon: Double) {
    self.rate = rate
    self.pull = pull
    self.factor = factor
    self.epsilon = epsilon
  }
}

extension Double {
  public static func addSquares(_ a: Rows<Double>, to sums: Rows<Double>) {
    requireEqualCounts(a.count, sums.count)
    ckernels_add_squares_f64(a.count, a.pointer, sums.pointer)
  }

  public static func sumOfRoots(_ a: Rows<Double>, times factor: Double) -> Double {
    ckernels_sum_of_roots_f64(a.count, factor, a.pointer)
  }

  public static func pulledSGD(
    rate: Double, pull: Double, gradient: Rows<Double>, base: Rows<Double>, weights: Rows<Double>
  ) {
    requireEqualCounts(weights.count, gradient.count, base.count)
    ckernels_pulled_sgd_f64(weights.count, rate, pull, gradient.pointer, base.pointer, weights.pointer)
  }

  public static func pulledRMS(
    _ step: PulledStep, gradient: Rows<Double>, squares: Rows<Double>, base: Rows<Double>, weights: Rows<Double>
  ) {
    requireEqualCounts(weights.count, gradient.count, squares.count, base.count)
    ckernels_pulled_rms_f64(
      weights.count, step.rate, step.pull, step.factor, step.epsilon, gradient.pointer, squares.pointer, base.pointer,
      weights.pointer)
  }
}

extension Float {
  public static func addSquares(_ a: Rows<Float>, to sums: Rows<Float>) {
    requireEqualCounts(a.count, sums.count)
    ckernels_add_squares_f32(a.count, a.pointer, sums.pointer)
  }

  public static func sumOfRoots(_ a: Rows<Float>, times factor: Double) -> Double {
    ckernels_sum_of_roots_f32(a.count, Float(factor), a.pointer)
  }

  public static func pulledSGD(
    rate: Double, pull: Double, gradient: Rows<Float>, base: Rows<Float>, weights: Rows<Float>
  ) {
    requireEqualCounts(weights.count, gradient.count, base.count)
    ckernels_pulled_sgd_f32(weights.count, Float(rate), Float(pull), gradient.pointer, base.pointer, weights.pointer)
  }

  public static func pulledRMS(
    _ step: PulledStep, gradient: Rows<Float>, squares: Rows<Float>, base: Rows<Float>, weights: Rows<Float>
  ) {
    requireEqualCounts(weights.count, gradient.count, squares.count, base.count)
    ckernels_pulled_rms_f32(
      weights.count, Float(step.rate), Float(step.pull), Float(step.factor), Float(step.epsilon), gradient.pointer,
      squares.pointer, base.pointer, weights.pointer)
  }
}
