import UnicodeText

/// Learns a vocabulary from a text that comes in pieces: the one that the trainer would learn from the whole. Memory
/// grows with the distinct characters or words of the text only.
///
/// Where words are not cut (``PreTokenization/none``), the whole text is one word, and up to
/// ``EncodingStream/longestWord`` bytes of it are accepted.
public struct VocabularyLearner {
  private let learn: (inout ScalarCounter?, inout CountedWords?) throws -> any Tokenizer
  // One of the two is there; it is changed in its place, never copied.
  private var characters: ScalarCounter?
  private var words: CountedWords?

  /// Learns characters.
  public init(_ trainer: CharacterTokenizerTrainer) {
    characters = ScalarCounter(trainer.normalization)
    learn = { counter, _ in trainer.train(try counter?.finish() ?? ScalarCounts()) }
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
    learn = { _, words in
      try words?.finish()
      return try train(words ?? CountedWords(options))
    }
  }

  /// Takes the next bytes of UTF-8.
  ///
  /// - Throws: ``InvalidUTF8``, ``VocabularyError`` for a word that is too long.
  public mutating func append(_ text: ArraySlice<UInt8>) throws {
    try characters?.append(text)
    try words?.append(text)
  }

  /// Ends the text.
  ///
  /// - Throws: ``VocabularyError`` for an empty text, or a size that is smaller than the alphabet.
  public mutating func finish() throws -> any Tokenizer { try learn(&characters, &words) }
}

/// Counts the scalars of a text that is normalized on the way.
private struct ScalarCounter {
  private var normalizer: NormalizerStream
  private var counts = ScalarCounts()

  init(_ form: NormalizationForm) { normalizer = NormalizerStream(Normalizer(form)) }

  mutating func append(_ text: ArraySlice<UInt8>) throws {
    var normalized: [UInt8] = []
    try normalizer.append(text, to: &normalized)
    counts.add(normalized)
  }

  mutating func finish() throws -> ScalarCounts {
    var normalized: [UInt8] = []
    try normalizer.finish(&normalized)
    counts.add(normalized)
    return counts
  }
}
