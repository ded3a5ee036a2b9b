import Compute
import TestSupport
import Testing
import UnicodeText

private let realForms: [NormalizationForm] = [.nfc, .nfd, .nfkc, .nfkd]

@Suite struct NormalizationTests {
  /// Source, NFC, NFD, NFKC, NFKD: the figures of UAX #15, and what its text names.
  private static let examples: [[String]] = [
    // Figure 3: singletons.
    ["\u{212B}", "\u{C5}", "A\u{30A}", "\u{C5}", "A\u{30A}"],
    ["\u{2126}", "\u{3A9}", "\u{3A9}", "\u{3A9}", "\u{3A9}"],
    // Figure 4: canonical composites.
    ["\u{C5}", "\u{C5}", "A\u{30A}", "\u{C5}", "A\u{30A}"],
    ["\u{F4}", "\u{F4}", "o\u{302}", "\u{F4}", "o\u{302}"],
    // Figure 5: several combining marks.
    ["\u{1E69}", "\u{1E69}", "s\u{323}\u{307}", "\u{1E69}", "s\u{323}\u{307}"],
    ["\u{1E0B}\u{323}", "\u{1E0D}\u{307}", "d\u{323}\u{307}", "\u{1E0D}\u{307}", "d\u{323}\u{307}"],
    ["q\u{307}\u{323}", "q\u{323}\u{307}", "q\u{323}\u{307}", "q\u{323}\u{307}", "q\u{323}\u{307}"],
    // Figure 6: compatibility composites.
    ["\u{FB01}", "\u{FB01}", "\u{FB01}", "fi", "fi"],
    ["2\u{2075}", "2\u{2075}", "2\u{2075}", "25", "25"],
    ["\u{1E9B}\u{323}", "\u{1E9B}\u{323}", "\u{17F}\u{323}\u{307}", "\u{1E69}", "s\u{323}\u{307}"],
    // Composition exclusions, and the excluded scalars of other scripts.
    ["\u{958}", "\u{915}\u{93C}", "\u{915}\u{93C}", "\u{915}\u{93C}", "\u{915}\u{93C}"],
    ["\u{2ADC}", "\u{2ADD}\u{338}", "\u{2ADD}\u{338}", "\u{2ADD}\u{338}", "\u{2ADD}\u{338}"],
    ["\u{1D15E}", "\u{1D157}\u{1D165}", "\u{1D157}\u{1D165}", "\u{1D157}\u{1D165}", "\u{1D157}\u{1D165}"],
    // Hangul: syllables of two and three jamo.
    ["\u{AC00}", "\u{AC00}", "\u{1100}\u{1161}", "\u{AC00}", "\u{1100}\u{1161}"],
    ["\u{1111}\u{1171}\u{11B6}", "\u{D4DB}", "\u{1111}\u{1171}\u{11B6}", "\u{D4DB}", "\u{1111}\u{1171}\u{11B6}"],
    ["\u{AC00}\u{11A8}", "\u{AC01}", "\u{1100}\u{1161}\u{11A8}", "\u{AC01}", "\u{1100}\u{1161}\u{11A8}"],
    [
      "\u{AC01}\u{11A8}", "\u{AC01}\u{11A8}", "\u{1100}\u{1161}\u{11A8}\u{11A8}", "\u{AC01}\u{11A8}",
      "\u{1100}\u{1161}\u{11A8}\u{11A8}",
    ],
    ["\u{11A8}", "\u{11A8}", "\u{11A8}", "\u{11A8}", "\u{11A8}"],
    // U+11A7 is just below the trailing consonants, and not one of them.
    [
      "\u{AC00}\u{11A7}", "\u{AC00}\u{11A7}", "\u{1100}\u{1161}\u{11A7}", "\u{AC00}\u{11A7}",
      "\u{1100}\u{1161}\u{11A7}",
    ],
    [
      "\u{1100}\u{1161}\u{11A7}\u{11A8}", "\u{AC00}\u{11A7}\u{11A8}", "\u{1100}\u{1161}\u{11A7}\u{11A8}",
      "\u{AC00}\u{11A7}\u{11A8}", "\u{1100}\u{1161}\u{11A7}\u{11A8}",
    ],
    [
      "x\u{11A7}\u{11A7}\u{301}", "x\u{11A7}\u{11A7}\u{301}", "x\u{11A7}\u{11A7}\u{301}", "x\u{11A7}\u{11A7}\u{301}",
      "x\u{11A7}\u{11A7}\u{301}",
    ],
    // A mark that is blocked stays apart.
    [
      "a\u{315}\u{300}\u{5AE}\u{300}", "\u{E0}\u{5AE}\u{300}\u{315}", "a\u{5AE}\u{300}\u{300}\u{315}",
      "\u{E0}\u{5AE}\u{300}\u{315}", "a\u{5AE}\u{300}\u{300}\u{315}",
    ],
    // Nothing to do: ASCII, line ends, NUL, a byte-order mark, an unassigned scalar, noncharacters.
    ["a\r\nb\0c", "a\r\nb\0c", "a\r\nb\0c", "a\r\nb\0c", "a\r\nb\0c"],
    [
      "\u{FEFF}\u{378}\u{FFFF}\u{10FFFF}", "\u{FEFF}\u{378}\u{FFFF}\u{10FFFF}", "\u{FEFF}\u{378}\u{FFFF}\u{10FFFF}",
      "\u{FEFF}\u{378}\u{FFFF}\u{10FFFF}", "\u{FEFF}\u{378}\u{FFFF}\u{10FFFF}",
    ],
    // A NUL does not end the text; a mark at its beginning and after a line feed has nothing to join.
    ["\0e\u{301}\0", "\0\u{E9}\0", "\0e\u{301}\0", "\0\u{E9}\0", "\0e\u{301}\0"],
    ["\u{301}e\n\u{301}", "\u{301}e\n\u{301}", "\u{301}e\n\u{301}", "\u{301}e\n\u{301}", "\u{301}e\n\u{301}"],
    ["", "", "", "", ""],
  ]

  @Test(arguments: examples)
  func normalizesTheExamples(_ example: [String]) {
    for (form, expected) in zip(realForms, example[1...]) {
      #expect(form.normalize(example[0]).scalarValues == expected.scalarValues, "\(form)")
    }
    #expect(NormalizationForm.none.normalize(example[0]).scalarValues == example[0].scalarValues)
  }

  /// Relations between the forms (UAX #15, design goal 1 and table 4) for any text.
  @Test(arguments: 0..<300)
  func isIdempotent(_ seed: Int) {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    let text = randomText(100, using: &random)
    for form in realForms {
      let once = form.normalize(text)
      #expect(form.normalize(once).scalarValues == once.scalarValues, "\(form)")
    }
    func both(_ outer: NormalizationForm, _ inner: NormalizationForm) -> [UInt32] {
      outer.normalize(inner.normalize(text)).scalarValues
    }
    #expect(both(.nfc, .nfd) == NormalizationForm.nfc.normalize(text).scalarValues)
    #expect(both(.nfd, .nfc) == NormalizationForm.nfd.normalize(text).scalarValues)
    #expect(both(.nfkc, .nfd) == NormalizationForm.nfkc.normalize(text).scalarValues)
    #expect(both(.nfkd, .nfkc) == NormalizationForm.nfkd.normalize(text).scalarValues)
  }

  /// Swift's own equality of texts is canonical equivalence: a second opinion.
  @Test(arguments: [NormalizationForm.nfc, .nfd])
  func staysCanonicallyEquivalent(_ form: NormalizationForm) {
    var random = CounterRandom(seed: 5, purpose: .corpus)
    for _ in 0..<300 {
      let text = randomText(20, using: &random)
      #expect(form.normalize(text) == text)
    }
  }

  /// Texts are normalized in pieces of more than 256 KiB; where they are cut must not show.
  @Test(arguments: realForms, [0, 1, 2, 3, 5, 7])
  func cutsWhereItDoesNotShow(_ form: NormalizationForm, _ shift: Int) {
    // Lines that end and begin with what forms change, around every possible cut.
    let lines = [
      "\u{301}e\u{301} o\u{302}\u{323}", "\u{11A8}\u{1100}\u{1161}", "\u{1161}\u{FB01} q\u{307}\u{323}", "", "\r",
      "plain",
    ]
    let count = 80_000
    var text = String(repeating: "x", count: shift) + "\n"
    var expected = text
    let normalized = lines.map { form.normalize($0) }
    for index in 0..<count {
      text += lines[index % lines.count] + "\n"
      expected += normalized[index % lines.count] + "\n"
    }
    #expect(text.utf8.count > 2 << 18)
    #expect(form.normalize(text).utf8.elementsEqual(expected.utf8))
  }

  /// One line longer than a piece is not cut within.
  @Test(arguments: realForms)
  func keepsALongLineWhole(_ form: NormalizationForm) {
    let unit = "e\u{301}\u{1100}\u{1161}\u{11A8}A\u{30A}"
    let text = String(repeating: unit, count: 40_000)
    #expect(text.utf8.count > 2 << 18)
    let expected = String(repeating: form.normalize(unit), count: 40_000)
    #expect(form.normalize(text).utf8.elementsEqual(expected.utf8))
  }

  /// A long run of marks is put in the order of their classes, equals staying in theirs, and in time that a test can
  /// wait for: in quadratic time these 200,000 would take minutes.
  @Test func ordersLongRunsOfMarks() {
    var random = CounterRandom(seed: 8, purpose: .corpus)
    let marks: [(mark: Unicode.Scalar, combiningClass: Int)] = [
      ("\u{301}", 230), ("\u{323}", 220), ("\u{327}", 202), ("\u{308}", 230), ("\u{345}", 240), ("\u{331}", 220),
    ]
    for count in [5, 17, 40, 200_000] {
      let run = (0..<count).map { _ in marks[Int(random.next() % 6)] }
      var text = String.UnicodeScalarView("x".unicodeScalars)
      text.append(contentsOf: run.map(\.mark))
      var expected = String.UnicodeScalarView("x".unicodeScalars)
      for combiningClass in [202, 220, 230, 240] {
        expected.append(contentsOf: run.filter { $0.combiningClass == combiningClass }.map(\.mark))
      }
      #expect(NormalizationForm.nfd.normalize(String(text)).unicodeScalars.elementsEqual(expected))
    }
  }
}
