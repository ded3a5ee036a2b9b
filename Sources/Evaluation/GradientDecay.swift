#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What becomes of a gradient on its way back.
public enum GradientVerdict: String, Sendable, CaseIterable {
  case vanishing, stable, exploding

  /// A gradient that halves within fewer steps vanishes, one that doubles within fewer explodes: with windows of twenty
  /// steps and more, which training commonly uses, it changes by more than that between a window's ends.
  public static let stepsOfStable = 20.0

  /// 2^(1/20) = 1.035; the smallest stable decay is its inverse, 0.966.
  public static var largestStableDecay: Double { exp2(1 / stepsOfStable) }

  /// The verdict on a factor per step.
  public init(decay: Double) {
    let limit = Self.largestStableDecay
    self = decay > limit ? .exploding : decay < 1 / limit ? .vanishing : .stable
  }
}

/// The norm of a gradient by lag, and the geometric law nearest to it.
public struct GradientDecay: Sendable, Equatable {
  /// Mean norms, lag 0 first.
  public let normByLag: [Double]
  /// The lags that the law was fitted to.
  public let fittedLags: ClosedRange<Int>?
  /// The factor per step: e to the slope of the least-squares line through the logarithms of the norms. 0 where the
  /// gradient ends at once, infinite where it overflows at once.
  public let decay: Double
  /// The same of the later half of the lags alone: a model that has learnt to hold something for long first loses what
  /// it does not hold.
  public let lateDecay: Double

  /// Norms under this have lost digits to underflow on the way.
  static let smallestNorm = 1e-145

  /// Fits lags 1 and up, as far as norms are finite and above underflow. (At lag 0 the loss alone shows, and the cells
  /// of an LSTM have had no part in it.)
  public init(normByLag: [Double]) {
    self.normByLag = normByLag
    let usable = normByLag.indices.dropFirst().prefix { normByLag[$0].isFinite && normByLag[$0] > Self.smallestNorm }
    guard let first = usable.first, let last = usable.last, first < last else {
      fittedLags = nil
      decay = normByLag.dropFirst().allSatisfy(\.isFinite) ? 0 : .infinity
      lateDecay = decay
      return
    }
    fittedLags = first...last
    decay = Self.decay(normByLag, first...last)
    let middle = first + (last - first) / 2
    lateDecay = middle < last ? Self.decay(normByLag, middle...last) : decay
  }

  private static func decay(_ normByLag: [Double], _ lags: ClosedRange<Int>) -> Double {
    let middle = Double(lags.lowerBound + lags.upperBound) / 2
    let (numerator, denominator) = lags.reduce((0.0, 0.0)) { sums, lag in
      let distance = Double(lag) - middle
      return (sums.0 + distance * log(normByLag[lag]), sums.1 + distance * distance)
    }
    return exp(numerator / denominator)
  }

  /// Steps in which the gradient halves; negative where it grows: minus the steps in which it doubles.
  public var halfLife: Double { -log(2) / log(decay) }

  public var verdict: GradientVerdict { GradientVerdict(decay: decay) }
}
