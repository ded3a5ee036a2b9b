/// A precompiled character map, as a sentencepiece model holds it (`precompiled_charsmap`, such as that of `nmt_nfkc`):
/// at every place of a text, the longest key that begins there is replaced by its text; what no key begins stays.
///
/// The bytes are the size of a trie (UInt32, little-endian), the trie, and texts that end with NUL each. The trie is a
/// double array of UInt32 units as darts-clone writes it (Yata et al. 2007): its values are the texts' places.
///
/// It is checked as a whole when it is read. Reading costs the trie's units times 256; a text costs its bytes times the
/// length of the longest key.
public struct PrecompiledCharsMap: Sendable {
  public struct Invalid: Error, Equatable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = "the precompiled character map \(description)" }
  }

  private let trie: DoubleArray
  /// The scalars of every text, by its place.
  private let texts: [UInt32: [UInt32]]

  public init(parsing bytes: [UInt8]) throws(Invalid) {
    guard bytes.count >= 4 else { throw Invalid("has \(bytes.count) bytes, too few for its size") }
    let size = Int(Self.unit(bytes, 0))
    guard size % 4 == 0, size >= 4, size <= bytes.count - 4 else {
      throw Invalid("has a trie of \(size) bytes in \(bytes.count) bytes")
    }
    trie = DoubleArray(units: stride(from: 4, to: 4 + size, by: 4).map { Self.unit(bytes, $0) })
    texts = try Self.texts(bytes[(4 + size)...], at: trie.values())
  }

  private static func unit(_ bytes: [UInt8], _ place: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
  }

  private static func texts(
    _ bytes: ArraySlice<UInt8>, at places: Set<UInt32>
  ) throws(Invalid) -> [UInt32: [UInt32]] {
    var texts: [UInt32: [UInt32]] = [:]
    for place in places {
      guard Int(place) < bytes.count, let end = bytes[(bytes.startIndex + Int(place))...].firstIndex(of: 0) else {
        throw Invalid("names byte \(place) of \(bytes.count) bytes of texts, where none begins and ends")
      }
      guard let text = String(validating: bytes[(bytes.startIndex + Int(place))..<end], as: UTF8.self) else {
        throw Invalid("has a text at byte \(place) that is not UTF-8")
      }
      texts[place] = text.unicodeScalars.map(\.value)
    }
    return texts
  }

  /// The text with every longest key replaced.
  public func normalize(_ text: String) -> String {
    var output = ByteOutput()
    apply(text, to: &output)
    return String(decoding: output.bytes, as: UTF8.self)
  }

  /// The text with every longest key replaced, and the place in `text` that every scalar came from.
  public func normalizeTracing(_ text: String) -> NormalizedText {
    var output = NormalizedText()
    apply(text, to: &output)
    return output
  }

  private func apply<Output: NormalizerOutput>(_ text: String, to output: inout Output) {
    var text = text
    text.withUTF8 { bytes in
      var (place, kept) = (0, 0)
      func keep(_ output: inout Output) {
        guard kept < place else { return }
        let run = UnsafeBufferPointer(rebasing: bytes[kept..<place])
        output.append(unchanged: run, source: kept, lowercasingASCII: false)
      }
      while place < bytes.count {
        if let match = trie.longestMatch(bytes, at: place), let mapped = texts[match.value] {
          keep(&output)
          let source = place..<place + match.length
          output.append(mapped.map { Output.Scalar($0, source: source) })
          place = source.upperBound
          kept = place
        } else {
          repeat { place += 1 } while place < bytes.count && bytes[place] & 0xC0 == 0x80
        }
      }
      keep(&output)
    }
  }
}

/// A trie as a double array: from a unit, the byte b leads to the unit at (its place xor its offset) xor b, if that has
/// the label b.
private struct DoubleArray: Sendable {
  let units: [UInt32]

  private func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }

  /// The children of the unit begin at `base`; nil where `byte` leads to none of them.
  private func child(_ base: Int, _ byte: UInt8) -> (base: Int, hasValue: Bool)? {
    let place = base ^ Int(byte)
    // A label has bit 31 where a unit is a value.
    guard place < units.count, units[place] & (1 << 31 | 0xFF) == UInt32(byte) else { return nil }
    return (place ^ offset(units[place]), units[place] & 1 << 8 != 0)
  }

  /// The value of the key that ends where the children begin at `base`.
  private func value(_ base: Int) -> UInt32 { base < units.count ? units[base] & 0x7FFF_FFFF : .max }

  private var root: Int { offset(units[0]) }

  /// The longest key that begins at `place` and ends where a scalar does.
  func longestMatch(_ bytes: UnsafeBufferPointer<UInt8>, at place: Int) -> (value: UInt32, length: Int)? {
    var base = root
    var longest: (UInt32, Int)?
    for end in place..<bytes.count {
      guard let next = child(base, bytes[end]) else { break }
      base = next.base
      let isWhole = end + 1 == bytes.count || bytes[end + 1] & 0xC0 != 0x80
      if next.hasValue && isWhole { longest = (value(base), end + 1 - place) }
    }
    return longest
  }

  /// The values of all keys. Units that are reached again, as a damaged trie has them, are followed once.
  func values() -> Set<UInt32> {
    var values: Set<UInt32> = []
    var seen: Set<Int> = [root]
    var open = [root]
    while let base = open.popLast() {
      for byte in UInt8.min...UInt8.max {
        guard let next = child(base, byte) else { continue }
        if next.hasValue { values.insert(value(next.base)) }
        if seen.insert(next.base).inserted { open.append(next.base) }
      }
    }
    return values
  }
}
