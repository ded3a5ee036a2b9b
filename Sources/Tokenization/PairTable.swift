/// A hash table from pairs of numbers below 2³² to a number: open addressing, multiplicative hashing (Knuth, TAOCP 6.4).
package struct PairTable: Sendable {
  private var keys: [UInt64]
  private var values: [Int32]
  private var shift: UInt64
  private(set) var count = 0

  /// No pair of ids has this key, since ids are less than 2³¹.
  private static let empty = UInt64.max

  init(capacity: Int = 16) {
    var bits: UInt64 = 4
    while (1 << bits) * 2 < capacity * 3 { bits += 1 }
    keys = Array(repeating: Self.empty, count: 1 << bits)
    values = Array(repeating: 0, count: 1 << bits)
    shift = 64 - bits
  }

  @inline(__always)
  package static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  @inline(__always)
  private func place(of key: UInt64) -> Int {
    var place = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> shift)
    while keys[place] != key && keys[place] != Self.empty { place = (place &+ 1) & (keys.count &- 1) }
    return place
  }

  /// The value of a pair; nil where it has none.
  @inline(__always)
  func value(_ key: UInt64) -> Int32? {
    let place = place(of: key)
    return keys[place] == key ? values[place] : nil
  }

  /// The value of a pair, which becomes `fresh` where it had none.
  mutating func value(_ key: UInt64, orInsert fresh: @autoclosure () -> Int32) -> Int32 {
    let place = place(of: key)
    if keys[place] == key { return values[place] }
    let value = fresh()
    insert(key, value, at: place)
    return value
  }

  /// Gives a pair its value, which it must not have yet.
  mutating func insert(_ key: UInt64, _ value: Int32) {
    let place = place(of: key)
    precondition(keys[place] != key, "a pair has one value")
    insert(key, value, at: place)
  }

  private mutating func insert(_ key: UInt64, _ value: Int32, at place: Int) {
    keys[place] = key
    values[place] = value
    count += 1
    guard count * 3 > keys.count * 2 else { return }
    var larger = PairTable(capacity: keys.count * 2)
    for (key, value) in zip(keys, values) where key != Self.empty { larger.insert(key, value) }
    self = larger
  }
}
