/// Finds the end of a sentence as text comes: a full stop, question or exclamation mark or their like, perhaps closing
/// quotes or brackets, then white space, which is not part of it. After the full stops of Chinese and Japanese no space is
/// wanted.
///
/// Simpler than the rules of Unicode (UAX #29), which look ahead: abbreviations end sentences here.
package struct SentenceEnd: Sendable {
  private enum Place { case within, afterMark, afterWideMark }

  private var place = Place.within

  package init() {}

  private static let marks = Set<Unicode.Scalar>([".", "!", "?", "…", "‽", "؟", "۔", "।", "॥", "։", "።", "။", "។"])
  private static let wideMarks = Set<Unicode.Scalar>(["。", "！", "？", "．", "｡"])

  /// The beginning of `text` that belongs to the sentence, where the sentence ends in it; nil where it goes on.
  package mutating func end(in text: String) -> String? {
    var sentence = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if isOver(before: scalar) { return String(sentence) }
      sentence.append(scalar)
    }
    return nil
  }

  private mutating func isOver(before scalar: Unicode.Scalar) -> Bool {
    if Self.marks.contains(scalar) {
      place = place == .afterWideMark ? .afterWideMark : .afterMark
    } else if Self.wideMarks.contains(scalar) {
      place = .afterWideMark
    } else if place != .within && !Self.closes(scalar) {
      if place == .afterWideMark || scalar.properties.isWhitespace { return true }
      place = .within
    }
    return false
  }

  /// Quotes and brackets that may stand between the mark and the space.
  private static func closes(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .closePunctuation, .finalPunctuation: true
    default: scalar == "\"" || scalar == "'" || scalar == "“" || scalar == "‘"
    }
  }
}
