import UnicodeText

/// Learns a unigram vocabulary (Kudo 2018, "Subword regularization"): from many candidates, expectation maximization and
/// pruning in turn leave those without which the text would be least likely.
public struct UnigramTrainer: Sendable {
  public var options: SubwordTrainingOptions
  /// Characters of the longest piece.
  public var longestPiece = 16

  /// Candidates to begin with, at most.
  private static let mostSeeds = 1_000_000
  /// Characters of a word that are looked at together; longer ones, as without pre-tokenization, are cut.
  private static let longestWord = 4096
  /// A score that no cut chooses where there is another: for tokens that no text should be cut into by their names.
  static let lastResort = -10_000.0

  /// A trainer.
  public init(_ options: SubwordTrainingOptions) { self.options = options }

  /// Learns a vocabulary from a text.
  ///
  /// - Throws: ``VocabularyError`` for an empty text, or a size that is smaller than the alphabet.
  public func train(_ text: String) throws -> SubwordTokenizer { try train(CountedWords(text, options)) }

  func train(_ words: CountedWords) throws -> SubwordTokenizer {
    let fallsBack = options.byteFallback
    let head = try VocabularyHead(special: options.specialSymbols, hasUnknown: !fallsBack, hasBytes: fallsBack)
    // The names of tokens that stand in a text are to be spelt.
    let names = head.pieces.filter { if case .special = $0 { false } else { true } }.map(\.name)
    let spelling = String(
      decoding: names.joined() + (fallsBack ? [] : Array(VocabularyHead.unknown.utf8)), as: UTF8.self)
    let alphabet = words.alphabet(coverage: options.characterCoverage, required: fallsBack ? spelling : "")
    try VocabularyHead.require(options.vocabularySize, holds: head.pieces.count + alphabet.count)
    let corpus = UnigramCorpus(words, alphabet, longestWord: Self.longestWord)
    var pieces = corpus.seeds(
      minimum: max(2, options.minimumFrequency), limit: Self.mostSeeds, longest: longestPiece)
    pieces.train(on: corpus, to: options.vocabularySize - head.pieces.count)
    let sorted = pieces.sorted()
    let scores = head.pieces.map { _ in Self.lastResort } + sorted.map { Self.exactlyRead($0.score) }
    let vocabulary = SubwordVocabulary(
      head.pieces + sorted.map { .text($0.bytes) }, unknownID: head.unknownID, byteLevel: false)
    return SubwordTokenizer(
      .unigram(UnigramModel(vocabulary, scores: scores, byteFallback: fallsBack)),
      normalization: options.normalization, preTokenization: options.preTokenization,
      specialSymbols: head.specialSymbols)
  }

  /// A score of so few digits that every reader of decimal numbers gets the same one.
  private static func exactlyRead(_ score: Double) -> Double { (score * 1e10).rounded() / 1e10 }
}

/// The words that a unigram model is trained on, cut at what the alphabet lacks.
struct UnigramCorpus {
  let bytes: [UInt8]
  private(set) var words: [Range<Int>] = []
  private(set) var counts: [Int] = []
  private let alphabet: [Unicode.Scalar]

  init(_ counted: CountedWords, _ alphabet: [Unicode.Scalar], longestWord: Int) {
    bytes = counted.bytes
    self.alphabet = alphabet
    let known = Set(alphabet)
    for (word, count) in zip(counted.words, counted.counts) {
      var (start, place, length) = (word.lowerBound, word.lowerBound, 0)
      func close() {
        guard start < place else { return }
        words.append(start..<place)
        counts.append(count)
      }
      counted.forEachScalar(word) { scalar, width in
        if !known.contains(scalar) {
          close()
          start = place + width
          length = 0
        } else if length == longestWord {
          close()
          start = place
          length = 0
        }
        place += width
        length += 1
      }
      close()
    }
  }

  /// The pieces to begin with: the alphabet and frequent substrings, scored by how much of the text they cover.
  func seeds(minimum: Int, limit: Int, longest: Int) -> UnigramPieces {
    let numbers = Dictionary(uniqueKeysWithValues: alphabet.enumerated().map { ($1, UInt32($0 + 1)) })
    var frequencies = [Int](repeating: 0, count: alphabet.count + 1)
    var finder = SeedPieces(longest: longest)
    for (word, count) in zip(words, counts) {
      var symbols: [UInt32] = []
      var place = word.lowerBound
      while place < word.upperBound {
        let (scalar, width) = WordScanner.scalar(bytes, place)
        symbols.append(numbers[scalar] ?? 0)
        frequencies[Int(numbers[scalar] ?? 0)] += count
        place += width
      }
      finder.add(word: symbols, count: count)
    }
    var pieces = alphabet.enumerated().map { place, scalar in
      UnigramPieces.Piece(
        bytes: Array(String(scalar).utf8), isScalar: true, score: Double(max(1, frequencies[place + 1])))
    }
    for seed in finder.find(minimum: minimum, limit: limit) {
      let bytes = seed.symbols.flatMap { Array(String(alphabet[Int($0) - 1]).utf8) }
      pieces.append(.init(bytes: bytes, isScalar: false, score: Double(seed.count * seed.symbols.count)))
    }
    return UnigramPieces(weighted: pieces)
  }
}
