/// Benchmarking: how fast this machine trains, writes and scores, and how close that is to its best matrix product.

import Compute
import LanguageModeling
import ModelFiles
import Reports

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a benchmark works on: a model with random weights, random symbols.
public struct BenchmarkConfiguration: Sendable {
  /// V, E, H, L; the embedding is as wide as the hidden state.
  public var model: ModelConfiguration
  /// B: lanes of training, texts scored or written at once.
  public var lanes: Int
  /// Steps of a window.
  public var k1: Int
  /// The arithmetic.
  public var precision: Precision
  /// Threads of training.
  public var threads: Int
  /// How long to measure.
  public var seconds: Double
  /// Whether to take the time of each phase, which slows the work down a little.
  public var profiles = false

  public init(model: ModelConfiguration, lanes: Int, k1: Int, precision: Precision, threads: Int, seconds: Double) {
    self.model = model
    self.lanes = lanes
    self.k1 = k1
    self.precision = precision
    self.threads = threads
    self.seconds = seconds
  }

  /// Parts that the time is cut into; the median of their speeds is the result.
  static let repetitions = 5
}

/// The outcome of a benchmark.
public struct BenchmarkResult: Sendable {
  /// `train`, `generate` or `perplexity`.
  public let task: String
  /// What was measured.
  public let configuration: BenchmarkConfiguration
  /// Of each repetition.
  public let symbolsPerSecond: [Double]
  /// Floating-point operations of one symbol, as they are executed: a multiplication and an addition are two.
  public let operationsPerSymbol: Double
  /// The most memory that the work took, in MB: measured before the yardstick takes its own.
  public let megabytes: Int
  /// The best matrix product of this precision and number of threads, in GFLOP/s, measured in the same run.
  public let peak: Double

  /// Where the threads' time went, and how much of it there was, where asked for.
  public let profile: (times: PhaseTimes, threadSeconds: Double)?

  /// Measures `work`, which returns the symbols that it went through, then the yardstick.
  ///
  /// - Parameter times: Where the time went until now.
  init<K: Kernels>(
    task: String, _ configuration: BenchmarkConfiguration, _: K.Type, operationsPerSymbol: Double,
    times: () -> PhaseTimes?, work: () -> Int
  ) {
    self.task = task
    self.configuration = configuration
    self.operationsPerSymbol = operationsPerSymbol
    for _ in 0..<2 { _ = work() }  // products are made and memory is touched
    let (before, start) = (times(), ContinuousClock.now)
    symbolsPerSecond = measure(seconds: configuration.seconds, work)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    profile = before.flatMap { before in times().map { ($0 - before, seconds * Double(configuration.threads)) } }
    megabytes = peakMegabytes()
    peak = MatrixPeak.measure(K.self, threads: configuration.threads)
  }

  /// The median repetition.
  public var median: Double { symbolsPerSecond.sorted()[symbolsPerSecond.count / 2] }
  /// Executed operations a second, in 1e9.
  public var achievedGFLOPs: Double { median * operationsPerSymbol / 1e9 }

  /// Each phase's share of the threads' time, the largest first; what no phase takes is the rest.
  private var shares: [(name: String, share: Double)] {
    guard let profile else { return [] }
    let shares = Phase.allCases.map { ($0.name, profile.times[$0] / profile.threadSeconds) }
    let rest = ("everything else, idle threads included", 1 - profile.times.total / profile.threadSeconds)
    return (shares.filter { $0.1 > 0 } + [rest]).sorted { $0.1 > $1.1 }
  }

  /// One object for programs.
  public var json: JSON {
    let json: JSON = [
      "task": .string(task), "symbols_per_second": JSON(median.rounded()),
      "symbols_per_second_lowest": JSON((symbolsPerSecond.min() ?? 0).rounded()),
      "symbols_per_second_highest": JSON((symbolsPerSecond.max() ?? 0).rounded()),
      "precision": .string(configuration.precision.rawValue), "threads": .integer(configuration.threads),
      "achieved_gflops": JSON(achievedGFLOPs.rounded()), "gemm_peak_gflops": JSON(peak.rounded()),
      "peak_rss_mb": .integer(megabytes),
    ]
    guard profile != nil else { return json }
    return json.adding(.init("phases", .object(shares.map { .init($0.name, JSON($0.share)) })))
  }

  /// A few lines for a person.
  public var text: String {
    let model = configuration.model
    var table = TextTable()
    let spread = "\(grouped(Int(symbolsPerSecond.min() ?? 0))) to \(grouped(Int(symbolsPerSecond.max() ?? 0)))"
    table.add("\(task), symbols per second", grouped(Int(median)), "median of \(symbolsPerSecond.count): \(spread)")
    table.add(
      "GFLOP/s", decimal(achievedGFLOPs, places: 0),
      "\(decimal(100 * achievedGFLOPs / peak, places: 0)) % of the best matrix product's \(decimal(peak, places: 0))")
    table.add("peak memory, MB", "\(megabytes)")
    table.add(
      "model", "\(model.layers) × \(model.hiddenSize)",
      "\(model.cellName), \(model.vocabularySize) symbols; \(configuration.lanes) lanes, k1 \(configuration.k1), "
        + "\(configuration.precision.rawValue), \(configuration.threads) threads")
    for (name, share) in shares { table.add(name, "\(decimal(100 * share, places: 1)) %", "of the threads' time") }
    return table.text
  }
}

/// The most memory that this process has held, in MB.
func peakMegabytes() -> Int {
  var usage = rusage()
  #if os(Linux)
    getrusage(__rusage_who_t(0), &usage)
    return usage.ru_maxrss / 1024
  #else
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss / 1024 / 1024
  #endif
}

/// Repeats `work`, which returns the symbols that it went through, and measures it in parts.
func measure(seconds: Double, _ work: () -> Int) -> [Double] {
  return (0..<BenchmarkConfiguration.repetitions).map { _ in
    let begin = ContinuousClock.now
    var symbols = 0
    var elapsed = 0.0
    repeat {
      symbols += work()
      elapsed = (ContinuousClock.now - begin) / .seconds(1)
    } while elapsed < seconds / Double(BenchmarkConfiguration.repetitions)
    return Double(symbols) / elapsed
  }
}
