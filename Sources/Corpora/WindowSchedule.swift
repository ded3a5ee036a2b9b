import Compute

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Which steps of the lanes each window of each epoch has: a function of the seed and the epoch alone, so a run that is
/// taken up again reads the same windows.
///
/// Windows follow one another without a gap, and the last one of an epoch is as short as what is left of the lanes. All
/// have k1 steps, or vary around it: "variable length backpropagation sequences" (Merity et al. 2018, "Regularizing and
/// optimizing LSTM language models", §4.1). Then no place of the text is always the last one of its window.
public struct WindowSchedule: Sendable, Equatable {
  /// n: targets in each lane.
  public let laneLength: Int
  /// N: targets in the stream, those of no lane included.
  public let streamLength: Int
  /// The steps of a window, or what they vary around.
  public let k1: Int
  /// Whether lengths vary.
  public let varies: Bool
  /// Whether each epoch begins at a random place of the stream, and goes on at its beginning when it comes to its end.
  public let hasRandomOffset: Bool
  private let seed: UInt64

  /// How often the length varies around k1 and not around half of it (`p_bptt` in fastai).
  public static let shareOfFullLength = 0.95
  /// The standard deviation of a length, in steps.
  public static let deviation = 5.0
  /// No window but an epoch's last one has fewer steps, where lengths vary.
  public static let shortest = 5
  /// No window has more than so many steps above k1 (`max_len` in fastai): five standard deviations.
  public static let longestAboveK1 = 25
  /// The smallest k1 that lengths can vary around: half of it is not under the shortest.
  public static let smallestVariedK1 = 10

  /// The windows of a reader's lanes.
  public init(
    _ reader: LaneReader, variesLengths: Bool = false, hasRandomOffset: Bool = false, seed: UInt64 = 1
  ) {
    precondition(
      !variesLengths || reader.steps >= Self.smallestVariedK1,
      "lengths vary around at least \(Self.smallestVariedK1) steps, not \(reader.steps)")
    laneLength = reader.laneLength
    streamLength = reader.targetsPerEpoch + reader.leftOut
    k1 = reader.steps
    varies = variesLengths
    self.hasRandomOffset = hasRandomOffset
    self.seed = seed
  }

  /// The most steps that a window can have.
  public var longestWindow: Int { varies ? min(laneLength, k1 + Self.longestAboveK1) : k1 }

  /// Where in the stream an epoch's first lane begins; 0 is the first epoch.
  public func offset(ofEpoch epoch: Int) -> Int {
    guard hasRandomOffset else { return 0 }
    var random = CounterRandom(seed: seed, purpose: .epochOffset, step: epoch)
    return Int(random.uniform() * Double(streamLength))
  }

  /// The steps of an epoch's window, as drawn: an epoch's last one is cut to what is left.
  func length(ofEpoch epoch: Int, window index: Int) -> Int {
    guard varies else { return k1 }
    var random = CounterRandom(seed: seed, purpose: .windowLength, step: epoch, lane: index)
    let mean = Double(k1) * (random.uniform() < Self.shareOfFullLength ? 1 : 0.5)
    // Box & Muller 1958. 1 − u is never 0.
    let radius = (-2 * log(1 - random.uniform())).squareRoot()
    let length = mean + Self.deviation * radius * cos(2 * .pi * random.uniform())
    return min(max(Self.shortest, Int(length.rounded(.down))), k1 + Self.longestAboveK1)
  }

  /// Windows in an epoch: the same number in each, unless lengths vary.
  public func windowCount(ofEpoch epoch: Int) -> Int {
    guard varies else { return (laneLength + k1 - 1) / k1 }
    var (count, steps) = (0, 0)
    while steps < laneLength {
      steps += length(ofEpoch: epoch, window: count)
      count += 1
    }
    return count
  }
}

extension WindowSchedule {
  /// Epochs whose varying windows are counted one by one.
  private static let countedEpochs = 10_000

  /// Windows in the first epochs together; where lengths vary, beyond the first 10,000 as many as on average before.
  public func windowCount(ofEpochs epochs: Int) -> Int {
    let counted = varies ? min(epochs, Self.countedEpochs) : min(epochs, 1)
    let count = (0..<counted).reduce(0) { $0 + windowCount(ofEpoch: $1) }
    let (product, overflow) = count.multipliedReportingOverflow(by: epochs)
    return overflow ? .max : product / max(1, counted)
  }
}

/// The place of a run in its corpus: window after window, epoch after epoch.
public struct WindowCursor: Sendable, Equatable {
  public let schedule: WindowSchedule
  /// Epochs that are done.
  public private(set) var epoch: Int
  /// Windows of this epoch that are done.
  public private(set) var index = 0
  /// The steps of every lane that the window has.
  public private(set) var steps: Range<Int>
  /// Where in the stream this epoch's first lane begins.
  public private(set) var offset: Int

  /// The place after so many epochs and so many windows of the next one.
  public init(_ schedule: WindowSchedule, epoch: Int = 0, window: Int = 0) {
    self.schedule = schedule
    self.epoch = epoch
    offset = schedule.offset(ofEpoch: epoch)
    steps = 0..<0
    steps = following
    for _ in 0..<window {
      precondition(steps.upperBound < schedule.laneLength, "epoch \(epoch) has \(index + 1) windows, not \(window + 1)")
      advance()
    }
  }

  /// Goes on to the next window: in this epoch, or the first one of the next.
  public mutating func advance() {
    index += 1
    if steps.upperBound == schedule.laneLength {
      (epoch, index, steps) = (epoch + 1, 0, 0..<0)
      offset = schedule.offset(ofEpoch: epoch)
    }
    steps = following
  }

  private var following: Range<Int> {
    let length = schedule.length(ofEpoch: epoch, window: index)
    return steps.upperBound..<steps.upperBound + min(length, schedule.laneLength - steps.upperBound)
  }

  /// Epochs that are done, with the share of the one that is not.
  public var epochs: Double { Double(epoch) + Double(steps.lowerBound) / Double(schedule.laneLength) }
  /// What the learning rate is multiplied by in this window: its steps over k1 where lengths vary, since its gradient is
  /// a mean over so many (Merity et al. 2018, §4.1); else 1.
  public var learningRateScale: Double { schedule.varies ? Double(steps.count) / Double(schedule.k1) : 1 }
}
