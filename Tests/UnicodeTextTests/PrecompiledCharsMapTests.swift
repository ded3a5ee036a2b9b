import Compute
import Foundation
import TestSupport
import Testing
import UnicodeText

@Suite struct PrecompiledCharsMapTests {
  private static func golden() throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(filePath: Golden.path("rules.charsmap"))))
  }

  /// A map that darts-clone made: the longest key counts, also where a shorter one begins it.
  @Test(
    arguments: [
      ("\u{FB01}\u{FB03}x", "fiffix"), ("qq\u{323}q\u{301}", "k\u{1E33}k\u{301}"), ("e\u{301}e", "\u{E9}e"),
      ("a\u{200B}b\u{3000}", "ab "), ("5\u{338F}\u{304B}\u{3099}\u{304B}", "5kg\u{304C}\u{304B}"), ("", ""),
      ("plain\r\n\0 \u{1F469}\u{FB02}", "plain\r\n\0 \u{1F469}\u{FB02}"), ("q", "k"),
    ])
  func replacesTheLongestKey(_ text: String, _ expected: String) throws {
    let map = try PrecompiledCharsMap(parsing: Self.golden())
    #expect(map.normalize(text).scalarValues == expected.scalarValues)
    #expect(map.normalizeTracing(text).text.scalarValues == expected.scalarValues)
  }

  @Test func knowsWhereScalarsCameFrom() throws {
    let map = try PrecompiledCharsMap(parsing: Self.golden())
    let traced = map.normalizeTracing("a\u{FB01}\u{200B}q\u{323}\u{E9}")
    #expect(traced.sources == [0..<1, 1..<4, 1..<4, 7..<10, 10..<12])
  }

  @Test(
    arguments: [
      ([], "has 0 bytes, too few for its size"), ([1, 0, 0], "has 3 bytes, too few for its size"),
      ([0, 0, 0, 0], "has a trie of 0 bytes in 4 bytes"),
      ([6, 0, 0, 0, 1, 2, 3, 4, 5, 6], "has a trie of 6 bytes in 10 bytes"),
      ([8, 0, 0, 0, 1, 2, 3, 4], "has a trie of 8 bytes in 8 bytes"),
      ([0xFC, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4], "has a trie of 4294967292 bytes in 8 bytes"),
    ] as [([UInt8], String)])
  func refusesWrongSizes(_ bytes: [UInt8], _ message: String) {
    let error = #expect(throws: PrecompiledCharsMap.Invalid.self) { try PrecompiledCharsMap(parsing: bytes) }
    #expect(error?.description == "the precompiled character map " + message)
  }

  /// A map of one key, of one byte: the root's children begin at unit 1, and the key's value stands at unit 0x70.
  private static func handmade(key: UInt8 = 0x61, value: UInt32, texts: [UInt8]) -> [UInt8] {
    var units = [UInt32](repeating: 0, count: 256)
    let place = UInt32(1 ^ key)
    units[0] = 1 << 10
    units[Int(place)] = UInt32(key) | 1 << 8 | (place ^ 0x70) << 10
    units[0x70] = 1 << 31 | value
    return ([UInt32(units.count * 4)] + units).flatMap { unit in (0..<4).map { UInt8(unit >> (8 * $0) & 0xFF) } }
      + texts
  }

  @Test func refusesTextsThatAreNotThere() throws {
    #expect(
      try PrecompiledCharsMap(parsing: Self.handmade(value: 2, texts: [0x62, 0, 0x63, 0])).normalize("xax") == "xcx")
    for (value, texts): (UInt32, [UInt8]) in [
      (2, [0x62, 0]), (0, [0x62]), (0, []), (0x7FFF_FFFF, [0]), (0, [0xFF, 0]),
    ] {
      #expect(throws: PrecompiledCharsMap.Invalid.self) {
        try PrecompiledCharsMap(parsing: Self.handmade(value: value, texts: texts))
      }
    }
  }

  /// A key that is half a scalar, as a damaged map has it, begins no scalar.
  @Test func keepsScalarsWhole() throws {
    let map = try PrecompiledCharsMap(parsing: Self.handmade(key: 0xC3, value: 0, texts: [0x62, 0]))
    #expect(map.normalize("\u{E9}") == "\u{E9}")
  }

  /// Damaged maps are refused or used, and never trap, or make what is not UTF-8.
  @Test(arguments: 0..<20)
  func survivesDamage(_ seed: Int) throws {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    let golden = try Self.golden()
    for _ in 0..<20 {
      var bytes = golden
      for _ in 0..<Int.random(in: 1...30, using: &random) {
        bytes[Int.random(in: 4..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
      }
      guard let map = try? PrecompiledCharsMap(parsing: bytes) else { continue }
      let traced = map.normalizeTracing("q\u{323}\u{FB01}" + randomText(50, using: &random))
      #expect(String(validating: traced.utf8, as: UTF8.self) != nil)
    }
  }
}
