/// The part of a text that a reading still looks at; bytes are found by their places in the whole text.
public final class PassingText {
  private var bytes: [UInt8] = []
  /// Where `bytes` begins in the text, and the first of it that is still asked for.
  private var first = 0
  private(set) var start = 0
  /// Bytes that have come so far.
  var end: Int { first + bytes.count }

  /// A text of which nothing has come yet.
  init() {}

  /// The whole of a text.
  package init(_ text: String) { append(Array(text.utf8)[...]) }

  func append(_ more: ArraySlice<UInt8>) { bytes += more }

  /// Forgets what comes before a byte; what is forgotten is not asked for again.
  func forget(before place: Int) {
    start = max(start, min(place, end))
    // Bytes move when half of them are forgotten, so each moves about once.
    guard start - first > bytes.count / 2 else { return }
    bytes.removeFirst(start - first)
    first = start
  }

  subscript(place: Int) -> UInt8 {
    precondition(place >= start && place < end, "byte \(place) of a text of which \(start)..<\(end) are there")
    return bytes[place - first]
  }

  /// The first byte of the scalar that a byte is of.
  func start(of place: Int) -> Int {
    var place = place
    while place > start && place < end && self[place] & 0xC0 == 0x80 { place -= 1 }
    return place
  }

  /// The scalar that begins at a byte; nil beyond what has come.
  func scalar(at place: Int) -> Unicode.Scalar? {
    guard place < end else { return nil }
    let lead = self[place]
    if lead < 0x80 { return Unicode.Scalar(lead) }
    let width = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
    var value = UInt32(lead) & (0x7F >> UInt32(width))
    for next in min(place + 1, end)..<min(place + width, end) { value = value << 6 | UInt32(self[next] & 0x3F) }
    return Unicode.Scalar(value)
  }

  /// Unicode scalars that begin in a part.
  func scalars(in range: Range<Int>) -> Int { bytes[range.lowerBound - first..<range.upperBound - first].scalarStarts }

  /// A part as text; parts of scalars become U+FFFD.
  func text(_ range: Range<Int>) -> String {
    String(decoding: bytes[range.lowerBound - first..<range.upperBound - first], as: UTF8.self)
  }
}

extension ArraySlice<UInt8> {
  fileprivate var scalarStarts: Int { count { $0 & 0xC0 != 0x80 } }
}
