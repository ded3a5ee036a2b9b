import Tokenization

/// How much of an original text was scored: Unicode scalars, bytes and words, before any normalization.
struct ScoredExtent: Equatable {
  /// Scalars of which at least one byte was scored.
  var characters = 0
  /// Bytes that scored tokens came from.
  var bytes = 0
  /// Runs between white space in which at least one symbol was scored.
  var words = 0

  init() {}

  /// - Parameter offsets: The bytes of the text that each scored token came from, in order; some may share bytes.
  init(of text: String, scored offsets: some Collection<Range<Int>>) {
    var offsets = offsets.makeIterator()
    var next = offsets.next()
    var place = 0
    var isInsideScoredWord = false
    for scalar in text.unicodeScalars {
      let end = place + UTF8.width(scalar)
      var counted = place
      while let range = next, range.lowerBound < end {
        let from = max(counted, range.lowerBound)
        let to = min(end, range.upperBound)
        if to > from { bytes += to - from }
        counted = max(counted, to)
        if range.upperBound > end { break }
        next = offsets.next()
      }
      let isScored = counted > place
      if isScored { characters += 1 }
      if scalar.properties.isWhitespace {
        isInsideScoredWord = false
      } else if isScored && !isInsideScoredWord {
        words += 1
        isInsideScoredWord = true
      }
      place = end
    }
  }
}
