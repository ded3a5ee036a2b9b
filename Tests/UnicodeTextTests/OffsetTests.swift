import Compute
import TestSupport
import Testing
import UnicodeText

/// The places in the original text that the scalars of the normalized one came from.
@Suite struct OffsetTests {
  @Test(
    arguments: [
      ([], "a\u{E9}\u{4E2D}", [0..<1, 1..<3, 3..<6]),
      ([.nfc], "e\u{301}a", [0..<3, 3..<4]),
      ([.nfc], "\u{1E0B}\u{323}.", [0..<5, 0..<3, 5..<6]),
      ([.nfd], "a\u{1E69}b", [0..<1, 1..<4, 1..<4, 1..<4, 4..<5]),
      ([.nfd], "q\u{307}\u{323}", [0..<1, 3..<5, 1..<3]),
      ([.nfd], "\u{AC01}", [0..<3, 0..<3, 0..<3]),
      ([.nfc], "\u{1100}\u{1161}\u{11A8}", [0..<9]),
      ([.nfkc], "\u{FB03}!", [0..<3, 0..<3, 0..<3, 3..<4]),
      ([.nfd, .stripAccents], "\u{E9}e\u{301}x", [0..<2, 2..<3, 5..<6]),
      ([.lineEndings], "a\r\nb\rc", [0..<1, 1..<3, 3..<4, 4..<5, 5..<6]),
      ([.lowercase], "A\u{130}B", [0..<1, 1..<3, 1..<3, 3..<4]),
      ([.caseFolding, .nfc], "\u{DF}A\u{30A}", [0..<2, 0..<2, 2..<5]),
    ] as [([Normalizer.Step], String, [Range<Int>])])
  func knowsWhereScalarsCameFrom(_ steps: [Normalizer.Step], _ text: String, _ sources: [Range<Int>]) {
    #expect(Normalizer(steps).normalizeTracing(text).sources == sources)
  }

  /// The text is that without offsets; every scalar has a place; and its parts come out again when only the bytes of
  /// its place are normalized.
  @Test(arguments: someNormalizers)
  func placesHoldWhatCameFromThem(_ normalizer: Normalizer) {
    var random = CounterRandom(seed: 12, purpose: .corpus)
    for text in [tortureText] + (0..<60).map({ _ in randomText(60, using: &random) }) {
      let traced = normalizer.normalizeTracing(text)
      #expect(traced.text.scalarValues == normalizer.normalize(text).scalarValues)
      let scalars = Array(traced.text.unicodeScalars)
      #expect(traced.sources.count == scalars.count && traced.starts.count == scalars.count)
      let bytes = Array(text.utf8)
      for (scalar, source) in zip(scalars, traced.sources) {
        let part = String(decoding: bytes[source], as: UTF8.self)
        #expect(part.utf8.elementsEqual(bytes[source]), "a place cuts a scalar")
        let again = NormalizationForm.nfkd.normalize(normalizer.normalize(part)).scalarValues
        let parts = NormalizationForm.nfkd.normalize(String(scalar)).scalarValues
        #expect(Set(parts).isSubset(of: again), "\(scalar.debugDescription) is not in \(part.debugDescription)")
      }
    }
  }

  @Test func joinsThePlacesOfAPart() {
    let traced = Normalizer(.nfc).normalizeTracing("ae\u{301}\u{4E2D}")
    #expect(traced.text == "a\u{E9}\u{4E2D}")
    #expect(traced.source(of: 0..<1) == 0..<1)
    #expect(traced.source(of: 1..<3) == 1..<4)
    // Half a scalar came from all of its bytes.
    #expect(traced.source(of: 2..<3) == 1..<4)
    #expect(traced.source(of: 0..<4) == 0..<7)
    #expect(traced.source(of: 2..<2) == 4..<4)
    #expect(traced.source(of: 6..<6) == 7..<7)
    #expect(NormalizedText().source(of: 0..<0) == 0..<0)
    // Marks that changed places: the part's places from the first to the last.
    let swapped = Normalizer(.nfd).normalizeTracing("q\u{307}\u{323}")
    #expect(swapped.source(of: 0..<3) == 0..<5)
  }

  /// A replaced sequence has the place of its bytes.
  @Test func countsInvalidBytes() throws {
    let traced = try Normalizer(.nfc).trace([0x61, 0xE2, 0x82, 0x62, 0xCC, 0x81, 0xFF], sizes: [1])
    #expect(traced.text.scalarValues == [0x61, 0xFFFD, 0x62, 0x301, 0xFFFD])
    #expect(traced.sources == [0..<1, 1..<3, 3..<4, 4..<6, 6..<7])
  }
}
