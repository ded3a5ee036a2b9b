import UnicodeText

/// Learns byte-pair merges (Sennrich, Haddow & Birch 2016): again and again the most frequent pair becomes a token.
///
/// Where pairs are equally frequent, the one of the smaller ids goes first, as in Hugging Face `tokenizers`, whose merges
/// these are. Time is about proportional to the distinct words, since only words that have a pair are visited.
public struct BytePairTrainer: Sendable {
  public var options: SubwordTrainingOptions
  /// Whether words are cut into bytes, as in GPT-2, or into characters.
  public var isByteLevel: Bool

  /// A trainer of byte-level or character-level merges.
  public init(_ options: SubwordTrainingOptions, isByteLevel: Bool) {
    self.options = options
    self.isByteLevel = isByteLevel
  }

  /// Learns a vocabulary from a text.
  ///
  /// - Throws: ``VocabularyError`` for an empty text, or a size that is smaller than the alphabet.
  public func train(_ text: String) throws -> SubwordTokenizer { try train(CountedWords(text, options)) }

  func train(_ words: CountedWords) throws -> SubwordTokenizer {
    let fallsBack = !isByteLevel && options.byteFallback
    let alphabet = isByteLevel ? [] : words.alphabet(coverage: options.characterCoverage)
    let head = try VocabularyHead(
      special: options.specialSymbols, hasUnknown: !isByteLevel && !fallsBack, hasBytes: fallsBack)
    let first =
      head.pieces + (isByteLevel ? ByteLevel.order.map { .text([$0]) } : alphabet.map { .text(Array(String($0).utf8)) })
    try VocabularyHead.require(options.vocabularySize, holds: first.count)
    let begin = SubwordVocabulary(first, unknownID: head.unknownID, byteLevel: isByteLevel)
    var learner = MergeLearner(pieces: first)
    for (word, count) in zip(words.words, words.counts) {
      learner.add(symbols(of: word, words, begin), count: count)
    }
    learner.learn(vocabularySize: options.vocabularySize, minimumFrequency: options.minimumFrequency)
    let model = BytePairModel(
      SubwordVocabulary(learner.pieces, unknownID: head.unknownID, byteLevel: isByteLevel),
      alphabet: isByteLevel ? .bytes : .scalars(byteFallback: fallsBack), merges: learner.merges)
    return SubwordTokenizer(
      .bytePair(model), normalization: options.normalization, preTokenization: options.preTokenization,
      specialSymbols: head.specialSymbols)
  }

  /// A word's first ids; −1 for what the alphabet lacks.
  private func symbols(of word: Range<Int>, _ words: CountedWords, _ vocabulary: SubwordVocabulary) -> [Int32] {
    if isByteLevel { return words.bytes[word].map { vocabulary.byteIDs[Int($0)] } }
    var symbols: [Int32] = []
    words.forEachScalar(word) { scalar, _ in symbols.append(vocabulary.id(of: scalar)) }
    return symbols
  }
}

/// The words of a corpus as symbols, and the merges learnt from them.
package struct MergeLearner {
  package private(set) var pieces: [SubwordVocabulary.Piece]
  package private(set) var merges: [BytePairModel.Merge] = []

  private var ids: [SubwordVocabulary.Piece: Int32] = [:]
  /// All words' symbols one after another; a word that has shrunk leaves a gap.
  private var symbols: [Int32] = []
  private var words: [(start: Int, length: Int, count: Int)] = []
  /// A number for each pair, and by it the pair's occurrences and the words that have gained it since it was queued.
  private var numbers = PairTable(capacity: 1 << 12)
  private var counts: [Int] = []
  private var places: [[Int32]] = []
  private var touched: [(pair: UInt64, number: Int32)] = []
  private var queue = PriorityQueue<Candidate>()
  /// The words of each candidate in the queue.
  private var candidateWords: [[Int32]] = []

  /// A pair with what was known of it when it was queued. The most frequent comes first, then the smallest.
  private struct Candidate: Comparable {
    let pair: UInt64
    let number: Int32
    let words: Int32
    var count: Int

    static func < (a: Candidate, b: Candidate) -> Bool { a.count != b.count ? a.count > b.count : a.pair < b.pair }
    static func == (a: Candidate, b: Candidate) -> Bool { a.count == b.count && a.pair == b.pair }
  }

  package init(pieces: [SubwordVocabulary.Piece]) {
    self.pieces = pieces
    for (id, piece) in pieces.enumerated() { ids[piece] = Int32(id) }
  }

  /// Adds a word; negative symbols are never merged.
  package mutating func add(_ word: [Int32], count: Int) {
    words.append((symbols.count, word.count, count))
    symbols += word
  }

  /// The words as they stand, for tests and the curious.
  package var currentWords: [[Int32]] { words.map { Array(symbols[$0.start..<$0.start + $0.length]) } }

  /// Learns merges until the vocabulary is full or no pair is frequent enough.
  package mutating func learn(vocabularySize: Int, minimumFrequency: Int) {
    for (word, (start, length, count)) in words.enumerated() {
      for place in start..<max(start, start + length - 1) {
        change(symbols[place], symbols[place + 1], by: count, in: Int32(word))
      }
    }
    enqueueTouched()
    while pieces.count < vocabularySize, var candidate = queue.popFirst() {
      let count = counts[Int(candidate.number)]
      guard candidate.count == count else {
        candidate.count = count
        queue.insert(candidate)
        continue
      }
      guard count >= max(1, minimumFrequency) else { break }
      join(candidate)
    }
    keepLastOfEach()
  }

  /// Merges a pair in the words of a candidate.
  private mutating func join(_ candidate: Candidate) {
    let left = Int32(truncatingIfNeeded: candidate.pair >> 32)
    let right = Int32(truncatingIfNeeded: candidate.pair)
    let piece = SubwordVocabulary.Piece.text(pieces[Int(left)].bytes + pieces[Int(right)].bytes)
    let result = ids[piece] ?? Int32(pieces.count)
    if result == pieces.count {
      pieces.append(piece)
      ids[piece] = result
    }
    merges.append(.init(left: left, right: right, result: result))
    let list = candidateWords[Int(candidate.words)]
    candidateWords[Int(candidate.words)] = []
    for word in list { join(left, right, result, in: word) }
    enqueueTouched()
  }

  /// Merges a pair in a word and notes which pairs that makes and breaks. The pair's own count stays as it is, which
  /// decides the order of merges where a token can be made in two ways.
  private mutating func join(_ left: Int32, _ right: Int32, _ result: Int32, in word: Int32) {
    let (start, length, count) = words[Int(word)]
    let end = start + length
    var (read, written) = (start, start)
    while read < end {
      let symbol = symbols[read]
      guard symbol == left, read + 1 < end, symbols[read + 1] == right else {
        symbols[written] = symbol
        written += 1
        read += 1
        continue
      }
      if written > start {
        change(symbols[written - 1], left, by: -count, in: word)
        change(symbols[written - 1], result, by: count, in: word)
      }
      if read + 2 < end {
        change(right, symbols[read + 2], by: -count, in: word)
        change(result, symbols[read + 2], by: count, in: word)
      }
      symbols[written] = result
      written += 1
      read += 2
    }
    words[Int(word)].length = written - start
  }

  private mutating func change(_ left: Int32, _ right: Int32, by difference: Int, in word: Int32) {
    guard left >= 0 && right >= 0 else { return }
    let pair = PairTable.key(left, right)
    let number = numbers.value(pair, orInsert: Int32(counts.count))
    if number == counts.count {
      counts.append(0)
      places.append([])
    }
    counts[Int(number)] += difference
    guard difference > 0 else { return }
    if places[Int(number)].isEmpty { touched.append((pair, number)) }
    if places[Int(number)].last != word { places[Int(number)].append(word) }
  }

  private mutating func enqueueTouched() {
    for (pair, number) in touched {
      if counts[Int(number)] > 0 {
        queue.insert(
          Candidate(pair: pair, number: number, words: Int32(candidateWords.count), count: counts[Int(number)]))
        candidateWords.append(places[Int(number)])
      }
      places[Int(number)] = []
    }
    touched.removeAll(keepingCapacity: true)
  }

  /// A pair that was merged twice, since its parts were made anew in between, keeps its later place.
  private mutating func keepLastOfEach() {
    var seen = PairTable(capacity: merges.count)
    var kept: [BytePairModel.Merge] = []
    for merge in merges.reversed() {
      let key = PairTable.key(merge.left, merge.right)
      guard seen.value(key) == nil else { continue }
      seen.insert(key, 0)
      kept.append(merge)
    }
    merges = kept.reversed()
  }
}
