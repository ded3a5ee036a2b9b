import Compute
import TestSupport
import Testing
import UnicodeText

@Suite struct StrictUTF8Tests {
  @Test(
    arguments: [
      ([0x80], 0), ([0x61, 0xBF, 0x61], 1), ([0xC3], 0), ([0x61, 0x62, 0xC3], 2), ([0xC3, 0x61], 0),
      ([0xC0, 0x80], 0), ([0xC1, 0xBF], 0), ([0xE0, 0x80, 0x80], 0), ([0x61, 0xE0, 0x9F, 0xBF], 1),
      ([0xF0, 0x80, 0x80, 0x80], 0),
      ([0xF0, 0x8F, 0xBF, 0xBF], 0), ([0xED, 0xA0, 0x80], 0), ([0x61, 0xED, 0xBF, 0xBF], 1),
      ([0xF4, 0x90, 0x80, 0x80], 0),
      ([0xF5, 0x80, 0x80, 0x80], 0), ([0xFE], 0), ([0xFF], 0), ([0xF8, 0x88, 0x80, 0x80, 0x80], 0), ([0xE2, 0x82], 0),
      ([0xF0, 0x9F, 0x98], 0), ([0xE2, 0x82, 0xAC, 0xE2, 0x82], 3), ([0xF0, 0x9F, 0x98, 0x80, 0x80], 4),
      ([0, 0xEF, 0xBB, 0xBF, 0x0D, 0x0A, 0xC3, 0x28], 6),
    ] as [([UInt8], Int)])
  func namesTheFirstInvalidByte(_ bytes: [UInt8], _ offset: Int) {
    let error = #expect(throws: InvalidUTF8.self) { try decodeUTF8(bytes) }
    #expect(error?.offset == offset)
    #expect(error?.description == "invalid UTF-8 at byte \(offset)")
  }

  @Test(
    arguments: [
      ([], []), ([0], [0]), ([0xEF, 0xBB, 0xBF, 0x61], [0xFEFF, 0x61]), ([0x0D, 0x0A, 0x0D], [0x0D, 0x0A, 0x0D]),
      ([0x61, 0, 0x62], [0x61, 0, 0x62]), ([0x65, 0xCC, 0x81], [0x65, 0x301]), ([0xC3, 0xA9], [0xE9]),
      ([0x7F, 0xC2, 0x80, 0xDF, 0xBF], [0x7F, 0x80, 0x7FF]), ([0xE0, 0xA0, 0x80, 0xED, 0x9F, 0xBF], [0x800, 0xD7FF]),
      ([0xEE, 0x80, 0x80, 0xEF, 0xBF, 0xBF], [0xE000, 0xFFFF]), ([0xF0, 0x90, 0x80, 0x80], [0x10000]),
      ([0xF4, 0x8F, 0xBF, 0xBF], [0x10FFFF]), ([0xEF, 0xBF, 0xBD], [0xFFFD]),
    ] as [([UInt8], [UInt32])])
  func keepsEveryScalar(_ bytes: [UInt8], _ scalars: [UInt32]) throws {
    let text = try decodeUTF8(bytes)
    #expect(text.scalarValues == scalars)
    #expect(Array(text.utf8) == bytes)
  }

  /// An invalid byte after random valid text is found at its very place.
  @Test(arguments: 0..<100)
  func findsTheByteAfterAnyText(_ seed: Int) {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    let valid = Array(randomText(Int.random(in: 0..<200, using: &random), using: &random).utf8)
    let error = #expect(throws: InvalidUTF8.self) { try decodeUTF8(valid + [0xFF] + valid) }
    #expect(error?.offset == valid.count)
  }
}

/// Bytes that come in pieces, and bytes that are replaced.
@Suite struct UTF8StreamTests {
  /// The examples of Unicode 16, section 3.9, tables 3-8 to 3-11.
  @Test(
    arguments: [
      ([0xC0, 0xAF, 0xE0, 0x80, 0xBF, 0xF0, 0x81, 0x82, 0x41], [0xFFFD, 8]),
      ([0xED, 0xA0, 0x80, 0xED, 0xBF, 0xBF, 0xED, 0xAF, 0x41], [0xFFFD, 8]),
      ([0xF4, 0x91, 0x92, 0x93, 0xFF, 0x41, 0x80, 0xBF, 0x42], [0xFFFD, 5, 0x41, 1, 0xFFFD, 2, 0x42, 1]),
      ([0xE1, 0x80, 0xE2, 0xF0, 0x91, 0x92, 0xF1, 0xBF, 0x41], [0xFFFD, 4]),
    ] as [([UInt8], [UInt32])])
  func replacesMaximalSubparts(_ bytes: [UInt8], _ runs: [UInt32]) {
    var expected = stride(from: 0, to: runs.count, by: 2).flatMap {
      [UInt32](repeating: runs[$0], count: Int(runs[$0 + 1]))
    }
    if bytes.last == 0x41 && expected.last == 0xFFFD { expected.append(0x41) }
    let (text, replacements) = decodeUTF8Replacing(bytes)
    #expect(text.scalarValues == expected)
    #expect(replacements == expected.count { $0 == 0xFFFD })
  }

  /// Random bytes, mostly near valid, cut anywhere: as the standard library repairs them, and the first error is where
  /// the whole text has it.
  @Test(arguments: 0..<60)
  func readsInvalidBytesInPieces(_ seed: Int) throws {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    for _ in 0..<20 {
      let bytes = damagedBytes(using: &random)
      let sizes = (0..<5).map { _ in Int.random(in: 1...9, using: &random) }
      let repaired = String(decoding: bytes, as: UTF8.self)
      #expect(try Normalizer().stream(bytes, sizes: sizes, invalid: .replace) == Array(repaired.utf8))
      let count = repaired.unicodeScalars.count { $0 == "\u{FFFD}" } - bytes.count(of: [0xEF, 0xBF, 0xBD])
      #expect(decodeUTF8Replacing(bytes).replacements == count)
      #expect(decodeUTF8Replacing(bytes).text.utf8.elementsEqual(repaired.utf8))
      #expect(errorOffset(of: bytes) { _ = try Normalizer(.nfc).stream(bytes, sizes: sizes) } == errorOffset(of: bytes))
    }
  }

  @Test(
    arguments: [
      ([0x61, 0xE2, 0x82], 1), ([0xF0, 0x9F, 0x98, 0x80, 0xF0, 0x9F], 4), ([0xE2, 0x41], 0),
      ([0x61, 0xED, 0xA0, 0x80], 1),
    ] as [([UInt8], Int)], [1, 2, 3, 4])
  func namesTheOffsetInAStream(_ example: ([UInt8], Int), _ size: Int) {
    let error = #expect(throws: InvalidUTF8.self) { try Normalizer().stream(example.0, sizes: [size]) }
    #expect(error?.offset == example.1)
  }
}

private func errorOffset(of bytes: [UInt8], _ body: (() throws -> Void)? = nil) -> Int? {
  do {
    if let body { try body() } else { _ = try decodeUTF8(bytes) }
    return nil
  } catch { return (error as? InvalidUTF8)?.offset }
}

/// Random text with some bytes changed, left out and put in.
func damagedBytes(using random: inout CounterRandom) -> [UInt8] {
  var bytes = Array(randomText(Int.random(in: 1...40, using: &random), using: &random).utf8)
  for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
    let place = Int.random(in: 0..<bytes.count, using: &random)
    switch random.next() % 3 {
    case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
    case 1: bytes.remove(at: place)
    default: bytes.insert(UInt8.random(in: 0x80...0xFF, using: &random), at: place)
    }
  }
  return bytes
}

extension [UInt8] {
  func count(of part: [UInt8]) -> Int {
    count < part.count ? 0 : (0...count - part.count).count { self[$0..<$0 + part.count].elementsEqual(part) }
  }
}
