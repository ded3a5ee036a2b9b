#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The logarithms of the last values of a series, and how far a further value lies from them.
///
/// Centre and spread are the median and the median absolute deviation (Hampel 1974), which half of the values cannot
/// move, however wild they are.
public struct RecentLogarithms: Sendable, Equatable {
  /// Values that are remembered.
  static let capacity = 100
  /// Fewer are no measure.
  static let fewest = 32
  /// The least standard deviation that is believed, in units of ln: a calm series does not make a small bump wild.
  static let leastDeviation = 0.25

  /// The logarithms, and the place of the next one. With the constants it is all that is remembered.
  public private(set) var values: [Double] = []
  public private(set) var next = 0

  init() {}

  /// Goes on from what was remembered; nil where that cannot be.
  public init?(values: [Double], next: Int) {
    let isWhole = values.count == Self.capacity ? (0..<Self.capacity).contains(next) : next == values.count
    guard isWhole, values.count <= Self.capacity, values.allSatisfy(\.isFinite) else { return nil }
    (self.values, self.next) = (values, next)
  }

  /// Remembers a finite value of at least 0, in the place of the oldest where there are enough.
  mutating func add(_ value: Double) {
    let logarithm = Self.logarithm(value)
    if values.count < Self.capacity { values.append(logarithm) } else { values[next] = logarithm }
    next = (next + 1) % Self.capacity
  }

  /// How many robust standard deviations a value lies above the median, in logarithms; nil as long as there are too few.
  func score(_ value: Double) -> Double? {
    guard values.count >= Self.fewest else { return nil }
    let centre = Self.median(values)
    // 1.4826 makes the median absolute deviation of Gaussian noise its standard deviation.
    let deviation = 1.4826 * Self.median(values.map { abs($0 - centre) })
    return (Self.logarithm(value) - centre) / max(deviation, Self.leastDeviation)
  }

  static func logarithm(_ value: Double) -> Double { log(max(value, .leastNormalMagnitude)) }

  /// Whether a value lies more than so many robust standard deviations above the median, and above twice the largest:
  /// of a series that jumps to and fro, the median and its deviation may know one side only.
  func areFarBelow(_ value: Double, deviations: Double) -> Bool {
    guard let largest = values.max(), Self.logarithm(value) > largest + Self.logarithm(2) else { return false }
    return score(value) ?? 0 > deviations
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}
