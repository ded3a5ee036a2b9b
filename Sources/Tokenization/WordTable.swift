/// Numbers the distinct words of a text; words are ranges of its bytes, so nothing is copied.
struct WordTable {
  private var hashes = [UInt64](repeating: 0, count: 16)
  private var places = [Int32](repeating: -1, count: 16)
  /// The first occurrence of each word.
  private(set) var words: [Range<Int>] = []

  /// The number of a word; a new one gets the next, which is then ``words```.count − 1`.
  mutating func number(of word: Range<Int>, _ bytes: [UInt8]) -> Int {
    let hash = Self.hash(bytes, word)
    var place = Int(truncatingIfNeeded: hash) & (hashes.count - 1)
    while places[place] >= 0 {
      let number = Int(places[place])
      if hashes[place] == hash && Self.isSame(bytes, words[number], word) { return number }
      place = (place + 1) & (hashes.count - 1)
    }
    hashes[place] = hash
    places[place] = Int32(words.count)
    words.append(word)
    if words.count * 3 > hashes.count * 2 { grow() }
    return words.count - 1
  }

  private mutating func grow() {
    let old = zip(hashes, places).filter { $0.1 >= 0 }
    hashes = Array(repeating: 0, count: hashes.count * 2)
    places = Array(repeating: -1, count: places.count * 2)
    for (hash, number) in old {
      var place = Int(truncatingIfNeeded: hash) & (hashes.count - 1)
      while places[place] >= 0 { place = (place + 1) & (hashes.count - 1) }
      hashes[place] = hash
      places[place] = number
    }
  }

  @inline(__always)
  private static func isSame(_ bytes: [UInt8], _ a: Range<Int>, _ b: Range<Int>) -> Bool {
    guard a.count == b.count else { return false }
    for place in 0..<a.count where bytes[a.lowerBound &+ place] != bytes[b.lowerBound &+ place] { return false }
    return true
  }

  /// FNV-1a, stirred once more so that the low bits depend on all.
  @inline(__always)
  private static func hash(_ bytes: [UInt8], _ word: Range<Int>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for place in word { hash = (hash ^ UInt64(bytes[place])) &* 0x100_0000_01B3 }
    hash ^= hash >> 29
    return hash &* 0xBF58_476D_1CE4_E5B9 ^ hash >> 32
  }
}
