#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where in texts, and on what, loss lies; memory does not grow with the text.
public struct LossBreakdown: Sendable {
  /// The losses of some places of texts or documents, counted from 1: those that were scored.
  public struct Position: Sendable, Equatable {
    public let places: ClosedRange<Int>
    public fileprivate(set) var score: Score
  }

  /// Losses in order, in nats; neighbours averaged where there are many.
  public private(set) var series = CondensedSeries(capacity: 1 << 14)
  /// Losses of the places 1, 2–3, 4–7, 8–15 … after the beginning.
  public private(set) var positions: [Position] = []
  /// Losses by kind of symbol; a token of several symbols counts by its first that is no white space.
  public private(set) var kinds: [SymbolKind: Score] = [:]
  /// Losses of `<unk>`, which are part of the report's.
  public private(set) var unknown = Score()
  /// The largest distance from 1 of the sum of a prediction's probabilities; nil where they were not added up.
  public private(set) var largestExcess: Double?
  /// How many predictions' probabilities were added up.
  public private(set) var verified = 0
  /// Tokens by surprisal, in ``binWidth`` bits each; the last has all above.
  public private(set) var histogram = [Int](repeating: 0, count: 81)

  /// Bits.
  public static var binWidth: Double { 0.25 }

  mutating func add(_ loss: Double, at position: Int, _ kind: SymbolKind, isUnknown: Bool) {
    series.add(loss)
    let index = max(0, Int.bitWidth - 1 - max(1, position).leadingZeroBitCount)
    while positions.count <= index {
      positions.append(.init(places: (1 << positions.count)...((2 << positions.count) - 1), score: Score()))
    }
    positions[index].score.add(loss)
    kinds[kind, default: Score()].add(loss)
    if isUnknown { unknown.add(loss) }
    let bin = loss / log(2) / Self.binWidth
    if bin.isFinite { histogram[min(histogram.count - 1, max(0, Int(bin)))] += 1 }
  }

  mutating func verify(_ total: Double) {
    let excess = abs(total - 1)
    // NaN is no excess of any size; let it be seen.
    largestExcess = excess.isNaN ? .infinity : max(largestExcess ?? 0, excess)
    verified += 1
  }

  /// The kinds by their share of the loss, the largest first.
  public var kindsByShare: [(kind: SymbolKind, score: Score)] {
    kinds.map { ($0.key, $0.value) }.sorted { ($1.1.nats, $0.0.name) < ($0.1.nats, $1.0.name) }
  }
}

extension PerplexityReport {
  /// What every Unicode scalar costs where each is as likely as any other, in nats.
  public static var natsOfAnyScalar: Double { log(1_112_064) }

  /// Nats per token without what stood for unknown symbols.
  public var natsPerTokenWithoutUnknown: Double {
    (score.nats - breakdown.unknown.nats) / Double(score.tokens - breakdown.unknown.tokens)
  }

  /// Nats per token with what stood for unknown symbols; symbols that were left out cost ``natsOfAnyScalar`` for each of
  /// their scalars, without the cost of saying that there is one: a lower bound.
  public var natsPerTokenWithUnknown: Double {
    guard breakdown.unknown.tokens == 0 else { return natsPerToken }
    let scalars = unknown.reduce(0) { $0 + $1.count * (1 + $1.others.count) }
    return (score.nats + Double(scalars) * Self.natsOfAnyScalar) / Double(score.tokens + unknownTokens)
  }
}
