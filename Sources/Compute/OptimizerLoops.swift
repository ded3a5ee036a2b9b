import CKernels

extension Double {
  public static func move(_ a: Rows<Double>, toward target: Rows<Double>, share: Double) {
    requireEqualCounts(a.count, target.count)
    ckernels_approach_f64(a.count, share, target.pointer, a.pointer)
  }

  public static func sgd(rate: Double, penalty: Double, gradient: Rows<Double>, weights: Rows<Double>) {
    requireEqualCounts(weights.count, gradient.count)
    ckernels_sgd_f64(weights.count, rate, penalty, gradient.pointer, weights.pointer)
  }

  public static func momentum(
    rate: Double, penalty: Double, momentum: Double, isNesterov: Bool, gradient: Rows<Double>, buffer: Rows<Double>,
    weights: Rows<Double>
  ) {
    requireEqualCounts(weights.count, gradient.count, buffer.count)
    ckernels_momentum_f64(
      weights.count, rate, penalty, momentum, isNesterov ? 1 : 0, isNesterov ? momentum : 1,
      gradient.pointer, buffer.pointer, weights.pointer)
  }

  public static func rmsprop(
    _ step: RMSpropStep, gradient: Rows<Double>, squares: Rows<Double>, buffer: Rows<Double>, weights: Rows<Double>
  ) {
    requireEqualCounts(weights.count, gradient.count, squares.count, buffer.count)
    ckernels_rmsprop_f64(
      weights.count, step.rate, step.penalty, step.alpha, 1 - step.alpha, step.epsilon,
      step.momentum, gradient.pointer, squares.pointer, buffer.pointer, weights.pointer)
  }

  public static func adagrad(
    rate: Double, penalty: Double, epsilon: Double, gradient: Rows<Double>, sum: Rows<Double>, weights: Rows<Double>
  ) {
    requireEqualCounts(weights.count, gradient.count, sum.count)
    ckernels_adagrad_f64(
      weights.count, rate, penalty, epsilon, gradient.pointer, sum.pointer, weights.pointer)
  }
}

extension Float {
  public static func move(_ a: Rows<Float>, toward target: Rows<Float>, share: Double) {
    requireEqualCounts(a.count, target.count)
    ckernels_approach_f32(a.count, Float(share), target.pointer, a.pointer)
  }

  public static func sgd(rate: Double, penalty: Double, gradient: Rows<Float>, weights: Rows<Float>) {
    requireEqualCounts(weights.count, gradient.count)
    ckernels_sgd_f32(weights.count, Float(rate), Float(penalty), gradient.pointer, weights.pointer)
  }

  public static func momentum(
    rate: Double, penalty: Double, momentum: Double, isNesterov: Bool, gradient: Rows<Float>, buffer: Rows<Float>,
    weights: Rows<Float>
  ) {
    requireEqualCounts(weights.count, gradient.count, buffer.count)
    ckernels_momentum_f32(
      weights.count, Float(rate), Float(penalty), Float(momentum), isNesterov ? 1 : 0, isNesterov ? Float(momentum) : 1,
      gradient.pointer, buffer.pointer, weights.pointer)
  }

  public static func rmsprop(
    _ step: RMSpropStep, gradient: Rows<Float>, squares: Rows<Float>, buffer: Rows<Float>, weights: Rows<Float>
  ) {
    requireEqualCounts(weights.count, gradient.count, squares.count, buffer.count)
    ckernels_rmsprop_f32(
      weights.count, Float(step.rate), Float(step.penalty), Float(step.alpha), Float(1 - step.alpha),
      Float(step.epsilon),
      Float(step.momentum), gradient.pointer, squares.pointer, buffer.pointer, weights.pointer)
  }

  public static func adagrad(
    rate: Double, penalty: Double, epsilon: Double, gradient: Rows<Float>, sum: Rows<Float>, weights: Rows<Float>
  ) {
    requireEqualCounts(weights.count, gradient.count, sum.count)
    ckernels_adagrad_f32(
      weights.count, Float(rate), Float(penalty), Float(epsilon), gradient.pointer, sum.pointer, weights.pointer)
  }
}
