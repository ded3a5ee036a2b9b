#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A unigram language model over subwords (Kudo 2018): a word is cut so that the sum of its pieces' log-probabilities is
/// largest (Viterbi 1967), or at random by what each cut weighs.
package struct UnigramModel: Sendable {
  package let vocabulary: SubwordVocabulary
  /// ln p of each piece, in nats.
  package let scores: [Double]
  /// Whether a scalar without a piece becomes its bytes.
  let byteFallback: Bool
  private let trie: PieceTrie
  /// The score of a scalar that no piece has: ten nats below the least.
  private let unknownScore: Double
  private let sentencePiece: SentencePieceManner?

  /// What sentencepiece's own program does in another way than Hugging Face's: it finds no bytes or special symbols by
  /// their names, and keeps sums of scores as float32, which in a long text decides between cuts that are nearly as good.
  /// How it rounds is seen in the program (0.2.3), and the same here for texts of megabytes.
  struct SentencePieceManner: Sendable {
    /// Ids of pieces that are not found in a text.
    let hidden: Set<Int>
    /// The score of a scalar that no piece has.
    let unknownScore: Double
    /// A sum below this is taken from all that still matter: they begin anew from 0.
    static let leastSum = -100_000.0
  }

  package init(_ vocabulary: SubwordVocabulary, scores: [Double], byteFallback: Bool) {
    self.init(vocabulary, scores: scores, byteFallback: byteFallback, sentencePiece: nil)
  }

  init(
    _ vocabulary: SubwordVocabulary, scores: [Double], byteFallback: Bool, sentencePiece: SentencePieceManner?
  ) {
    precondition(scores.count == vocabulary.count, "every piece has a score")
    self.vocabulary = vocabulary
    self.scores = scores
    self.byteFallback = byteFallback && vocabulary.hasAllBytes
    // Names of bytes and special symbols can be found in a text too: Hugging Face's reader does not tell them apart.
    trie = PieceTrie(vocabulary.pieces.map(\.name), without: sentencePiece?.hidden ?? [])
    unknownScore = sentencePiece?.unknownScore ?? (scores.min() ?? 0) - 10
    self.sentencePiece = sentencePiece
  }

  /// Memory that the encoding of one word leaves to the next.
  package struct Scratch {
    package init() {}

    /// By the byte that a piece ends before: the best (or summed) score so far, where that piece begins, and its id.
    fileprivate var scores: [Double] = []
    fileprivate var starts: [Int32] = []
    fileprivate var ids: [Int32] = []
    fileprivate var ends: [Int] = []

    /// Takes the sum at one place from those at the places that were reached from before it, in float32.
    fileprivate mutating func rebase(from start: Int, to end: Int) {
      let sum = scores[start]
      for place in start...max(start, end) where starts[place] >= 0 {
        scores[place] = Double(Float(scores[place] - sum))
      }
    }
  }

  /// Appends the tokens of a word. Time is proportional to the word, times the longest piece.
  package func encode(_ bytes: [UInt8], _ word: Range<Int>, _ scratch: inout Scratch, into tokens: inout SubwordTokens)
  {
    prepare(word.count, &scratch)
    let base = word.lowerBound
    let isFloat = sentencePiece != nil
    var farthest = 0
    forEachEdge(bytes, word) { start, end, id, score in
      if isFloat && scratch.scores[start - base] < SentencePieceManner.leastSum {
        scratch.rebase(from: start - base, to: farthest)
      }
      let sum = score + scratch.scores[start - base]
      let candidate = isFloat ? Double(Float(sum)) : sum
      guard scratch.starts[end - base] < 0 || candidate > scratch.scores[end - base] else { return }
      farthest = max(farthest, end - base)
      scratch.scores[end - base] = candidate
      scratch.starts[end - base] = Int32(start - base)
      scratch.ids[end - base] = id
    }
    append(bytes, word, &scratch, into: &tokens)
  }

  /// Appends the tokens of one of a word's cuts, drawn with a probability proportional to p(cut)^`exponent`: forward
  /// filtering, backward sampling (Scott 2002). The smaller the exponent, the wilder.
  package func sample(
    _ bytes: [UInt8], _ word: Range<Int>, exponent: Double, using random: inout some RandomNumberGenerator,
    _ scratch: inout Scratch, into tokens: inout SubwordTokens
  ) {
    prepare(word.count, &scratch)
    let base = word.lowerBound
    var edges: [[(start: Int, id: Int32, weight: Double)]] = Array(repeating: [], count: word.count + 1)
    forEachEdge(bytes, word) { start, end, id, score in
      let weight = exponent * score + scratch.scores[start - base]
      let isFirst = edges[end - base].isEmpty
      scratch.scores[end - base] = isFirst ? weight : logSum(scratch.scores[end - base], weight)
      edges[end - base].append((start - base, id, weight))
    }
    var end = word.count
    while end > 0 {
      var left = Double(random.next() >> 11) * 0x1p-53
      var chosen = edges[end].count - 1
      for (place, edge) in edges[end].enumerated() {
        left -= exp(edge.weight - scratch.scores[end])
        guard left < 0 else { continue }
        chosen = place
        break
      }
      scratch.starts[end] = Int32(edges[end][chosen].start)
      scratch.ids[end] = edges[end][chosen].id
      end = edges[end][chosen].start
    }
    append(bytes, word, &scratch, into: &tokens)
  }

  private func prepare(_ count: Int, _ scratch: inout Scratch) {
    precondition(count < Int32.max, "a word must have less than 2³¹ bytes")
    scratch.scores.removeAll(keepingCapacity: true)
    scratch.scores.append(contentsOf: repeatElement(0, count: count + 1))
    scratch.starts.removeAll(keepingCapacity: true)
    scratch.starts.append(contentsOf: repeatElement(-1, count: count + 1))
    scratch.ids.removeAll(keepingCapacity: true)
    scratch.ids.append(contentsOf: repeatElement(SubwordTokens.unknown, count: count + 1))
  }

  /// Calls `body` for every piece at every place, and for the single scalars that have none.
  @inline(__always)
  private func forEachEdge(
    _ bytes: [UInt8], _ word: Range<Int>, _ body: (_ start: Int, _ end: Int, _ id: Int32, _ score: Double) -> Void
  ) {
    var start = word.lowerBound
    while start < word.upperBound {
      let next = start + WordScanner.width(bytes[start])
      var hasScalar = false
      trie.forEachPiece(bytes, start, before: word.upperBound) { end, id in
        body(start, end, id, scores[Int(id)])
        if end == next { hasScalar = true }
      }
      if !hasScalar { body(start, next, SubwordTokens.unknown, unknownScore) }
      start = next
    }
  }

  // MARK: From a cut to tokens

  private func append(
    _ bytes: [UInt8], _ word: Range<Int>, _ scratch: inout Scratch, into tokens: inout SubwordTokens
  ) {
    scratch.ends.removeAll(keepingCapacity: true)
    var end = word.count
    while end > 0 {
      scratch.ends.append(end)
      end = Int(scratch.starts[end])
    }
    var unknownStart: Int?
    for end in scratch.ends.reversed() {
      let id = scratch.ids[end]
      let start = Int(scratch.starts[end])
      if id == SubwordTokens.unknown || id == vocabulary.unknownID {
        if unknownStart == nil { unknownStart = start }
        continue
      }
      if let first = unknownStart { appendUnknown(bytes, word.lowerBound + first..<word.lowerBound + start, &tokens) }
      unknownStart = nil
      tokens.ids.append(id)
      tokens.lengths.append(Int32(end - start))
    }
    if let first = unknownStart { appendUnknown(bytes, word.lowerBound + first..<word.upperBound, &tokens) }
  }

  /// Scalars side by side that no piece has are one symbol, or their bytes.
  private func appendUnknown(_ bytes: [UInt8], _ range: Range<Int>, _ tokens: inout SubwordTokens) {
    var whole: Int32?
    if sentencePiece == nil {
      trie.forEachPiece(bytes, range.lowerBound, before: range.upperBound) { end, id in
        if end == range.upperBound { whole = id }
      }
    }
    if let whole {
      tokens.ids.append(whole)
      tokens.lengths.append(Int32(range.count))
    } else if byteFallback {
      for byte in bytes[range] {
        tokens.ids.append(vocabulary.byteIDs[Int(byte)])
        tokens.lengths.append(1)
      }
    } else {
      var place = range.lowerBound
      while place < range.upperBound {
        let width = WordScanner.width(bytes[place])
        tokens.ids.append(place == range.lowerBound ? SubwordTokens.unknown : SubwordTokens.moreUnknown)
        tokens.lengths.append(Int32(width))
        place += width
      }
    }
  }
}

/// ln(eᵃ + eᵇ), without leaving the range of numbers.
func logSum(_ a: Double, _ b: Double) -> Double {
  let (high, low) = a > b ? (a, b) : (b, a)
  return low == -.infinity || high - low > 50 ? high : high + log1p(exp(low - high))
}

extension SubwordVocabulary.Piece {
  /// The token as tokenizer.json writes it, where the vocabulary does not name bytes.
  var name: [UInt8] {
    switch self {
    case .text(let bytes), .special(let bytes): return bytes
    case .byte(let byte):
      let digits = String(byte, radix: 16, uppercase: true)
      return Array("<0x\(digits.count == 1 ? "0" : "")\(digits)>".utf8)
    }
  }
}
