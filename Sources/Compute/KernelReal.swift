import CKernels

/// A type of weights: what clipping and optimisers do with vectors of it. Vectors are matrices of any shape here.
public protocol KernelReal: BinaryFloatingPoint & BitwiseCopyable & Sendable {
  /// Σ a², summed in Double in a fixed order; infinite or NaN exactly where an element is not finite.
  static func sumOfSquares(_ a: Rows<Self>) -> Double
  /// `a *= factor`.
  static func scale(_ a: Rows<Self>, by factor: Self)
  /// Brings every element into ±`bound`. Returns how many lay outside; NaN stays.
  static func clamp(_ a: Rows<Self>, to bound: Self) -> Int
  /// The elements in Double.
  static func doubles(_ a: Rows<Self>) -> [Double]
  /// The elements in single precision.
  static func floats(_ a: Rows<Self>) -> [Float]
  /// Overwrites `rows` with `values`, rounded.
  static func copy(_ values: [Double], to rows: Rows<Self>)
  /// `to += a`.
  static func add(_ a: Rows<Self>, to sum: Rows<Self>)
  /// `a += share·(target − a)`.
  static func move(_ a: Rows<Self>, toward target: Rows<Self>, share: Double)
  /// Sets dropped elements to zero and multiplies the others by 1 / (1 − p).
  static func drop(_ drop: Drop, from a: Rows<Self>)
  /// `a [T·B, N] ⊙= factors [B, N]`, the same at every step.
  static func multiply(_ a: Rows<Self>, by factors: Rows<Self>)
  /// Multiplies each row by a factor of its own: `factors[symbols[r]]`, or `factors[r]` where there are no symbols.
  static func scaleRows(_ a: Rows<Self>, by factors: Rows<Self>, of symbols: Rows<Int32>?)
  /// One Adam step on `weights`; see ``AdamStep``.
  static func adam(
    _ step: AdamStep, gradient: Rows<Self>, firstMoment: Rows<Self>, secondMoment: Rows<Self>, weights: Rows<Self>)
  /// `w ← w − rate·g`, where `g` is `gradient + penalty·w` here and below.
  static func sgd(rate: Double, penalty: Double, gradient: Rows<Self>, weights: Rows<Self>)
  /// `b ← momentum·b + g`, `w ← w − rate·b`, or with Nesterov `w ← w − rate·(g + momentum·b)`.
  static func momentum(
    rate: Double, penalty: Double, momentum: Double, isNesterov: Bool, gradient: Rows<Self>, buffer: Rows<Self>,
    weights: Rows<Self>)
  /// One RMSprop step on `weights`; see ``RMSpropStep``.
  static func rmsprop(
    _ step: RMSpropStep, gradient: Rows<Self>, squares: Rows<Self>, buffer: Rows<Self>, weights: Rows<Self>)
  /// `s ← s + g²`, `w ← w − rate·g / (√s + ε)`.
  static func adagrad(
    rate: Double, penalty: Double, epsilon: Double, gradient: Rows<Self>, sum: Rows<Self>, weights: Rows<Self>)
  /// `sums += a²`.
  static func addSquares(_ a: Rows<Self>, to sums: Rows<Self>)
  /// Σ √(factor·a), summed in Double in a fixed order.
  static func sumOfRoots(_ a: Rows<Self>, times factor: Double) -> Double
  /// `w ← w − rate·g + pull·(base − w)`.
  static func pulledSGD(rate: Double, pull: Double, gradient: Rows<Self>, base: Rows<Self>, weights: Rows<Self>)
  /// One step of dynamic evaluation on `weights`; see ``PulledStep``.
  static func pulledRMS(
    _ step: PulledStep, gradient: Rows<Self>, squares: Rows<Self>, base: Rows<Self>, weights: Rows<Self>)
}

/// The numbers of one Adam step: `g ← gradient + penalty·w`, `m ← β₁m + (1−β₁)g`, `v ← β₂v + (1−β₂)g²`,
/// `w ← decay·w − rate·m / (√v + ε)`, the bias corrections already in `rate` and `epsilon`.
public struct AdamStep: Sendable {
  public var beta1, beta2, rate, epsilon, decay, penalty: Double

  public init(beta1: Double, beta2: Double, rate: Double, epsilon: Double, decay: Double, penalty: Double = 0) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.rate = rate
    self.epsilon = epsilon
    self.decay = decay
    self.penalty = penalty
  }
}

/// The numbers of one RMSprop step: `g ← gradient + penalty·w`, `v ← αv + (1−α)g²`, `b ← momentum·b + g / (√v + ε)`,
/// `w ← w − rate·b`.
public struct RMSpropStep: Sendable {
  public var rate, penalty, alpha, epsilon, momentum: Double

  public init(rate: Double, penalty: Double, alpha: Double, epsilon: Double, momentum: Double) {
    self.rate = rate
    self.penalty = penalty
    self.alpha = alpha
    self.epsilon = epsilon
    self.momentum = momentum
  }
}

extension KernelReal {
  /// Sets every element to one value.
  public static func fill(_ a: Rows<Self>, with value: Self) { a.pointer.update(repeating: value, count: a.count) }
}

func requireEqualCounts(_ counts: Int...) {
  precondition(counts.allSatisfy { $0 == counts[0] }, "vectors of different lengths: \(counts)")
}

extension Double: KernelReal {
  public static func doubles(_ a: Rows<Double>) -> [Double] { a.elements }
  public static func floats(_ a: Rows<Double>) -> [Float] { a.elements.map { Float($0) } }
  public static func copy(_ values: [Double], to rows: Rows<Double>) { rows.copy(from: values) }
  public static func sumOfSquares(_ a: Rows<Double>) -> Double { ckernels_sum_of_squares_f64(a.count, a.pointer) }
  public static func scale(_ a: Rows<Double>, by factor: Double) { ckernels_scale_f64(a.count, factor, a.pointer) }
  public static func clamp(_ a: Rows<Double>, to bound: Double) -> Int { ckernels_clamp_f64(a.count, bound, a.pointer) }
  public static func add(_ a: Rows<Double>, to sum: Rows<Double>) {
    requireEqualCounts(a.count, sum.count)
    ckernels_add_f64(a.count, a.pointer, sum.pointer)
  }
  public static func adam(
    _ step: AdamStep, gradient: Rows<Double>, firstMoment: Rows<Double>, secondMoment: Rows<Double>,
    weights: Rows<Double>
  ) {
    requireEqualCounts(weights.count, gradient.count, firstMoment.count, secondMoment.count)
    ckernels_adam_f64(
      weights.count, step.beta1, 1 - step.beta1, step.beta2, 1 - step.beta2, step.rate, step.epsilon, step.decay,
      step.penalty, gradient.pointer, firstMoment.pointer, secondMoment.pointer, weights.pointer)
  }
}

extension Float: KernelReal {
  public static func doubles(_ a: Rows<Float>) -> [Double] {
    // A plain loop over memory, which vectorises.
    let (count, source) = (a.count, a.pointer)
    return [Double](unsafeUninitializedCapacity: count) { target, filled in
      for place in 0..<count { target[place] = Double(source[place]) }
      filled = count
    }
  }
  public static func floats(_ a: Rows<Float>) -> [Float] { a.elements }
  public static func copy(_ values: [Double], to rows: Rows<Float>) { rows.copy(from: values.map { Float($0) }) }
  public static func sumOfSquares(_ a: Rows<Float>) -> Double { ckernels_sum_of_squares_f32(a.count, a.pointer) }
  public static func scale(_ a: Rows<Float>, by factor: Float) { ckernels_scale_f32(a.count, factor, a.pointer) }
  public static func clamp(_ a: Rows<Float>, to bound: Float) -> Int { ckernels_clamp_f32(a.count, bound, a.pointer) }
  public static func add(_ a: Rows<Float>, to sum: Rows<Float>) {
    requireEqualCounts(a.count, sum.count)
    ckernels_add_f32(a.count, a.pointer, sum.pointer)
  }
  public static func adam(
    _ step: AdamStep, gradient: Rows<Float>, firstMoment: Rows<Float>, secondMoment: Rows<Float>, weights: Rows<Float>
  ) {
    requireEqualCounts(weights.count, gradient.count, firstMoment.count, secondMoment.count)
    ckernels_adam_f32(
      weights.count, Float(step.beta1), Float(1 - step.beta1), Float(step.beta2), Float(1 - step.beta2),
      Float(step.rate), Float(step.epsilon), Float(step.decay), Float(step.penalty), gradient.pointer,
      firstMoment.pointer, secondMoment.pointer, weights.pointer)
  }
}
