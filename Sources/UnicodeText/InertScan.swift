/// Finds the runs of scalars that all steps of a ``Normalizer`` leave as they are (ASCII letters apart, which case
/// steps change byte by byte), and before each of which a text can be cut.
struct InertScan: Sendable {
  private let flags: ScalarTables.Flags
  private let stopsAtCR: Bool
  /// Whether ASCII capitals become small letters.
  let changesASCII: Bool
  /// Whether what follows a scalar can change it: then the last of a run is held back.
  let joinsBackward: Bool

  init(_ steps: [Normalizer.Step]) {
    flags = steps.reduce(into: []) { $0.insert($1.inertFlag) }
    stopsAtCR = steps.contains(.lineEndings)
    changesASCII = steps.contains(.caseFolding) || steps.contains(.lowercase)
    joinsBackward = steps.contains { $0.form != nil }
  }

  /// The end of the run that begins at `start`, and where its last scalar begins.
  ///
  /// - Parameter joinsCR: Whether a line feed here may belong to a carriage return before it.
  @inline(__always)
  func run(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, joinsCR: Bool) -> (end: Int, last: Int) {
    if joinsCR && stopsAtCR && bytes[start] == 0x0A { return (start, start) }
    var end = bytes.endOfASCII(from: start, stoppingAtCR: stopsAtCR)
    var last = max(start, end - 1)
    guard end < bytes.count && bytes[end] >= 0x80 else { return (end, last) }
    let tables = ScalarTables.shared
    while end < bytes.count {
      if bytes[end] < 0x80 {
        let asciiEnd = bytes.endOfASCII(from: end, stoppingAtCR: stopsAtCR)
        guard asciiEnd > end else { break }
        end = asciiEnd
        last = end - 1
      }
      guard end < bytes.count, case .scalar(let value, let length) = UTF8Sequence(bytes, at: end), value >= 0x80,
        flags.isEmpty || tables[value].has(flags)
      else { break }
      last = end
      end += length
    }
    return (end, last)
  }
}
