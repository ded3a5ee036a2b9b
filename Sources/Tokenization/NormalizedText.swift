import UnicodeText

/// A text as normalized, with the way back to the bytes of the original.
struct NormalizedText {
  let text: String
  /// Stretches of the normalized text in order; empty where it is the original, or where offsets are not wanted.
  private var stretches: [Stretch] = []

  /// Bytes of the normalized text and where they came from.
  private struct Stretch {
    /// The first byte, in the normalized text and in the original.
    let start, originalStart: Int
    /// The end in the original.
    var originalEnd: Int
    /// Whether both have the same bytes, so that every byte has its own place; else all come from the whole stretch.
    let isSame: Bool
  }

  /// - Parameter keepsOffsets: Whether ``original(_:)`` will be asked.
  init(_ original: String, _ form: NormalizationForm, keepsOffsets: Bool) {
    text = form.normalize(original)
    guard keepsOffsets, !text.utf8.elementsEqual(original.utf8) else { return }
    // Normalization never reaches beyond a grapheme cluster.
    var (start, originalStart) = (0, 0)
    for cluster in original {
      let cluster = String(cluster)
      let normalized = form.normalize(cluster)
      let isSame = normalized.utf8.elementsEqual(cluster.utf8)
      let originalEnd = originalStart + cluster.utf8.count
      if isSame, let last = stretches.last, last.isSame {
        stretches[stretches.count - 1].originalEnd = originalEnd
      } else {
        stretches.append(
          Stretch(start: start, originalStart: originalStart, originalEnd: originalEnd, isSame: isSame))
      }
      start += normalized.utf8.count
      originalStart = originalEnd
    }
    if start != text.utf8.count {
      stretches = [Stretch(start: 0, originalStart: 0, originalEnd: original.utf8.count, isSame: false)]
    }
  }

  /// The bytes of the original that a range of the normalized text's bytes came from.
  func original(_ range: Range<Int>) -> Range<Int> {
    guard !stretches.isEmpty, !range.isEmpty else { return range }
    let (first, last) = (stretch(of: range.lowerBound), stretch(of: range.upperBound - 1))
    let lower = first.isSame ? first.originalStart + range.lowerBound - first.start : first.originalStart
    let upper = last.isSame ? last.originalStart + range.upperBound - last.start : last.originalEnd
    return lower..<upper
  }

  /// The stretch that a byte of the normalized text is in.
  private func stretch(of byte: Int) -> Stretch {
    var (low, high) = (0, stretches.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if stretches[middle].start <= byte { low = middle } else { high = middle }
    }
    return stretches[low]
  }
}
