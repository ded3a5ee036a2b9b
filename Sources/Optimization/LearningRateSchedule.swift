#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The learning rate as a function of how far a run is: of the updates made and the updates planned, and of nothing else.
///
/// A warm-up of w updates rises linearly: update k, 0 being the first, has (k+1)/w of the peak. What follows is a function
/// of q, the share of the other updates that are made.
public struct LearningRateSchedule: Sendable, Equatable {
  /// The shapes by name.
  public enum Shape: String, Sendable, CaseIterable {
    /// The peak.
    case constant
    /// From the peak to the final rate in a line.
    case linear
    /// From the peak to the final rate in half a cosine (Loshchilov & Hutter 2017, eq. 5, without restarts).
    case cosine
    /// The peak times the decay factor for every ``LearningRateSchedule/decayEvery`` that are past.
    case step
    /// The peak times the decay factor whenever validations cease to improve (``PlateauDecay``).
    case plateau
    /// From a 25th of the peak up to it, and down to the final rate, both in half a cosine (Smith 2018, as PyTorch's
    /// OneCycleLR; the momentum stays). The warm-up is the way up.
    case oneCycle = "one-cycle"
  }

  /// A number of updates, or a share of those planned.
  public enum Extent: Sendable, Equatable {
    case updates(Int)
    case share(Double)

    /// Not rounded.
    func updates(of planned: Int) -> Double {
      switch self {
      case .updates(let count): Double(count)
      case .share(let share): share * Double(planned)
      }
    }
  }

  public var shape: Shape
  /// The rate at the end of the warm-up, the highest.
  public var peak: Double
  /// The lowest rate after the warm-up; nil for 0, and of one cycle a 250,000th of the peak.
  public var final: Double?
  /// Nil for none, and of one cycle for 30 %.
  public var warmUp: Extent?
  /// What each step decay and each plateau multiplies the rate by.
  public var decayFactor: Double
  /// The length of the steps of step decay.
  public var decayEvery: Extent

  public init(
    _ shape: Shape = .constant, peak: Double, final: Double? = nil, warmUp: Extent? = nil, decayFactor: Double = 0.5,
    decayEvery: Extent = .share(0.2)
  ) {
    precondition(peak > 0 && final ?? 0 >= 0, "a learning rate is above 0, not \(peak)")
    self.shape = shape
    self.peak = peak
    self.final = final
    self.warmUp = warmUp
    self.decayFactor = decayFactor
    self.decayEvery = decayEvery
  }

  /// The rate of the next update.
  ///
  /// - Parameters:
  ///   - step: Updates made, those that were left out included.
  ///   - planned: Updates of the whole run, at least 1. After them the rate stays what it was in the end.
  ///   - plateaus: How often validations have ceased to improve.
  public func rate(step: Int, of planned: Int, plateaus: Int = 0) -> Double {
    precondition(planned >= 1 && step >= 0, "update \(step) of \(planned)")
    if shape == .oneCycle { return oneCycle(step: min(step, planned - 1), of: planned) }
    let rise = min(Int((warmUp?.updates(of: planned) ?? 0).rounded()), planned)
    guard step >= rise else { return peak * Double(step + 1) / Double(rise) }
    let share = min(1, Double(step - rise) / Double(max(planned - rise, 1)))
    let floor = min(final ?? 0, peak)
    switch shape {
    case .constant, .oneCycle: return peak
    case .linear: return peak + (floor - peak) * share
    case .cosine: return Self.cosine(from: peak, to: floor, share)
    case .step:
      return max(
        floor, peak * power(decayFactor, (step - rise) / max(Int(decayEvery.updates(of: planned).rounded()), 1)))
    case .plateau: return max(floor, peak * power(decayFactor, plateaus))
    }
  }

  private func oneCycle(step: Int, of planned: Int) -> Double {
    let top = (warmUp ?? .share(0.3)).updates(of: planned) - 1
    let (start, last) = (peak / 25, Double(planned - 1))
    let end = final ?? start / 1e4
    if Double(step) <= top { return Self.cosine(from: start, to: peak, top > 0 ? Double(step) / top : 1) }
    return Self.cosine(from: peak, to: end, last > top ? (Double(step) - top) / (last - top) : 1)
  }

  private static func cosine(from first: Double, to last: Double, _ share: Double) -> Double {
    last + (first - last) * (1 + cos(Double.pi * share)) / 2
  }
}
