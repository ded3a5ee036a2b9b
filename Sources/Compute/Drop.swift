import CKernels

/// Which elements of a vector are dropped: those whose 16 bits of a random stream are below a threshold. What stays is
/// multiplied by 1 / (1 − p), so that the expected value stays ("inverted" dropout; Srivastava et al. 2014, §10).
///
/// A function of the stream alone: it can be applied again, to a weight and to its gradient, and is never stored.
public struct Drop: Sendable {
  /// The probability in 65,536ths, and so what it really is: `threshold` / 65,536.
  let threshold: UInt32
  let stream: CKernelsStream

  /// - Parameters:
  ///   - probability: p, in [0, 1); rounded to 65,536ths, at most 65,535 of them.
  ///   - random: A stream of which nothing has been drawn.
  public init(probability: Double, _ random: CounterRandom) {
    precondition((0..<1).contains(probability), "elements are dropped with a probability in [0, 1), not \(probability)")
    threshold = min(65_535, UInt32((probability * 65_536).rounded()))
    stream = CKernelsStream(
      key0: random.key.0, key1: random.key.1, counter1: random.counter.1, counter2: random.counter.2,
      counter3: random.counter.3)
  }

  /// 1 / (1 − p), with p as it was rounded.
  public var factor: Double { 65_536 / Double(65_536 - threshold) }
}

private func requireRepeats(_ count: Int, _ factors: Int) {
  precondition(factors > 0 && count % factors == 0, "\(factors) factors for \(count) elements")
}

private func requireRowFactors(_ rows: Int, _ factors: Int, _ symbols: Rows<Int32>?) {
  precondition(
    rows == symbols?.count ?? factors, "\(factors) factors and \(symbols?.count ?? 0) symbols for \(rows) rows")
}

extension Double {
  public static func drop(_ drop: Drop, from a: Rows<Double>) {
    withUnsafePointer(to: drop.stream) { ckernels_drop_f64(a.count, $0, drop.threshold, drop.factor, a.pointer) }
  }

  public static func multiply(_ a: Rows<Double>, by factors: Rows<Double>) {
    requireRepeats(a.count, factors.count)
    ckernels_multiply_f64(a.count / factors.count, factors.count, factors.pointer, a.pointer)
  }

  public static func scaleRows(_ a: Rows<Double>, by factors: Rows<Double>, of symbols: Rows<Int32>?) {
    requireRowFactors(a.rows, factors.count, symbols)
    ckernels_scale_rows_f64(a.rows, a.columns, factors.pointer, symbols?.pointer, a.pointer)
  }
}

extension Float {
  public static func drop(_ drop: Drop, from a: Rows<Float>) {
    withUnsafePointer(to: drop.stream) { ckernels_drop_f32(a.count, $0, drop.threshold, Float(drop.factor), a.pointer) }
  }

  public static func multiply(_ a: Rows<Float>, by factors: Rows<Float>) {
    requireRepeats(a.count, factors.count)
    ckernels_multiply_f32(a.count / factors.count, factors.count, factors.pointer, a.pointer)
  }

  public static func scaleRows(_ a: Rows<Float>, by factors: Rows<Float>, of symbols: Rows<Int32>?) {
    requireRowFactors(a.rows, factors.count, symbols)
    ckernels_scale_rows_f32(a.rows, a.columns, factors.pointer, symbols?.pointer, a.pointer)
  }
}
