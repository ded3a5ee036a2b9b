import UnicodeText

/// A text as normalized, with the way back to the bytes of the original.
struct TracedText {
  let text: String
  /// The original, and where each scalar came from; nil where nothing changed, or where offsets are not wanted.
  private let trace: (original: [UInt8], normalized: NormalizedText)?

  /// - Parameter keepsOffsets: Whether ``original(_:)`` will be asked.
  init(_ original: String, _ normalization: TextNormalization, keepsOffsets: Bool) {
    text = normalization.normalize(original)
    let isTraced = keepsOffsets && !text.utf8.elementsEqual(original.utf8)
    trace = isTraced ? (Array(original.utf8), normalization.normalizeTracing(original)) : nil
  }

  /// The bytes of the original that a range of the normalized text's bytes came from. A part of a scalar came from the
  /// same part of it where it is unchanged, else from all.
  func original(_ range: Range<Int>) -> Range<Int> {
    guard let trace, !range.isEmpty else { return range }
    let source = trace.normalized.source(of: range)
    let lower = unchanged(range.lowerBound, trace).map { max($0, source.lowerBound) } ?? source.lowerBound
    let upper = unchanged(range.upperBound, trace).map { min($0, source.upperBound) } ?? source.upperBound
    return lower < upper ? lower..<upper : source
  }

  /// The place in the original of a byte within an unchanged scalar; nil for the first byte of one, or a changed one.
  private func unchanged(_ place: Int, _ trace: (original: [UInt8], normalized: NormalizedText)) -> Int? {
    let bytes = trace.normalized.utf8
    guard place < bytes.count, bytes[place] & 0xC0 == 0x80 else { return nil }
    var first = place
    while bytes[first] & 0xC0 == 0x80 { first -= 1 }
    let scalar = first..<first + WordScanner.width(bytes[first])
    let source = trace.normalized.source(of: scalar)
    guard trace.original[source].elementsEqual(bytes[scalar]) else { return nil }
    return source.lowerBound + place - first
  }

  /// Ranges put in order: where marks changed places, each is widened until no range begins or ends before one that
  /// stands before it.
  static func ordered(_ ranges: [Range<Int>]) -> [Range<Int>] {
    guard
      zip(ranges, ranges.dropFirst()).contains(where: { $0.lowerBound > $1.lowerBound || $0.upperBound > $1.upperBound }
      )
    else { return ranges }
    var ordered = ranges
    var (lower, upper) = (Int.max, 0)
    for place in ranges.indices.reversed() {
      lower = min(lower, ranges[place].lowerBound)
      ordered[place] = lower..<ranges[place].upperBound
    }
    for place in ranges.indices {
      upper = max(upper, ranges[place].upperBound)
      ordered[place] = ordered[place].lowerBound..<upper
    }
    return ordered
  }
}
