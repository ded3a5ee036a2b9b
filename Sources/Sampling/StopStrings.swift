/// A stretch of text as it is written, whole characters only.
public struct TextPiece: Sendable, Equatable {
  public let text: String
  /// −log₂ of the model's probability of the tokens that it came from; nil where nobody asked.
  public let bits: Double?

  public init(text: String, bits: Double?) {
    self.text = text
    self.bits = bits
  }
}

/// Lets a text through up to the first stop string, wherever its pieces end: what may be the beginning of one is held back
/// until it is known.
package struct StopStrings: Sendable {
  private let stops: [[UInt8]]
  /// What is held back: less than a stop string, in pieces.
  private var held: [(bytes: [UInt8], bits: Double?)] = []

  /// - Parameter stops: None empty.
  package init(_ stops: [String]) {
    precondition(!stops.contains(""), "an empty stop string ends every text at its beginning")
    self.stops = stops.map { Array($0.utf8) }
  }

  /// Takes the next piece; what can be written now, and whether a stop string has come, which ends the text before it.
  ///
  /// The stop string that is complete first counts, and of those that end together the longest.
  package mutating func take(_ piece: TextPiece) -> (pieces: [TextPiece], hasStopped: Bool) {
    guard !stops.isEmpty else { return (piece.text.isEmpty ? [] : [piece], false) }
    var bytes = held.flatMap(\.bytes)
    let start = bytes.count
    held.append((Array(piece.text.utf8), piece.bits))
    bytes += piece.text.utf8
    for end in start..<bytes.count {
      let lengths = stops.filter { Array(bytes[...end]).ends(with: $0[...]) }.map(\.count)
      if let length = lengths.max() {
        defer { held = [] }
        return (release(end + 1 - length), true)
      }
    }
    return (release(bytes.count - unfinished(bytes)), false)
  }

  /// What was held back: the text has ended.
  package mutating func finish() -> [TextPiece] { release(held.reduce(0) { $0 + $1.bytes.count }) }

  /// How many bytes at the end may begin a stop string.
  private func unfinished(_ bytes: [UInt8]) -> Int {
    let lengths = stops.map { stop in
      (1..<max(stop.count, 1)).last { $0 <= bytes.count && bytes.ends(with: stop[..<$0]) } ?? 0
    }
    return lengths.max() ?? 0
  }

  /// Takes so many bytes from what is held, piece after piece. They end with a character, as stop strings begin with one.
  private mutating func release(_ count: Int) -> [TextPiece] {
    var (pieces, rest) = ([TextPiece](), count)
    while rest > 0, let first = held.first {
      let part = first.bytes.prefix(rest)
      pieces.append(TextPiece(text: String(decoding: part, as: UTF8.self), bits: first.bits))
      rest -= part.count
      held.removeFirst()
      if part.count < first.bytes.count { held.insert((Array(first.bytes[part.count...]), first.bits), at: 0) }
    }
    return pieces
  }
}
