import Compute
import Evaluation
import Foundation
import TestSupport
import Testing

@Suite struct BlockBootstrapTests {
  /// xₜ = φ·xₜ₋₁ + noise, from its stationary distribution; the mean is 0.
  private func autoregression(_ count: Int, _ factor: Double, seed: UInt64) -> [Double] {
    var value = 0.0
    return (-200..<count).compactMap { place in
      var random = CounterRandom(seed: seed, purpose: .corpus, step: place + 200)
      // Box & Muller.
      let noise = (-2 * log(1 - random.uniform())).squareRoot() * cos(2 * .pi * random.uniform())
      value = factor * value + noise
      return place < 0 ? nil : value
    }
  }

  /// - Parameter capacity: Of the series, beyond which neighbours are averaged.
  private func coverage(_ factor: Double, count: Int, series: Int, capacity: Int = 1 << 14) -> Double {
    let hits = (0..<series).count { seed in
      var condensed = CondensedSeries(capacity: capacity)
      for value in autoregression(count, factor, seed: UInt64(seed)) { condensed.add(value) }
      return BlockBootstrap(meanOf: condensed.values, resamples: 1000, seed: UInt64(seed)).interval.contains(0)
    }
    return Double(hits) / Double(series)
  }

  @Test(arguments: [0.0, 0.5])
  func theTrueMeanIsInside(_ factor: Double) {
    // 150 series: four standard deviations of a share of 0.95 are 0.07.
    #expect(coverage(factor, count: 1000, series: 150) > 0.88)
    #expect(coverage(factor, count: 4000, series: 150, capacity: 1 << 10) > 0.88)
  }

  /// Neighbours averaged, 4 of them here, tell as well how sure the mean is, where as many are left as a report keeps.
  @Test(.enabled(if: runsLongTests), arguments: [0.0, 0.3, 0.6, 0.8])
  func coverageOfAveragedNeighbours(_ factor: Double) {
    let share = coverage(factor, count: 65_000, series: 1000)
    #expect((0.93...0.97).contains(share), "\(share) at \(factor)")
  }

  @Test(.enabled(if: runsLongTests), arguments: [0.0, 0.3, 0.6, 0.8])
  func coverageOfAnAutoregression(_ factor: Double) {
    let share = coverage(factor, count: 10_000, series: 1000)
    #expect((0.93...0.97).contains(share), "\(share) at \(factor)")
  }

  /// The standard error of the mean of such a series is 1 / ((1 − φ)·√n).
  @Test(arguments: [0.0, 0.5, 0.8])
  func standardErrorKnowsOfDependence(_ factor: Double) {
    let count = 20_000
    let errors = (0..<5).map {
      BlockBootstrap(meanOf: autoregression(count, factor, seed: UInt64($0)), resamples: 1000).standardError
    }
    let expected = 1 / ((1 - factor) * Double(count).squareRoot())
    let mean = errors.reduce(0, +) / 5
    #expect(abs(mean / expected - 1) < 0.12, "\(mean) and \(expected)")
  }

  @Test func blocksGrowWithDependence() {
    let lengths = [0.0, 0.5, 0.9].map { BlockBootstrap.blockLength(of: autoregression(5000, $0, seed: 1)) }
    #expect(lengths[0] <= 3 && lengths[1] > lengths[0] && lengths[2] > lengths[1] && lengths[2] < 213)
  }

  @Test func sameSeedSameInterval() {
    let series = autoregression(500, 0.5, seed: 8)
    let (first, second, other) = (
      BlockBootstrap(meanOf: series, seed: 1), BlockBootstrap(meanOf: series, seed: 1),
      BlockBootstrap(meanOf: series, seed: 2)
    )
    #expect(first.interval == second.interval && first.interval != other.interval)
  }

  @Test(arguments: [[1, 1], [3, 3, 3, 3, 3], [1, 2]])
  func smallSeries(_ series: [Double]) {
    let bootstrap = BlockBootstrap(meanOf: series)
    #expect(bootstrap.interval.lowerBound >= series[0] && bootstrap.interval.upperBound <= series[series.count - 1])
    #expect(bootstrap.blockLength == 1)
  }

  @Test func condensingKeepsTheMean() {
    var series = CondensedSeries(capacity: 8)
    for value in 0..<64 { series.add(Double(value)) }
    #expect(series.width == 16 && series.values == [7.5, 23.5, 39.5, 55.5])
    series.add(1)
    #expect(series.values.count == 4)
  }

  /// Independent values: 95 % of a normal distribution lie within 1.96 standard deviations.
  @Test func theIntervalHoldsNineteenOfTwenty() {
    let series = autoregression(3000, 0, seed: 3)
    let bootstrap = BlockBootstrap(meanOf: series, resamples: 20_000)
    let mean = series.reduce(0, +) / Double(series.count)
    let below = (mean - bootstrap.interval.lowerBound) / bootstrap.standardError
    let above = (bootstrap.interval.upperBound - mean) / bootstrap.standardError
    #expect(abs(below - 1.96) < 0.12 && abs(above - 1.96) < 0.12, "\(below) and \(above)")
  }

  /// Blocks run on from the end to the beginning, so it does not matter where a series begins.
  @Test func everyPlaceCountsTheSame() {
    let series = [Double](repeating: 0, count: 280) + [Double](repeating: 1, count: 20)
    let (atEnd, inside) = (
      BlockBootstrap(meanOf: series, resamples: 20_000),
      BlockBootstrap(meanOf: Array(series[140...] + series[..<140]), resamples: 20_000)
    )
    #expect(atEnd.blockLength >= 10 && abs(atEnd.blockLength - inside.blockLength) <= 2)
    let bound = 0.2 * inside.standardError
    #expect(abs(atEnd.interval.lowerBound - inside.interval.lowerBound) < bound)
    #expect(abs(atEnd.interval.upperBound - inside.interval.upperBound) < bound)
  }

  /// For φ: (3⁄2 (2φ / (1 − φ²))² n)^⅓ (Politis & White 2004, with D = 4⁄3 g(0)²).
  @Test(arguments: [0.3, 0.5, 0.7])
  func blocksHaveTheBestLength(_ factor: Double) {
    let count = 10_000
    let lengths = (0..<9).map { BlockBootstrap.blockLength(of: autoregression(count, factor, seed: UInt64($0))) }
    let slope = 2 * factor / (1 - factor * factor)
    let best = cbrt(1.5 * slope * slope * Double(count))
    let mean = Double(lengths.reduce(0, +)) / 9
    #expect(abs(mean / best - 1) < 0.25, "\(mean) and \(best)")
  }
}
