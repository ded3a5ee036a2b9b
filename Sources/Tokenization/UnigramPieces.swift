#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The pieces of a unigram model in training.
struct UnigramPieces {
  /// A piece; its score is ln p.
  struct Piece {
    let bytes: [UInt8]
    /// Whether it is a single scalar, which is never pruned.
    let isScalar: Bool
    var score: Double
  }

  private(set) var pieces: [Piece]

  /// - Parameter weighted: Pieces with weights that are proportional to p in place of scores.
  init(weighted: [Piece]) {
    let total = log(weighted.reduce(0) { $0 + $1.score })
    pieces = weighted.map { Piece(bytes: $0.bytes, isScalar: $0.isScalar, score: log($0.score) - total) }
  }

  /// The likeliest first; equals by their bytes.
  func sorted() -> [Piece] {
    pieces.sorted { $0.score != $1.score ? $0.score > $1.score : $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }

  /// Rounds of expectation and maximization between two prunings.
  private static let rounds = 2
  /// What part of the pieces a pruning keeps.
  private static let shrinking = 0.75
  /// Pieces that are expected less often are dropped. With 0.5, as in sentencepiece, text that was not trained on
  /// takes 0.5 to 1.5 % more tokens (tinyshakespeare, the KJV, Russian fortunes).
  private static let leastCount = 1.0

  /// Trains and prunes until `size` pieces are left, or fewer where the text gives no more.
  mutating func train(on corpus: UnigramCorpus, to size: Int) {
    let nearly = size + size / 10
    while true {
      for _ in 0..<Self.rounds { maximize(expectation(corpus), keeping: size) }
      guard pieces.count > nearly else { break }
      prune(corpus, to: max(nearly, Int(Double(pieces.count) * Self.shrinking)), least: nearly)
    }
    let sorted = sorted()
    let wanted = max(0, size - sorted.count(where: \.isScalar))
    pieces = sorted.filter(\.isScalar) + sorted.lazy.filter { !$0.isScalar }.prefix(wanted)
    for _ in 0..<Self.rounds { estimate(expectation(corpus)) }
  }

  // MARK: Expectation and maximization

  /// How often each piece is expected in the corpus, over all cuts by their probabilities (forward-backward).
  private func expectation(_ corpus: UnigramCorpus) -> [Double] {
    let trie = PieceTrie(pieces.map(\.bytes))
    var expected = [Double](repeating: 0, count: pieces.count)
    var edges: [(start: Int, end: Int, id: Int)] = []
    var (forward, backward): ([Double], [Double]) = ([], [])
    for (word, count) in zip(corpus.words, corpus.counts) {
      edges.removeAll(keepingCapacity: true)
      forward = Array(repeating: -.infinity, count: word.count + 1)
      backward = forward
      forward[0] = 0
      backward[word.count] = 0
      var start = word.lowerBound
      while start < word.upperBound {
        let begin = start - word.lowerBound
        trie.forEachPiece(corpus.bytes, start, before: word.upperBound) { end, id in
          edges.append((begin, end - word.lowerBound, Int(id)))
          let path = forward[begin] + pieces[Int(id)].score
          forward[end - word.lowerBound] = logSum(forward[end - word.lowerBound], path)
        }
        start += WordScanner.width(corpus.bytes[start])
      }
      for edge in edges.reversed() {
        backward[edge.start] = logSum(backward[edge.start], backward[edge.end] + pieces[edge.id].score)
      }
      for edge in edges {
        let path = forward[edge.start] + pieces[edge.id].score + backward[edge.end]
        expected[edge.id] += Double(count) * exp(path - forward[word.count])
      }
    }
    return expected
  }

  /// New scores from expected counts, by the digamma function as in variational Bayes, which makes rare pieces rarer.
  ///
  /// - Parameter size: How many pieces are kept at least, however rare.
  private mutating func maximize(_ expected: [Double], keeping size: Int) {
    let others = pieces.indices.filter { !pieces[$0].isScalar }
    let frequent = others.count { expected[$0] >= Self.leastCount }
    var kept = Set(pieces.indices.filter { pieces[$0].isScalar })
    if kept.count + frequent >= size {
      kept.formUnion(others.filter { expected[$0] >= Self.leastCount })
    } else {
      let sorted = others.sorted { (expected[$1], $0) < (expected[$0], $1) }
      kept.formUnion(sorted.prefix(max(0, size - kept.count)))
    }
    let counts = kept.sorted().map { (id: $0, count: max(expected[$0], Self.leastCount)) }
    let total = digamma(counts.reduce(0) { $0 + $1.count })
    pieces = counts.map { id, count in
      Piece(bytes: pieces[id].bytes, isScalar: pieces[id].isScalar, score: digamma(count) - total)
    }
  }

  /// The last scores: the expected counts' share, so that probabilities add up to 1.
  private mutating func estimate(_ expected: [Double]) {
    let counts = expected.map { max($0, Self.leastCount) }
    let total = log(counts.reduce(0, +))
    for id in pieces.indices { pieces[id].score = log(counts[id]) - total }
  }

  // MARK: Pruning

  /// Keeps the pieces without which the corpus, each word cut at its best, would be least likely.
  ///
  /// - Parameter least: How many are kept even where some of them are in no best cut; of those, the likeliest.
  private mutating func prune(_ corpus: UnigramCorpus, to size: Int, least: Int) {
    let trie = PieceTrie(pieces.map(\.bytes))
    var lattice = BestCut(scores: pieces.map(\.score))
    var used = [Double](repeating: 0, count: pieces.count)
    for (word, count) in zip(corpus.words, corpus.counts) {
      for id in lattice.find(trie, corpus.bytes, word, without: -1) { used[Int(id)] += Double(count) }
    }
    let total = used.reduce(0, +)
    var candidates: [(id: Int, loss: Double)] = []
    var unused: [Int] = []
    for (id, piece) in pieces.enumerated() where !piece.isScalar {
      guard used[id] > 0 else {
        unused.append(id)
        continue
      }
      let others = lattice.find(trie, piece.bytes, 0..<piece.bytes.count, without: Int32(id))
      // Without the piece, its place is taken by the others, which become more frequent.
      let newTotal = log(total + used[id] * Double(others.count - 1))
      let alternative = others.reduce(0) { $0 + log(used[Int($1)] + used[id]) - newTotal }
      candidates.append((id, used[id] * (log(used[id]) - log(total) - alternative)))
    }
    candidates.sort { ($1.loss, $0.id) < ($0.loss, $1.id) }
    unused.sort { (pieces[$1].score, $0) < (pieces[$0].score, $1) }
    let kept = pieces.indices.filter { pieces[$0].isScalar } + candidates.map(\.id)
    pieces = (kept.prefix(size) + unused.prefix(max(0, least - kept.count))).map { pieces[$0] }
  }

  /// The likeliest cut of a word whose scalars are all pieces.
  private struct BestCut {
    let scores: [Double]
    private var best: [Double] = []
    private var starts: [Int] = []
    private var ids: [Int32] = []

    init(scores: [Double]) { self.scores = scores }

    /// - Parameter without: A piece that may not be used; −1 for none.
    mutating func find(_ trie: PieceTrie, _ bytes: [UInt8], _ word: Range<Int>, without: Int32) -> [Int32] {
      best = Array(repeating: -.infinity, count: word.count + 1)
      starts = Array(repeating: 0, count: word.count + 1)
      ids = Array(repeating: -1, count: word.count + 1)
      best[0] = 0
      var start = word.lowerBound
      while start < word.upperBound {
        let begin = start - word.lowerBound
        trie.forEachPiece(bytes, start, before: word.upperBound) { end, id in
          let score = best[begin] + scores[Int(id)]
          guard id != without, score > best[end - word.lowerBound] else { return }
          best[end - word.lowerBound] = score
          starts[end - word.lowerBound] = begin
          ids[end - word.lowerBound] = id
        }
        start += WordScanner.width(bytes[start])
      }
      var (path, end): ([Int32], Int) = ([], word.count)
      while end > 0 {
        path.append(ids[end])
        end = starts[end]
      }
      return path
    }
  }
}

/// The derivative of ln Γ, for x > 0 (Abramowitz & Stegun 6.3.5, 6.3.18).
package func digamma(_ x: Double) -> Double {
  var (x, sum) = (x, 0.0)
  while x < 10 {
    sum -= 1 / x
    x += 1
  }
  let square = 1 / (x * x)
  return sum + log(x) - 0.5 / x - square * (1.0 / 12 - square * (1.0 / 120 - square * (1.0 / 252 - square / 240)))
}
