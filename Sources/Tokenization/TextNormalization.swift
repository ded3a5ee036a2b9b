import UnicodeText

/// What becomes of a text before it is cut into symbols, in training, prompting and scoring alike: steps one after
/// another. A tokenizer carries it.
public struct TextNormalization: Sendable, Equatable {
  /// One thing that is done to a whole text.
  public enum Step: Sendable, Equatable {
    /// Unicode's forms, cases, marks and line endings.
    case unicode(Normalizer)
    /// Puts a text before every text that is not empty.
    case prepend(String)
    /// Replaces every occurrence of a text, the leftmost first.
    case replace(String, by: String)
    /// Takes white space from the ends.
    case strip(left: Bool, right: Bool)
    /// What a sentencepiece model says of its text.
    case sentencePiece(SentencePieceRules)
  }

  /// The steps, first to last. None leaves text as it is.
  public let steps: [Step]

  /// Steps in their order; neighbours that are Unicode's become one.
  public init(_ steps: [Step] = []) {
    self.steps = steps.reduce(into: []) { joined, step in
      if case .unicode(let next) = step, case .unicode(let last) = joined.last {
        joined[joined.count - 1] = .unicode(Normalizer(last.steps + next.steps))
      } else {
        joined.append(step)
      }
    }
    .filter { $0 != .unicode(Normalizer()) }
  }

  public init(_ normalizer: Normalizer) { self.init([.unicode(normalizer)]) }

  public init(_ form: NormalizationForm) { self.init(Normalizer(form)) }

  /// Unicode's steps by their names with commas between, such as `nfkc,lowercase`; `none` stands for no step.
  public init(names: String) throws(Normalizer.UnknownStep) {
    try self.init(Normalizer(names: names.split(separator: ",", omittingEmptySubsequences: false).map(String.init)))
  }

  public static let none = TextNormalization()
  public static let nfc = TextNormalization(NormalizationForm.nfc)
  public static let nfd = TextNormalization(NormalizationForm.nfd)
  public static let nfkc = TextNormalization(NormalizationForm.nfkc)
  public static let nfkd = TextNormalization(NormalizationForm.nfkd)

  /// The text after all steps.
  public func normalize(_ text: String) -> String { steps.reduce(text) { $1.normalize($0) } }

  /// The text after all steps, with the place in `text` that every scalar came from. It costs 24 bytes a scalar.
  public func normalizeTracing(_ text: String) -> NormalizedText {
    guard var traced = steps.first?.normalizeTracing(text) else { return Normalizer().normalizeTracing(text) }
    for step in steps.dropFirst() { traced = step.normalizeTracing(traced.text).traced(through: traced) }
    return traced
  }

  /// Whether spaces become U+2581, the mark that a word begins, so that tokens are to be read with spaces for it.
  var marksSpaces: Bool { steps.contains(.replace(" ", by: "\u{2581}")) }

  /// Whether a space, or its mark, is put before every text.
  var prependsSpace: Bool {
    steps.contains { step in
      switch step {
      case .prepend(let prefix): prefix == " " || prefix == "\u{2581}"
      case .sentencePiece(let rules): rules.addsDummyPrefix
      case .unicode, .replace, .strip: false
      }
    }
  }
}

extension TextNormalization: CustomStringConvertible {
  /// The names of the steps with commas between, or `none`.
  public var description: String { steps.isEmpty ? "none" : steps.map(\.description).joined(separator: ",") }
}

extension TextNormalization.Step: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unicode(let normalizer): normalizer.description
    case .prepend(let prefix): "prepend \(prefix.debugDescription)"
    case .replace(let text, let by): "replace \(text.debugDescription) by \(by.debugDescription)"
    case .strip(true, false): "strip-left"
    case .strip(false, true): "strip-right"
    case .strip: "strip"
    case .sentencePiece: "sentencepiece"
    }
  }
}

extension TextNormalization.Step {
  func normalize(_ text: String) -> String {
    switch self {
    case .unicode(let normalizer): return normalizer.normalize(text)
    case .sentencePiece(let rules): return rules.normalize(text)
    case .prepend, .replace, .strip:
      let bytes = Array(text.utf8)
      return TextEdit.applied(edits(of: bytes), to: bytes)
    }
  }

  func normalizeTracing(_ text: String) -> NormalizedText {
    switch self {
    case .unicode(let normalizer): return normalizer.normalizeTracing(text)
    case .sentencePiece(let rules): return rules.normalizeTracing(text)
    case .prepend, .replace, .strip:
      let bytes = Array(text.utf8)
      return TextEdit.traced(edits(of: bytes), in: bytes)
    }
  }

  private func edits(of bytes: [UInt8]) -> [TextEdit] {
    switch self {
    case .prepend(let prefix): bytes.isEmpty ? [] : [TextEdit(range: 0..<0, replacement: prefix)]
    case .replace(let text, let by):
      SpecialSymbol.segments(
        of: String(decoding: bytes, as: UTF8.self), [SpecialSymbol(bytes: Array(text.utf8), id: 0)]
      )
      .filter { $0.symbol != nil }.map { TextEdit(range: $0.range, replacement: by) }
    case .strip(let left, let right): TextEdit.strip(bytes, left: left, right: right) { $0.properties.isWhitespace }
    case .unicode, .sentencePiece: []
    }
  }
}

/// Bytes of a text that become something else.
struct TextEdit {
  let range: Range<Int>
  let replacement: String

  /// Takes scalars from the ends of a text.
  static func strip(
    _ bytes: [UInt8], left: Bool, right: Bool, _ isTaken: (Unicode.Scalar) -> Bool
  ) -> [TextEdit] {
    var (start, end) = (0, bytes.count)
    while left && start < end {
      let (scalar, width) = WordScanner.scalar(bytes, start)
      guard isTaken(scalar) else { break }
      start += width
    }
    while right && end > start {
      var first = end - 1
      while bytes[first] & 0xC0 == 0x80 { first -= 1 }
      guard isTaken(WordScanner.scalar(bytes, first).scalar) else { break }
      end = first
    }
    return [0..<start, end..<bytes.count].filter { !$0.isEmpty }.map { TextEdit(range: $0, replacement: "") }
  }

  /// The text after edits, which are in order and apart.
  static func applied(_ edits: [TextEdit], to bytes: [UInt8]) -> String {
    var (output, place): ([UInt8], Int) = ([], 0)
    output.reserveCapacity(bytes.count)
    for edit in edits {
      output += bytes[place..<edit.range.lowerBound]
      output += Array(edit.replacement.utf8)
      place = edit.range.upperBound
    }
    return String(decoding: output + bytes[place...], as: UTF8.self)
  }

  /// The text after edits, with the place that every scalar came from.
  static func traced(_ edits: [TextEdit], in bytes: [UInt8]) -> NormalizedText {
    var (output, place) = (NormalizedText(), 0)
    func keep(before end: Int) {
      while place < end {
        let (scalar, width) = WordScanner.scalar(bytes, place)
        output.append(scalar, source: place..<place + width)
        place += width
      }
    }
    for edit in edits {
      keep(before: edit.range.lowerBound)
      for scalar in edit.replacement.unicodeScalars { output.append(scalar, source: edit.range) }
      place = edit.range.upperBound
    }
    keep(before: bytes.count)
    return output
  }
}
