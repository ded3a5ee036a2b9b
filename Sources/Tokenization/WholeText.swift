/// A text that comes in pieces and is looked at as a whole: kept until it ends, up to ``EncodingStream/longestWord`` bytes.
struct WholeText {
  private(set) var bytes: [UInt8] = []

  /// - Throws: `refusal` for a text that is too long to be kept.
  mutating func append(_ text: ArraySlice<UInt8>, orThrow refusal: @autoclosure () -> VocabularyError) throws {
    bytes += text
    guard bytes.count <= EncodingStream.longestWord else { throw refusal() }
  }
}
