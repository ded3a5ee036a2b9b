/// Byte-pair encoding (Gage 1994; Sennrich, Haddow & Birch 2016): a word begins as its bytes or scalars, and the
/// adjacent pair that was merged first in training is joined until no pair is left that was.
package struct BytePairModel: Sendable {
  /// A rule: two tokens that stand side by side become a third. The earlier rule of two goes first.
  package struct Merge: Equatable, Sendable {
    package let left, right, result: Int32
  }

  /// What a word is cut into before the first merge.
  package enum Alphabet: Sendable {
    case bytes
    /// Unicode scalars; one that has no token becomes its bytes where `byteFallback`.
    case scalars(byteFallback: Bool)
  }

  package let alphabet: Alphabet
  package let vocabulary: SubwordVocabulary
  package let merges: [Merge]
  let fusesUnknown: Bool
  /// The place of a pair's merge in ``merges``.
  private let ranks: PairTable
  private let sentencePiece: SentencePieceManner?

  /// What sentencepiece's own program does in another way than Hugging Face's.
  struct SentencePieceManner: Sendable {
    /// Which merge goes first, the smallest; of equals the one further left. One for each merge, and never descending.
    let priorities: [Int32]
    /// Symbols that are found in a word before all else, and never merged.
    let kept: [SpecialSymbol]
  }

  /// - Parameters:
  ///   - merges: Of ids of the vocabulary; a pair stands once.
  ///   - fusesUnknown: Whether unknown scalars side by side are one unknown symbol, as they are for sentencepiece.
  init(
    _ vocabulary: SubwordVocabulary, alphabet: Alphabet, merges: [Merge], fusesUnknown: Bool = false,
    sentencePiece: SentencePieceManner? = nil
  ) {
    self.vocabulary = vocabulary
    self.fusesUnknown = fusesUnknown || sentencePiece != nil
    self.sentencePiece = sentencePiece
    self.alphabet = alphabet
    self.merges = merges
    var ranks = PairTable(capacity: merges.count)
    for (rank, merge) in merges.enumerated() {
      ranks.insert(PairTable.key(merge.left, merge.right), Int32(rank))
    }
    self.ranks = ranks
  }

  private static let none = Int32.max
  /// Words of more symbols are merged with a queue.
  private static let shortWord = 40

  /// Memory that the encoding of one word leaves to the next.
  package struct Scratch {
    package init() {}

    fileprivate var ids: [Int32] = []
    fileprivate var lengths: [Int32] = []
    /// The rank of each symbol with the next one.
    fileprivate var ranks: [Int32] = []
    fileprivate var previous: [Int32] = []
    fileprivate var next: [Int32] = []
    fileprivate var queue = PriorityQueue<UInt64>()
  }

  /// Appends the tokens of a word. Time is n log n in its symbols.
  package func encode(_ bytes: [UInt8], _ word: Range<Int>, _ scratch: inout Scratch, into tokens: inout SubwordTokens)
  {
    begin(bytes, word, &scratch)
    if scratch.ids.count > Self.shortWord { mergeByQueue(&scratch) } else { mergeByScanning(&scratch) }
    if fusesUnknown { fuseUnknown(&scratch) }
    tokens.ids += scratch.ids
    tokens.lengths += scratch.lengths
  }

  /// The word's bytes or scalars.
  private func begin(_ bytes: [UInt8], _ word: Range<Int>, _ scratch: inout Scratch) {
    scratch.ids.removeAll(keepingCapacity: true)
    scratch.lengths.removeAll(keepingCapacity: true)
    switch alphabet {
    case .bytes:
      for byte in bytes[word] {
        scratch.ids.append(vocabulary.byteIDs[Int(byte)])
        scratch.lengths.append(1)
      }
    case .scalars(let byteFallback):
      var place = word.lowerBound
      while place < word.upperBound {
        if let symbol = kept(bytes, place, word.upperBound) {
          scratch.ids.append(symbol.id)
          scratch.lengths.append(Int32(symbol.bytes.count))
          place += symbol.bytes.count
          continue
        }
        let (scalar, width) = WordScanner.scalar(bytes, place)
        let id = vocabulary.id(of: scalar)
        if id >= 0 || !byteFallback {
          scratch.ids.append(id)
          scratch.lengths.append(Int32(width))
        } else {
          for byte in bytes[place..<place + width] {
            scratch.ids.append(vocabulary.byteIDs[Int(byte)])
            scratch.lengths.append(1)
          }
        }
        place += width
      }
    }
  }

  /// The longest symbol that is found before all else at a place.
  @inline(__always)
  private func kept(_ bytes: [UInt8], _ place: Int, _ end: Int) -> SpecialSymbol? {
    guard let symbols = sentencePiece?.kept, !symbols.isEmpty else { return nil }
    return symbols.filter { bytes[place..<end].starts(with: $0.bytes) }.max { $0.bytes.count < $1.bytes.count }
  }

  private func fuseUnknown(_ scratch: inout Scratch) {
    for place in scratch.ids.indices.dropFirst() where scratch.ids[place] == SubwordTokens.unknown {
      if scratch.ids[place - 1] < 0 { scratch.ids[place] = SubwordTokens.moreUnknown }
    }
  }

  /// What decides between merges: the place among all, or what the model says.
  @inline(__always)
  private func priority(_ rank: Int32) -> Int32 {
    guard let sentencePiece, rank != Self.none else { return rank }
    return sentencePiece.priorities[Int(rank)]
  }

  @inline(__always)
  private func rank(_ left: Int32, _ right: Int32) -> Int32 {
    left < 0 || right < 0 ? Self.none : ranks.value(PairTable.key(left, right)) ?? Self.none
  }

  /// For short words: looks through all pairs for each merge.
  private func mergeByScanning(_ scratch: inout Scratch) {
    scratch.ranks.removeAll(keepingCapacity: true)
    for place in 0..<max(0, scratch.ids.count - 1) {
      scratch.ranks.append(rank(scratch.ids[place], scratch.ids[place + 1]))
    }
    while true {
      var (first, place) = (Self.none, 0)
      for (other, rank) in scratch.ranks.enumerated() where priority(rank) < first {
        (first, place) = (priority(rank), other)
      }
      guard first != Self.none else { return }
      let best = scratch.ranks[place]
      scratch.ids[place] = merges[Int(best)].result
      scratch.lengths[place] += scratch.lengths[place + 1]
      scratch.ids.remove(at: place + 1)
      scratch.lengths.remove(at: place + 1)
      scratch.ranks.remove(at: place)
      if place > 0 { scratch.ranks[place - 1] = rank(scratch.ids[place - 1], scratch.ids[place]) }
      if place < scratch.ranks.count { scratch.ranks[place] = rank(scratch.ids[place], scratch.ids[place + 1]) }
    }
  }

  /// For long words: a linked list of symbols and a queue of (rank, place), the first of which is merged.
  private func mergeByQueue(_ scratch: inout Scratch) {
    let count = scratch.ids.count
    precondition(count < Int32.max, "a word must have less than 2³¹ symbols")
    scratch.previous = (0..<count).map { Int32($0) - 1 }
    scratch.next = (0..<count).map { Int32($0) + 1 }
    scratch.ranks = Array(repeating: Self.none, count: count)
    scratch.queue.removeAll()
    for place in 0..<count - 1 { offer(place, &scratch) }
    while let first = scratch.queue.popFirst() {
      let place = Int(first & 0xFFFF_FFFF)
      // What was merged away, or has another neighbour by now, is passed over.
      guard UInt64(priority(scratch.ranks[place])) == first >> 32 else { continue }
      let taken = Int(scratch.next[place])
      let after = scratch.next[taken]
      scratch.ids[place] = merges[Int(scratch.ranks[place])].result
      scratch.lengths[place] += scratch.lengths[taken]
      scratch.lengths[taken] = 0
      scratch.ranks[taken] = Self.none
      scratch.next[place] = after
      if after < count { scratch.previous[Int(after)] = Int32(place) }
      offer(place, &scratch)
      if scratch.previous[place] >= 0 { offer(Int(scratch.previous[place]), &scratch) }
    }
    var kept = 0
    for place in 0..<count where scratch.lengths[place] > 0 {
      scratch.ids[kept] = scratch.ids[place]
      scratch.lengths[kept] = scratch.lengths[place]
      kept += 1
    }
    scratch.ids.removeLast(count - kept)
    scratch.lengths.removeLast(count - kept)
  }

  /// Puts the pair that begins at a place into the queue, where a merge joins it.
  private func offer(_ place: Int, _ scratch: inout Scratch) {
    let next = Int(scratch.next[place])
    scratch.ranks[place] = next < scratch.ids.count ? rank(scratch.ids[place], scratch.ids[next]) : Self.none
    guard scratch.ranks[place] != Self.none else { return }
    scratch.queue.insert(UInt64(priority(scratch.ranks[place])) << 32 | UInt64(place))
  }
}
