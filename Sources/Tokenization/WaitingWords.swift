/// Normalized and marked text whose last word may not have ended.
struct WaitingWords {
  /// The text.
  var bytes: [UInt8] = []
  /// How long it gets before it is looked at.
  private var enough: Int
  /// How much is looked at at once; in it every distinct word is treated once.
  private let batch: Int

  /// Bytes after a word that are looked at before it is known to end: a contraction's.
  static let lookahead = 4

  init(batch: Int) { (self.batch, enough) = (batch, batch) }

  /// Whether it is worth looking at.
  var isEnough: Bool { bytes.count >= enough }

  /// Takes away the words that were treated.
  ///
  /// - Throws: ``VocabularyError`` where what is left is too long for a word.
  mutating func removeFirst(_ count: Int) throws {
    bytes.removeFirst(count)
    // A word without end in sight is not looked at again before there is twice as much of it.
    enough = max(batch, 2 * bytes.count)
    guard bytes.count <= EncodingStream.longestWord else { throw VocabularyError.tooLongWord }
  }
}
