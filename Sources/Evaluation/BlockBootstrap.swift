import Compute

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How sure a mean is where neighbouring values depend on each other: the block bootstrap (Künsch 1989), with blocks that
/// run on from the end to the beginning (Politis & Romano 1992) and a length chosen from the values' autocorrelation
/// (Politis & White 2004, corrected by Patton, Politis & White 2009).
public struct BlockBootstrap: Sendable {
  /// Values of a block.
  public let blockLength: Int
  /// The standard deviation of the resampled means.
  public let standardError: Double
  /// 95 % of the resampled means lie in it; 2.5 % below and above.
  public let interval: ClosedRange<Double>

  /// Resamples the mean of a series; a function of the series and the seed.
  ///
  /// - Parameters:
  ///   - series: At least two values, in their order.
  ///   - resamples: How many means are drawn.
  public init(meanOf series: [Double], resamples: Int = 2000, seed: UInt64 = 1) {
    precondition(series.count >= 2 && resamples >= 40, "a bootstrap wants two values and 40 resamples")
    let length = Self.blockLength(of: series)
    let means = Self.means(of: series, blockLength: length, resamples: resamples, seed: seed).sorted()
    let mean = means.reduce(0, +) / Double(resamples)
    let squares = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    blockLength = length
    standardError = (squares / Double(resamples - 1)).squareRoot()
    interval = Self.quantile(0.025, of: means)...Self.quantile(0.975, of: means)
  }

  private static func means(of series: [Double], blockLength: Int, resamples: Int, seed: UInt64) -> [Double] {
    let count = series.count
    let center = series.reduce(0, +) / Double(count)
    // Sums from the beginning, of the series and its first block once more; centred, so that nothing cancels.
    var sums = [0.0]
    sums.reserveCapacity(count + blockLength + 1)
    for place in 0..<count + blockLength { sums.append(sums[place] + series[place % count] - center) }
    return (0..<resamples).map { resample in
      var random = CounterRandom(seed: seed, purpose: .bootstrap, step: resample)
      var (sum, left) = (0.0, count)
      while left > 0 {
        let start = min(count - 1, Int(random.uniform() * Double(count)))
        let length = min(left, blockLength)
        sum += sums[start + length] - sums[start]
        left -= length
      }
      return center + sum / Double(count)
    }
  }

  private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }

  // MARK: Block length

  /// The length that makes the variance of the mean best known, for the circular block bootstrap.
  package static func blockLength(of series: [Double]) -> Int {
    let count = Double(series.count)
    let largest = max(1, Int(min(3 * count.squareRoot(), count / 3).rounded(.up)))
    let covariances = significantCovariances(of: series)
    guard covariances.count > 1, covariances[0] > 0 else { return 1 }
    let lags = covariances.count - 1
    var (spectrum, slope) = (covariances[0], 0.0)
    for lag in 1...lags {
      // The flat-top kernel: 1 up to half the lags, then down to 0.
      let place = Double(lag) / Double(lags)
      let weight = place <= 0.5 ? 1 : 2 * (1 - place)
      spectrum += 2 * weight * covariances[lag]
      slope += 2 * weight * Double(lag) * covariances[lag]
    }
    guard spectrum > 0 else { return largest }
    // (2 Ĝ² / D̂)^⅓ n^⅓ with D̂ = 4⁄3 ĝ(0)².
    let length = cbrt(1.5 * slope * slope / (spectrum * spectrum) * count)
    return min(largest, max(1, Int(length.rounded(.up))))
  }

  /// Covariances at the lags 0 … 2m, m the last lag after which several in a row are no longer to be told from 0.
  private static func significantCovariances(of series: [Double]) -> [Double] {
    let count = series.count
    let logarithm = log10(Double(count))
    let inARow = max(5, Int(logarithm.squareRoot()))
    let bound = 2 * (logarithm / Double(count)).squareRoot()
    let largest = min(count - 1, Int(Double(count).squareRoot().rounded(.up)) + inARow)
    let mean = series.reduce(0, +) / Double(count)
    let centred = series.map { $0 - mean }
    func covariance(_ lag: Int) -> Double {
      var sum = 0.0
      for place in 0..<count - lag { sum += centred[place] * centred[place + lag] }
      return sum / Double(count)
    }
    var covariances = [covariance(0)]
    var (last, lag) = (0, 1)
    while lag <= largest, lag - last <= inARow {
      covariances.append(covariance(lag))
      if abs(covariances[lag]) > bound * covariances[0] { last = lag }
      lag += 1
    }
    let wanted = min(2 * last, largest)
    while covariances.count <= wanted { covariances.append(covariance(covariances.count)) }
    return Array(covariances.prefix(wanted + 1))
  }
}

/// A series of any length in bounded memory: beyond a capacity, neighbours are averaged, again and again.
public struct CondensedSeries: Sendable {
  /// Means of ``width`` neighbours each, in order.
  public private(set) var values: [Double] = []
  /// How many values stand behind each.
  public private(set) var width = 1
  private var sum = 0.0
  private var pending = 0
  private let capacity: Int

  /// A series without values.
  public init(capacity: Int = 1 << 18) {
    precondition(capacity >= 2 && capacity % 2 == 0, "a condensed series wants an even capacity")
    self.capacity = capacity
  }

  /// Adds a value at the end.
  public mutating func add(_ value: Double) {
    sum += value
    pending += 1
    guard pending == width else { return }
    values.append(sum / Double(width))
    (sum, pending) = (0, 0)
    guard values.count == capacity else { return }
    values = stride(from: 0, to: capacity, by: 2).map { (values[$0] + values[$0 + 1]) / 2 }
    width *= 2
  }
}
