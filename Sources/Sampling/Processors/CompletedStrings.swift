/// Which symbols would complete a string, wherever its bytes lie in symbols.
struct CompletedStrings: Sendable {
  private let strings: [[UInt8]]
  private let bytes: [[UInt8]]
  /// Symbols that hold a whole string.
  private let holding: [Int32]
  /// Of each string, by how many of its bytes have come: symbols that begin with the rest.
  private let finishing: [[[Int32]]]
  /// The last bytes of the text: as many as may be the beginning of a string.
  private var tail: [UInt8] = []
  private let longest: Int

  /// - Parameters:
  ///   - strings: None empty.
  ///   - bytes: Of each symbol of the vocabulary.
  init(_ strings: [[UInt8]], bytes: [[UInt8]]) {
    precondition(strings.allSatisfy { !$0.isEmpty }, "an empty string is complete everywhere")
    self.strings = strings
    self.bytes = bytes
    longest = strings.map(\.count).max() ?? 0
    holding = bytes.indices.filter { symbol in strings.contains { bytes[symbol].holds($0[...]) } }.map(Int32.init)
    finishing = strings.map { string in
      string.indices.map { come in
        guard come > 0 else { return [] }
        return bytes.indices.filter { bytes[$0].starts(with: string[come...]) }.map(Int32.init)
      }
    }
  }

  /// Takes note of the next symbol; whether it completed a string.
  mutating func accept(_ token: Int32) -> Bool {
    let start = tail.count
    tail += bytes[Int(token)]
    let isComplete = strings.contains { string in
      tail.holds(string[...], endingAfter: start)
    }
    if tail.count >= longest { tail.removeFirst(tail.count - longest + 1) }
    return isComplete
  }

  /// Calls `body` with every symbol that would complete a string now, perhaps more than once.
  func forEachCompleting(_ body: (Int32) -> Void) {
    for symbol in holding { body(symbol) }
    for (index, string) in strings.enumerated() {
      for come in 1..<max(string.count, 1) where tail.ends(with: string[..<come]) {
        for symbol in finishing[index][come] { body(symbol) }
      }
    }
  }
}

extension [UInt8] {
  /// Whether the bytes end with others.
  func ends(with end: ArraySlice<UInt8>) -> Bool { count >= end.count && self[(count - end.count)...] == end }

  /// Whether some stretch of the bytes is the same, ending after a place.
  func holds(_ part: ArraySlice<UInt8>, endingAfter place: Int = 0) -> Bool {
    var end = Swift.max(part.count, place + 1)
    while end <= count {
      if self[(end - part.count)..<end] == part { return true }
      end += 1
    }
    return false
  }
}
