#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What several predictors make of the same texts, and how sure their differences are.
///
/// Predictors may have different symbols, so their surprisals are compared by character of the original text: that of a
/// token is shared evenly among its characters. Only characters that all of them scored are compared.
public struct Comparison: Sendable {
  /// One predictor.
  public struct Entry: Sendable {
    public let name: String
    /// What it made of all that it scored, each in its own tokens.
    public let score: Score
    /// Over the characters that all scored.
    public let bitsPerCharacter, bitsPerByte: Double
    /// Bits per character more than the first predictor, with a 95 % interval of the paired differences; nil for the
    /// first.
    public let difference: (mean: Double, interval: ClosedRange<Double>)?
  }

  /// In the order in which they were added.
  public let entries: [Entry]
  /// Characters that all scored.
  public let characters: Int

  /// - Throws: ``TooLittleText`` where fewer than two characters were scored by all.
  public init(_ columns: [CharacterLosses], texts: [String]) throws {
    precondition(!columns.isEmpty, "nothing to compare")
    let common = columns[0].losses.indices.filter { place in columns.allSatisfy { $0.losses[place].isFinite } }
    guard common.count >= 2 else { throw TooLittleText(tokens: common.count) }
    var widths: [Int] = []
    for text in texts { widths += text.unicodeScalars.map { UTF8.width($0) } }
    let bytes = common.reduce(0) { $0 + widths[$1] }
    characters = common.count
    entries = columns.enumerated().map { index, column in
      let bits = common.reduce(0.0) { $0 + column.losses[$1] } / log(2)
      var differences = CondensedSeries(capacity: 1 << 14)
      for place in common { differences.add((column.losses[place] - columns[0].losses[place]) / log(2)) }
      let first = common.reduce(0.0) { $0 + columns[0].losses[$1] } / log(2)
      let mean = (bits - first) / Double(common.count)
      return Entry(
        name: column.name, score: column.score, bitsPerCharacter: bits / Double(common.count),
        bitsPerByte: bits / Double(bytes),
        difference: index == 0 ? nil : (mean, BlockBootstrap(meanOf: differences.values).interval))
    }
  }
}
