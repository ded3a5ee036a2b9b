import UnicodeText

/// Learns a vocabulary from a text that comes in pieces: the one that the trainer would learn from the whole. Memory
/// grows with the distinct characters or words of the text only.
///
/// Where words are not cut (``PreTokenization/none``), the whole text is one word, and up to
/// ``EncodingStream/longestWord`` bytes of it are accepted.
public struct VocabularyLearner {
  private let learn: (inout VocabularyLearner) throws -> any Tokenizer
  // One of these is there; it is changed in its place, never copied.
  private var characters: ScalarCounter?
  private var words: CountedWords?
  private var whole: WholeText?

  /// Learns characters.
  public init(_ trainer: CharacterTokenizerTrainer) {
    characters = ScalarCounter(trainer)
    learn = { trainer.train(try $0.characters?.finish() ?? ScalarCounts()) }
  }

  /// Learns grapheme clusters, from a text of up to ``EncodingStream/longestWord`` bytes.
  public init(_ trainer: GraphemeTokenizerTrainer) {
    whole = WholeText()
    learn = { trainer.train(try decodeUTF8($0.whole?.bytes ?? [])) }
  }

  /// Learns the characters that a vocabulary lacks; see ``CharacterTokenizer/extended(by:minimumFrequency:)``.
  public init(extending tokenizer: CharacterTokenizer, minimumFrequency: Int) {
    var trainer = CharacterTokenizerTrainer(
      normalization: tokenizer.normalization, minimumFrequency: minimumFrequency)
    trainer.specialSymbols = tokenizer.specialSymbols.map(\.text)
    characters = ScalarCounter(trainer)
    learn = {
      tokenizer.extended(by: try $0.characters?.finish() ?? ScalarCounts(), minimumFrequency: minimumFrequency)
    }
  }

  /// Learns merges.
  public init(_ trainer: BytePairTrainer) { self.init(trainer.options, batch: 1 << 20, trainer.train) }

  /// Learns pieces.
  public init(_ trainer: UnigramTrainer) { self.init(trainer.options, batch: 1 << 20, trainer.train) }

  /// Learns merges from words that are counted `batch` bytes at a time.
  package init(_ trainer: BytePairTrainer, batch: Int) { self.init(trainer.options, batch: batch, trainer.train) }

  private init(
    _ options: SubwordTrainingOptions, batch: Int, _ train: @escaping (CountedWords) throws -> SubwordTokenizer
  ) {
    words = CountedWords(options, batch: batch)
    learn = {
      try $0.words?.finish()
      return try train($0.words ?? CountedWords(options))
    }
  }

  /// Takes the next bytes of UTF-8.
  ///
  /// - Throws: ``InvalidUTF8``, ``VocabularyError`` for a word that is too long.
  public mutating func append(_ text: ArraySlice<UInt8>) throws {
    try characters?.append(text)
    try words?.append(text)
    try whole?.append(text, orThrow: .tooLongText)
  }

  /// Ends the text.
  ///
  /// - Throws: ``VocabularyError`` for an empty text, or a size that is smaller than the alphabet.
  public mutating func finish() throws -> any Tokenizer { try learn(&self) }
}

/// Counts the scalars of a text that is normalized on the way; special symbols are none of it.
private struct ScalarCounter {
  private var finder: SpecialSymbolFinder
  private var normalizer: NormalizationStream
  private var counts = ScalarCounts()

  init(_ trainer: CharacterTokenizerTrainer) {
    finder = SpecialSymbolFinder(.init(trainer.specialSymbols, from: 0))
    normalizer = NormalizationStream(trainer.normalization)
  }

  mutating func append(_ text: ArraySlice<UInt8>) throws { try add(finder.append(text)) }

  mutating func finish() throws -> ScalarCounts {
    try add(finder.finish())
    try endSegment()
    return counts
  }

  private mutating func add(_ parts: [SpecialSymbolFinder.Part]) throws {
    for part in parts {
      guard case .text(let text) = part else {
        try endSegment()
        continue
      }
      var normalized: [UInt8] = []
      try normalizer.append(text, to: &normalized)
      counts.add(normalized)
    }
  }

  private mutating func endSegment() throws {
    var normalized: [UInt8] = []
    try normalizer.finish(&normalized)
    counts.add(normalized)
  }
}
