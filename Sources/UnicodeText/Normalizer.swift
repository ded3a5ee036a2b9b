/// Steps that every text goes through before it is cut into symbols, in training, prompting and scoring alike.
///
/// All Unicode data comes from libutf8proc (2.8: Unicode 15). The time is linear in the text; ASCII is copied.
public struct Normalizer: Sendable, Hashable {
  public enum Step: String, Sendable, CaseIterable {
    /// A Unicode normalization form (UAX #15).
    case nfc, nfd, nfkc, nfkd
    /// Full case folding of every scalar, without the Turkic mappings (CaseFolding.txt, status C and F): ß becomes ss.
    /// The result need not be normalized: for caseless matching (Unicode 16, D145), fold between two forms.
    case caseFolding = "casefold"
    /// The full lowercase of every scalar by itself, in no language: İ becomes i and U+0307, every Σ becomes σ.
    case lowercase
    /// Leaves out every mark: the scalars of general category Mn, Mc and Me, as Hugging Face's `StripAccents` does. It
    /// decomposes nothing: é loses its accent only where ``nfd`` or ``nfkd`` came before. Vowel signs of Indic scripts
    /// are marks too.
    case stripAccents = "strip-accents"
    /// CR LF, and CR alone, become LF.
    case lineEndings = "line-endings"

    var form: NormalizationForm? {
      switch self {
      case .nfc: .nfc
      case .nfd: .nfd
      case .nfkc: .nfkc
      case .nfkd: .nfkd
      case .caseFolding, .lowercase, .stripAccents, .lineEndings: nil
      }
    }

    /// The `type` of the normalizer in Hugging Face's tokenizer.json that does the same (by an older Unicode), or nil
    /// for ``caseFolding``, which has none. ``lineEndings`` is `Replace`, of ``lineEndingPattern`` by a line feed.
    public var huggingFaceName: String? {
      switch self {
      case .nfc: "NFC"
      case .nfd: "NFD"
      case .nfkc: "NFKC"
      case .nfkd: "NFKD"
      case .caseFolding: nil
      case .lowercase: "Lowercase"
      case .stripAccents: "StripAccents"
      case .lineEndings: "Replace"
      }
    }

    /// The regular expression of a line ending that ``lineEndings`` replaces.
    public static let lineEndingPattern = "\\r\\n?"

    var inertFlag: ScalarTables.Flags {
      switch self {
      case .nfc: .inertInNFC
      case .nfd: .inertInNFD
      case .nfkc: .inertInNFKC
      case .nfkd: .inertInNFKD
      case .caseFolding: .isItsFolding
      case .lowercase: .isItsLowercase
      case .stripAccents: .isNoMark
      case .lineEndings: .isNoLineEnding
      }
    }
  }

  /// A name that no step has.
  public struct UnknownStep: Error, Equatable, CustomStringConvertible {
    public let name: String

    public var description: String {
      "there is no normalization step \(name.debugDescription); there are: "
        + Step.allCases.map(\.rawValue).joined(separator: ", ")
    }
  }

  /// The steps, first to last. None leaves text as it is.
  public let steps: [Step]

  public init(_ steps: [Step] = []) { self.steps = steps }

  public init(_ form: NormalizationForm) { steps = Step(rawValue: form.rawValue).map { [$0] } ?? [] }

  /// Steps by their names; `none` stands for no step.
  public init(names: [String]) throws(UnknownStep) {
    var steps: [Step] = []
    for name in names where name != NormalizationForm.none.rawValue {
      guard let step = Step(rawValue: name) else { throw UnknownStep(name: name) }
      steps.append(step)
    }
    self.steps = steps
  }

  /// The names of the steps, which ``init(names:)`` reads.
  public var names: [String] { steps.map(\.rawValue) }

  /// The text after all steps. A text that they leave as it is costs one pass and no copy.
  public func normalize(_ text: String) -> String {
    if steps.isEmpty { return text }
    var text = text
    let changed = text.withUTF8 { bytes -> [UInt8]? in
      let scan = InertScan(steps)
      if !scan.changesASCII && scan.run(bytes, from: 0, joinsCR: false).end == bytes.count { return nil }
      var output: [UInt8] = []
      output.reserveCapacity(bytes.count + bytes.count / 8)
      var stream = NormalizerStream(self, invalid: .replace)
      stream.append(valid: bytes, to: &output)
      return output
    }
    return changed.map { String(decoding: $0, as: UTF8.self) } ?? text
  }

  /// The text after all steps, with the place in `text` that every scalar came from. It costs 24 bytes a scalar.
  public func normalizeTracing(_ text: String) -> NormalizedText {
    var text = text
    return text.withUTF8 { bytes in
      var output = NormalizedText()
      var stream = TracingNormalizerStream(self, invalid: .replace)
      stream.append(valid: bytes, to: &output)
      return output
    }
  }
}

extension Normalizer: Codable {
  /// An array of names, such as `["nfkc", "casefold"]`.
  public init(from decoder: any Decoder) throws {
    try self.init(names: decoder.singleValueContainer().decode([String].self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(names)
  }
}

extension Normalizer: LosslessStringConvertible {
  /// The names of the steps with commas between, such as `nfkc,casefold`, or `none`.
  public var description: String { steps.isEmpty ? NormalizationForm.none.rawValue : names.joined(separator: ",") }

  public init?(_ description: String) {
    let names = description.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard let normalizer = try? Normalizer(names: names) else { return nil }
    self = normalizer
  }
}
