import ModelFiles
import Reports
import Tokenization

/// How fast a tokenizer encodes a text, on one thread, normalization included.
public struct TokenizerBenchmark: Sendable {
  /// Of each repetition.
  public let bytesPerSecond: [Double]
  /// Tokens of the text, and its bytes.
  public let tokens, bytes: Int
  /// The most memory that the work took, in MB.
  public let megabytes: Int

  /// Encodes the text again and again.
  ///
  /// - Throws: ``UnknownSymbolsError`` never: unknown symbols are left out.
  public init(_ tokenizer: any Tokenizer, text: String, seconds: Double) throws {
    bytes = text.utf8.count
    tokens = try tokenizer.encode(text, unknown: .skip).ids.count
    let count = bytes
    bytesPerSecond = measure(seconds: seconds) {
      _ = try? tokenizer.encode(text, unknown: .skip)
      return count
    }
    megabytes = peakMegabytes()
  }

  /// The median repetition.
  public var median: Double { bytesPerSecond.sorted()[bytesPerSecond.count / 2] }

  /// One object for programs.
  public var json: JSON {
    [
      "task": "tokenizer", "symbols_per_second": JSON((median * Double(tokens) / Double(max(1, bytes))).rounded()),
      "bytes_per_second": JSON(median.rounded()), "tokens": .integer(tokens), "bytes": .integer(bytes), "threads": 1,
      "peak_rss_mb": .integer(megabytes),
    ]
  }

  /// A few lines for a person.
  public var text: String {
    var table = TextTable()
    let spread = bytesPerSecond.sorted().map { decimal($0 / 1e6, places: 1) }
    table.add("encoded, MB a second", decimal(median / 1e6, places: 1), "median of \(spread.joined(separator: ", "))")
    table.add("tokens", grouped(tokens), "of \(grouped(bytes)) bytes")
    table.add("peak memory, MB", "\(megabytes)")
    return table.text
  }
}
