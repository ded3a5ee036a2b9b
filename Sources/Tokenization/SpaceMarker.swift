/// Marks the beginnings of words in a text that comes in pieces, as ``PreTokenization/metaspace(prepend:splits:)`` says;
/// other kinds leave a text as it is.
struct SpaceMarker {
  private let hasMarks: Bool
  /// Whether a mark is to stand before the text, which has not begun.
  private var isWanted = false

  /// - Parameter isFirst: Whether the text is the beginning of all.
  init(_ preTokenization: PreTokenization, isFirst: Bool) {
    guard case .metaspace(let prepend, _) = preTokenization else {
      hasMarks = false
      return
    }
    hasMarks = true
    isWanted = prepend == .always || (prepend == .first && isFirst)
  }

  /// Takes whole scalars of normalized text.
  mutating func append(_ text: [UInt8], to marked: inout [UInt8]) {
    guard hasMarks else {
      marked += text
      return
    }
    guard !text.isEmpty else { return }
    if isWanted && text.first != UInt8(ascii: " ") && !text.starts(with: PreTokenization.mark) {
      marked += PreTokenization.mark
    }
    isWanted = false
    for byte in text {
      if byte == UInt8(ascii: " ") { marked += PreTokenization.mark } else { marked.append(byte) }
    }
  }

  /// Ends the text; one of which normalization left nothing is its mark alone.
  mutating func finish(_ marked: inout [UInt8]) {
    if isWanted { marked += PreTokenization.mark }
    isWanted = false
  }
}
