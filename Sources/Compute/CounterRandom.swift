/// What a random stream is for: streams of different purposes never share a number.
public enum RandomPurpose: UInt32, Sendable {
  case initialization = 1
  case sampling = 2
  case corpus = 3
  case stateDrop = 16
  case bootstrap = 48
  case subwordSampling = 49
  case windowLength = 24
  case epochOffset = 25
  case lockedDropout = 32
  case weightDrop = 33
  case embeddingDropout = 34
}

/// A counter-based random stream, Philox-4×32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
///
/// The numbers are a pure function of (seed, purpose, step, lane, position): no state is shared, any thread may draw
/// any of them, and a resumed run draws the same ones.
public struct CounterRandom: RandomNumberGenerator, Sendable {
  let key: (UInt32, UInt32)
  private(set) var counter: (UInt32, UInt32, UInt32, UInt32)
  private var block: (UInt64, UInt64) = (0, 0)
  private var unread = 0

  /// - Parameters:
  ///   - seed: The run's seed; all 64 bits count.
  ///   - step: For example a training step or a position in a text; its low 32 bits count, and the rest with the lane's.
  ///   - lane: For example a lane, a sample or a tensor.
  public init(seed: UInt64, purpose: RandomPurpose, step: Int = 0, lane: Int = 0) {
    let step = UInt64(bitPattern: Int64(step))
    key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    counter = (
      0, purpose.rawValue &+ UInt32(truncatingIfNeeded: step >> 32) &<< 8, UInt32(truncatingIfNeeded: step),
      UInt32(truncatingIfNeeded: lane)
    )
  }

  public mutating func next() -> UInt64 {
    if unread == 0 {
      let (a, b, c, d) = Self.philox(counter, key: key)
      block = (UInt64(b) << 32 | UInt64(a), UInt64(d) << 32 | UInt64(c))
      counter.0 &+= 1
      unread = 2
    }
    unread -= 1
    return unread == 1 ? block.0 : block.1
  }

  /// A number of [0, 1) with 53 random bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Ten rounds of Philox on one counter.
  public static func philox(
    _ counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
  ) -> (UInt32, UInt32, UInt32, UInt32) {
    var (a, b, c, d) = counter
    var (k0, k1) = key
    for _ in 0..<10 {
      let first = UInt64(a) &* 0xD251_1F53
      let second = UInt64(c) &* 0xCD9E_8D57
      (a, b, c, d) = (
        UInt32(truncatingIfNeeded: second >> 32) ^ b ^ k0, UInt32(truncatingIfNeeded: second),
        UInt32(truncatingIfNeeded: first >> 32) ^ d ^ k1, UInt32(truncatingIfNeeded: first)
      )
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (a, b, c, d)
  }
}
