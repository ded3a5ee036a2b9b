/// How much of original texts was scored: Unicode scalars, bytes and words, before any normalization. Tokens come in order.
struct ScoredExtent: Equatable {
  /// Scalars of which at least one byte was scored.
  private(set) var characters = 0
  /// Bytes that scored tokens came from.
  private(set) var bytes = 0
  /// Runs between white space in which at least one symbol was scored.
  private(set) var words = 0

  /// Where the scalar at hand begins, and the place up to which its bytes are counted.
  private var place = 0
  private var counted = 0
  private var isInsideScoredWord = false

  init() {}

  /// A text begins.
  mutating func begin() { (place, counted, isInsideScoredWord) = (0, 0, false) }

  /// A document begins: a word does not reach into it.
  mutating func beginDocument(at place: Int, in text: PassingText) {
    advance(to: place, in: text)
    isInsideScoredWord = false
  }

  /// Adds the bytes that the next scored token came from; it may share some with those before it.
  mutating func add(_ range: Range<Int>, in text: PassingText) {
    guard !range.isEmpty else { return }
    var from = range.lowerBound
    while from < range.upperBound, let end = endOfScalar(in: text) {
      if from < end {
        let to = min(end, range.upperBound)
        bytes += max(0, to - max(counted, from))
        counted = max(counted, to)
        from = to
        guard to == end else { return }
      }
      finishScalar(end, in: text)
    }
  }

  /// No token that is still to come begins before a byte, where a scalar begins.
  mutating func advance(to end: Int, in text: PassingText) {
    while place < end, let next = endOfScalar(in: text) { finishScalar(next, in: text) }
  }

  private func endOfScalar(in text: PassingText) -> Int? { text.scalar(at: place).map { place + UTF8.width($0) } }

  private mutating func finishScalar(_ end: Int, in text: PassingText) {
    let isScored = counted > place
    if isScored { characters += 1 }
    if text.scalar(at: place)?.properties.isWhitespace ?? true {
      isInsideScoredWord = false
    } else if isScored && !isInsideScoredWord {
      words += 1
      isInsideScoredWord = true
    }
    (place, counted) = (end, end)
  }
}
