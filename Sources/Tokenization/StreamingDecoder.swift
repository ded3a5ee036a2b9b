/// Turns tokens into text as they come, never a part of a character: bytes wait until their character is whole.
///
/// Bytes that cannot be UTF-8, whatever follows, become U+FFFD as in `String(decoding:as:)`.
public struct StreamingDecoder: Sendable {
  private let tokenizer: any Tokenizer
  private var waiting: [UInt8] = []
  private var isFirst: Bool
  /// Bytes that are still to be left out.
  private var leftOut = 0

  /// - Parameter goesOn: Whether a text stands before the tokens, so that the first of them is not the text's first.
  public init(_ tokenizer: any Tokenizer, goesOn: Bool = false) {
    self.tokenizer = tokenizer
    isFirst = !goesOn
  }

  /// The text that is whole with this token; empty where a character waits for its other bytes.
  public mutating func take(_ id: Int32) -> String {
    var bytes = tokenizer.bytes(of: id)
    if isFirst && tokenizer.dropsLeadingSpace && bytes.first == UInt8(ascii: " ") { bytes.removeFirst() }
    isFirst = false
    if leftOut > 0 {
      let count = min(leftOut, bytes.count)
      bytes.removeFirst(count)
      leftOut -= count
    }
    waiting += bytes
    let kept = Self.unfinished(waiting)
    let text = String(decoding: waiting.dropLast(kept), as: UTF8.self)
    waiting.removeFirst(waiting.count - kept)
    return text
  }

  /// Goes on after other bytes: a character that they begin is finished by the tokens.
  public mutating func goOn(after bytes: [UInt8]) { waiting = bytes.suffix(Self.unfinished(bytes)) }

  /// Leaves out the next bytes of the tokens, since they were written before, as the end of a prompt.
  public mutating func leaveOut(_ count: Int) { leftOut += count }

  /// What still waits, as U+FFFD: the tokens have ended within a character. Empty elsewhere.
  public mutating func finish() -> String {
    defer { waiting = [] }
    return String(decoding: waiting, as: UTF8.self)
  }

  /// How many bytes at the end begin a character that more bytes could finish.
  static func unfinished(_ bytes: [UInt8]) -> Int {
    for length in 1...3 where length <= bytes.count {
      let place = bytes.count - length
      let byte = bytes[place]
      if byte & 0xC0 == 0x80 { continue }
      let wanted = byte >= 0xF0 && byte <= 0xF4 ? 4 : byte >= 0xE0 ? 3 : 2
      guard byte >= 0xC2, byte <= 0xF4, length < wanted else { return 0 }
      return length == 1 || canFollow(byte, bytes[place + 1]) ? length : 0
    }
    return 0
  }

  /// Whether the second byte of a character may follow its first (Unicode, table 3-7: no overlong forms, no surrogates).
  private static func canFollow(_ first: UInt8, _ second: UInt8) -> Bool {
    switch first {
    case 0xE0: second >= 0xA0
    case 0xED: second < 0xA0
    case 0xF0: second >= 0x90
    case 0xF4: second < 0x90
    default: true
    }
  }
}
