import Tokenization

/// Tokens that are known and not read yet, with the texts that they are of.
struct TokenQueue {
  private(set) var ids: [Int32] = []
  /// The bytes of its text that each token came from.
  private(set) var bytes: [Range<Int>] = []
  /// Of each token, the index of its text.
  private(set) var texts: [Int] = []

  var count: Int { ids.count }

  mutating func add(_ id: Int32, _ bytes: Range<Int>, text: Int) {
    ids.append(id)
    self.bytes.append(bytes)
    texts.append(text)
  }

  mutating func add(_ ids: [Int32], _ offsets: [Range<Int>], from start: Int, text: Int) {
    precondition(ids.count == offsets.count, "\(ids.count) tokens with \(offsets.count) places")
    self.ids += ids
    bytes += offsets.lazy.map { $0.lowerBound + start..<$0.upperBound + start }
    texts += repeatElement(text, count: ids.count)
  }

  mutating func removeFirst(_ count: Int) {
    ids.removeFirst(count)
    bytes.removeFirst(count)
    texts.removeFirst(count)
  }
}
