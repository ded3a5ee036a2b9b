/// Finds the substrings of a corpus that are worth trying as pieces: those that occur often enough and that go on
/// in more than one way, or end with their word (the nodes of a suffix tree; Abouelhoda, Kurtz & Ohlebusch 2004).
package struct SeedPieces {
  /// Symbols of all words: 1 and up; 0 ends each word.
  private var symbols: [UInt32] = []
  /// How often the word of each place occurs.
  private var weights: [Int] = []
  /// Symbols of the longest piece.
  package let longest: Int

  /// A piece as symbols, with how often it occurs.
  package struct Seed {
    package let symbols: ArraySlice<UInt32>
    package let count: Int
  }

  package init(longest: Int) { self.longest = longest }

  package mutating func add(word: [UInt32], count: Int) {
    symbols += word
    symbols.append(0)
    weights += repeatElement(count, count: word.count + 1)
  }

  /// The pieces of at least two symbols that occur `minimum` times or more, by count times length, the largest first;
  /// at most `limit`.
  package func find(minimum: Int, limit: Int) -> [Seed] {
    let suffixes = sortedSuffixes()
    var seeds: [(start: Int, length: Int, count: Int)] = []
    // The prefixes that the suffixes at hand share, from short ones to long ones; the last is a suffix itself.
    var open: [(length: Int, count: Int)] = []
    func add(_ length: Int, _ count: Int) {
      if let last = open.last, last.length == length {
        open[open.count - 1].count += count
      } else {
        open.append((length, count))
      }
    }
    for (place, suffix) in suffixes.enumerated() {
      add(lengthToEnd(suffix), weights[suffix])
      let shared = place + 1 < suffixes.count ? commonPrefix(suffix, suffixes[place + 1]) : 0
      var carried = 0
      while let last = open.last, last.length > shared {
        open.removeLast()
        carried += last.count
        if last.length > 1 && carried >= minimum { seeds.append((suffix, last.length, carried)) }
      }
      if carried > 0 { add(shared, carried) }
    }
    seeds.sort { ($1.count * $1.length, $0.start) < ($0.count * $0.length, $1.start) }
    return seeds.prefix(limit).map { Seed(symbols: symbols[$0.start..<$0.start + $0.length], count: $0.count) }
  }

  /// The places of all symbols in the order of what follows, ``longest`` symbols and the word's end at most.
  private func sortedSuffixes() -> [Int] {
    let bits = UInt32.bitWidth - (symbols.max() ?? 1).leadingZeroBitCount
    let perKey = max(1, 63 / max(1, bits))
    // The first symbols of every suffix in one number.
    var keys = [UInt64](repeating: 0, count: symbols.count)
    for place in symbols.indices {
      var (key, isOver) = (UInt64(0), false)
      for step in 0..<perKey {
        let symbol = isOver || place + step >= symbols.count ? 0 : symbols[place + step]
        if symbol == 0 { isOver = true }
        key = key << UInt64(bits) | UInt64(symbol)
      }
      keys[place] = key
    }
    let wholeKey: UInt64 = (1 << UInt64(bits)) - 1
    return symbols.indices.filter { symbols[$0] != 0 }.sorted { a, b in
      var (a1, b1, step) = (a, b, 0)
      while step < longest {
        if keys[a1] != keys[b1] { return keys[a1] < keys[b1] }
        // The key's last symbol is 0 where the word ends within it: both words do.
        if keys[a1] & wholeKey == 0 { break }
        (a1, b1, step) = (a1 + perKey, b1 + perKey, step + perKey)
        if symbols[a1 - 1] == 0 || a1 >= keys.count || b1 >= keys.count { break }
      }
      return a < b
    }
  }

  /// Symbols from a place to the end of its word, ``longest`` at most.
  private func lengthToEnd(_ place: Int) -> Int {
    var length = 0
    while length < longest && symbols[place + length] != 0 { length += 1 }
    return length
  }

  private func commonPrefix(_ a: Int, _ b: Int) -> Int {
    var length = 0
    while length < longest && symbols[a + length] != 0 && symbols[a + length] == symbols[b + length] { length += 1 }
    return length
  }
}
