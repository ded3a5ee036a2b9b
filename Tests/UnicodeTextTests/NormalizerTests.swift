import CUTF8Proc
import Compute
import Foundation
import TestSupport
import Testing
import UnicodeText

/// What decoders and normalizers trip over.
let tortureText =
  "\u{301}lone marks \u{327}\n\u{323}\r\nCRLF\r\rCR\r\n\r\nNUL\0<s> ZWJ \u{1F469}\u{200D}\u{1F467} flags "
  + "\u{1F1E9}\u{1F1EA}\u{1F1EB} \u{FEFF}\u{2028}\u{2029} \u{378}\u{FFFF}\u{10FFFF} q\u{307}\u{323}\u{327}\u{301} "
  + "\u{1E0B}\u{323}\u{1E0B}\u{327}\u{301}x \u{344}\u{F73}\u{F75} \u{212B}\u{2126}\u{FB03}\u{FDFA} "
  + "\u{1100}\u{1161}\u{11A8}\u{AC00}\u{11A8}\u{AC00}\u{11A7}\u{11A8}\u{1161} \u{9C7}\u{9BE}\u{9C7}\u{323}\u{9BE} "
  + "Stra\u{DF}e \u{1E9E} \u{130}I\u{307} \u{39F}\u{3A3} \u{C9}TE\u{301} \u{1F1}\u{1C4} \u{3B1}\u{345}\u{313} "
  + String(repeating: "\u{301}\u{323}\u{327}", count: 30) + "\u{11099}\u{110BA} \u{1D15E}\u{2F868}\r"

let someNormalizers = [
  Normalizer(), Normalizer(.nfc), Normalizer(.nfd), Normalizer(.nfkc), Normalizer(.nfkd), Normalizer([.caseFolding]),
  Normalizer([.lowercase]), Normalizer([.stripAccents]), Normalizer([.lineEndings]),
  Normalizer([.lineEndings, .nfkc, .caseFolding, .nfc]), Normalizer([.nfd, .stripAccents, .lowercase]),
  Normalizer([.lowercase, .nfc, .lineEndings]), Normalizer([.nfkd, .caseFolding, .stripAccents, .nfkc, .nfd]),
]

/// The steps one after another, each by other means: utf8proc's own normalization of the whole text and the standard
/// library's mappings, for texts without the U+11A7 that utf8proc loses.
private func reference(_ normalizer: Normalizer, _ text: String) -> String {
  normalizer.steps.reduce(text) { text, step in
    switch step {
    case .nfc, .nfd, .nfkc, .nfkd: utf8procForm(step, text)
    case .caseFolding: mapped(text) { $0.folding }
    case .lowercase: mapped(text) { $0.properties.lowercaseMapping }
    case .stripAccents:
      mapped(text) {
        [.nonspacingMark, .spacingMark, .enclosingMark].contains($0.properties.generalCategory) ? "" : String($0)
      }
    case .lineEndings:
      text.replacingOccurrences(of: "\r\n", with: "\n", options: .literal)
        .replacingOccurrences(of: "\r", with: "\n", options: .literal)
    }
  }
}

private func mapped(_ text: String, _ mapping: (Unicode.Scalar) -> String) -> String {
  text.unicodeScalars.reduce(into: "") { out, scalar in
    let isKnown = utf8proc_category(Int32(scalar.value)) != UTF8PROC_CATEGORY_CN
    out.unicodeScalars.append(contentsOf: (isKnown ? mapping(scalar) : String(scalar)).unicodeScalars)
  }
}

extension Unicode.Scalar {
  fileprivate var folding: String {
    var out = [Int32](repeating: 0, count: 8)
    let count = utf8proc_decompose_char(Int32(value), &out, 8, UTF8PROC_CASEFOLD, nil)
    return out.prefix(count).compactMap { Unicode.Scalar(UInt32($0)) }.map { String($0) }.joined()
  }
}

private func utf8procForm(_ step: Normalizer.Step, _ text: String) -> String {
  let flags: UInt32 =
    switch step {
    case .nfc: UTF8PROC_COMPOSE.rawValue
    case .nfkc: UTF8PROC_COMPOSE.rawValue | UTF8PROC_COMPAT.rawValue
    case .nfkd: UTF8PROC_DECOMPOSE.rawValue | UTF8PROC_COMPAT.rawValue
    default: UTF8PROC_DECOMPOSE.rawValue
    }
  let bytes = Array(text.utf8)
  var mapped: UnsafeMutablePointer<UInt8>?
  let options = utf8proc_option_t(UTF8PROC_STABLE.rawValue | flags)
  let count = utf8proc_map(bytes, bytes.count, &mapped, options)
  defer { free(mapped) }
  return String(decoding: UnsafeBufferPointer(start: mapped, count: max(0, count)), as: UTF8.self)
}

extension Normalizer {
  /// The text through a stream, in pieces of the given sizes, again and again.
  func stream(_ bytes: [UInt8], sizes: [Int], invalid: InvalidUTF8.Policy = .refuse) throws -> [UInt8] {
    var stream = NormalizerStream(self, invalid: invalid)
    var output: [UInt8] = []
    try bytes.forEachPiece(sizes) { try stream.append($0, to: &output) }
    try stream.finish(&output)
    return output
  }

  func trace(_ bytes: [UInt8], sizes: [Int]) throws -> NormalizedText {
    var stream = TracingNormalizerStream(self, invalid: .replace)
    var output = NormalizedText()
    try bytes.forEachPiece(sizes) { try stream.append($0, to: &output) }
    try stream.finish(&output)
    return output
  }
}

extension [UInt8] {
  func forEachPiece(_ sizes: [Int], _ body: (ArraySlice<UInt8>) throws -> Void) rethrows {
    var (start, index) = (0, 0)
    while start < count {
      let end = Swift.min(count, start + sizes[index % sizes.count])
      try body(self[start..<end])
      (start, index) = (end, index + 1)
    }
  }
}

@Suite struct NormalizerTests {
  @Test(
    arguments: [
      ([.caseFolding], "Stra\u{DF}e \u{1E9E} \u{130} \u{3A3}\u{3C2} \u{FB00}", "strasse ss i\u{307} \u{3C3}\u{3C3} ff"),
      (
        [.lowercase], "ABZ[`az \u{130} \u{39F}\u{3A3} \u{1F1} \u{1E9E}",
        "abz[`az i\u{307} \u{3BF}\u{3C3} \u{1F3} \u{DF}"
      ),
      ([.stripAccents], "\u{E9}e\u{301} \u{915}\u{93E}\u{20DD}", "\u{E9}e \u{915}"),
      ([.nfd, .stripAccents], "\u{E9}e\u{301} \u{1EAD} \u{111}", "ee a \u{111}"),
      ([.nfkd, .stripAccents], "\u{1EAD}\u{2026}", "a..."),
      ([.lineEndings], "a\r\nb\rc\nd\r\r\n\n\r", "a\nb\nc\nd\n\n\n\n"),
      ([.lineEndings, .nfc], "\r\u{301}e\r\n\u{301}e\u{301}", "\n\u{301}e\n\u{301}\u{E9}"),
      ([.nfd, .nfc], "\u{1E69}s\u{307}\u{323}", "\u{1E69}\u{1E69}"),
      ([.lowercase, .nfc], "A\u{30A}\u{212B}I\u{307}\u{130}", "\u{E5}\u{E5}i\u{307}i\u{307}"),
      ([.nfkc, .caseFolding], "\u{FF21}\u{33A5}", "am3"),
      ([], "\u{212B}A\r\n\0", "\u{212B}A\r\n\0"),
    ] as [([Normalizer.Step], String, String)])
  func appliesSteps(_ steps: [Normalizer.Step], _ text: String, _ expected: String) {
    #expect(Normalizer(steps).normalize(text).scalarValues == expected.scalarValues)
  }

  @Test(arguments: someNormalizers)
  func agreesWithOtherMeans(_ normalizer: Normalizer) {
    var random = CounterRandom(seed: 11, purpose: .corpus)
    let randomTexts = (0..<200).map { _ in randomText(Int.random(in: 1...60, using: &random), using: &random) }
    for text in [tortureText] + randomTexts {
      var known = String.UnicodeScalarView()
      known.append(contentsOf: text.unicodeScalars.filter { $0 != "\u{11A7}" })
      let (got, expected) = (normalizer.normalize(String(known)), reference(normalizer, String(known)))
      let same = zip(got.unicodeScalars, expected.unicodeScalars).prefix { $0 == $1 }.count
      let (gotNext, expectedNext) = (got.scalarValues.dropFirst(same), expected.scalarValues.dropFirst(same))
      #expect(
        got.unicodeScalars.elementsEqual(expected.unicodeScalars),
        "at scalar \(same): \(gotNext.prefix(8)) for \(expectedNext.prefix(8))")
    }
  }

  /// Where a text is cut into pieces changes nothing.
  @Test(arguments: 1...64)
  func readsInPiecesOfAnySize(_ size: Int) throws {
    var random = CounterRandom(seed: UInt64(size), purpose: .corpus)
    for normalizer in someNormalizers {
      for text in [tortureText, randomText(300, using: &random), "\r", "", String(repeating: "\r\n", count: 70)] {
        let bytes = Array(text.utf8)
        let whole = Array(normalizer.normalize(text).utf8)
        #expect(try normalizer.stream(bytes, sizes: [size]) == whole, "\(normalizer)")
        #expect(try normalizer.trace(bytes, sizes: [size]) == normalizer.normalizeTracing(text), "\(normalizer)")
      }
    }
  }

  /// A sequence that holds more scalars than a block, of every kind of run.
  @Test(arguments: someNormalizers)
  func readsLongTexts(_ normalizer: Normalizer) throws {
    var random = CounterRandom(seed: 3, purpose: .corpus)
    let text = randomText(20_000, using: &random) + String(repeating: "\u{AC01}", count: 9_000) + tortureText
    let whole = normalizer.normalize(text)
    #expect(try normalizer.stream(Array(text.utf8), sizes: [4093]) == Array(whole.utf8))
    #expect(normalizer.normalizeTracing(text).utf8 == Array(whole.utf8))
  }

  /// A megabyte of marks is ordered in time that a test can wait for, in pieces too.
  @Test(arguments: [NormalizationForm.nfc, .nfkd])
  func ordersAMegabyteOfMarks(_ form: NormalizationForm) throws {
    let count = 175_000
    let text = "q" + String(repeating: "\u{301}\u{323}\u{327}", count: count) + "q"
    let output = try Normalizer(form).stream(Array(text.utf8), sizes: [64])
    let sorted = ["\u{327}", "\u{323}", "\u{301}"].map { String(repeating: $0, count: count) }
    #expect(output.elementsEqual("q\(sorted.joined())q".utf8))
  }

  @Test func storesItsStepsByName() throws {
    let normalizer = Normalizer([.lineEndings, .nfkc, .caseFolding, .lowercase, .stripAccents])
    let json = #"["line-endings","nfkc","casefold","lowercase","strip-accents"]"#
    #expect(String(decoding: try JSONEncoder().encode(normalizer), as: UTF8.self) == json)
    #expect(try JSONDecoder().decode(Normalizer.self, from: Data(json.utf8)) == normalizer)
    #expect(normalizer.description == "line-endings,nfkc,casefold,lowercase,strip-accents")
    #expect(Normalizer(normalizer.description) == normalizer)
    #expect(Normalizer("none") == Normalizer() && Normalizer().description == "none")
    #expect(Normalizer("nfc,") == nil && Normalizer("NFC") == nil)
    let error = #expect(throws: Normalizer.UnknownStep.self) { try Normalizer(names: ["nfc", "nfx"]) }
    #expect(error?.description.contains("there is no normalization step \"nfx\"") ?? false)
    #expect(throws: Normalizer.UnknownStep.self) {
      try JSONDecoder().decode(Normalizer.self, from: Data(#"["x"]"#.utf8))
    }
    #expect(Normalizer.Step.allCases.filter { $0.huggingFaceName == nil } == [.caseFolding])
  }
}
