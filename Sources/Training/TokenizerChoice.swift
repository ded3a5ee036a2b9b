import ModelFiles
import Tokenization

/// Which vocabulary a corpus is read in.
public enum TokenizerChoice: Sendable, Equatable {
  /// Unicode scalars of the training part.
  case character
  /// Grapheme clusters of the training part.
  case grapheme
  /// The 256 bytes.
  case byte
  /// Byte-pair encoding of bytes, or of characters.
  case bytePair(isByteLevel: Bool)
  /// A unigram model over subwords.
  case unigram
  /// The tokenizer.json or sentencepiece `.model` at a path, or the tokenizer.json of the model folder there.
  case file(String)
  /// That of the model folder at a path; one of characters gets those of the training part that it lacks.
  case extended(String)

  /// Whether a vocabulary size can be wished for.
  public var isSubword: Bool {
    switch self {
    case .bytePair, .unigram: true
    case .character, .grapheme, .byte, .file, .extended: false
    }
  }

  /// Whether the vocabulary is learnt from a text.
  public var isLearnt: Bool { isSubword || self == .character || self == .grapheme }

  /// Where it is read from, if it is.
  var path: String? {
    switch self {
    case .file(let path), .extended(let path): path
    case .character, .grapheme, .byte, .bytePair, .unigram: nil
    }
  }

  /// The tokenizer: learnt from a text that comes in pieces, or read.
  ///
  /// - Parameter text: Hands the text's bytes of UTF-8, piece by piece, to the function it gets; called once, and only
  ///   where the vocabulary is learnt.
  /// - Throws: ``VocabularyError``, ``FileError``, and what `text` throws.
  public func tokenizer(
    _ options: SubwordTrainingOptions, text: ((ArraySlice<UInt8>) throws -> Void) throws -> Void
  ) throws -> any Tokenizer {
    var learner: VocabularyLearner
    switch self {
    case .character:
      var trainer = CharacterTokenizerTrainer(
        normalization: options.normalization, minimumFrequency: options.minimumFrequency)
      trainer.specialSymbols = options.specialSymbols
      learner = VocabularyLearner(trainer)
    case .grapheme:
      learner = VocabularyLearner(
        GraphemeTokenizerTrainer(
          normalization: options.normalization, minimumFrequency: options.minimumFrequency))
    case .bytePair(let isByteLevel):
      learner = VocabularyLearner(BytePairTrainer(options, isByteLevel: isByteLevel))
    case .unigram: learner = VocabularyLearner(UnigramTrainer(options))
    case .byte:
      return ByteTokenizer(normalization: options.normalization, specialSymbols: options.specialSymbols)
    case .file(let path): return try Self.read(path)
    case .extended(let path):
      guard let tokenizer = try Self.read(path) as? CharacterTokenizer else { return try Self.read(path) }
      learner = VocabularyLearner(extending: tokenizer, minimumFrequency: options.minimumFrequency)
    }
    try text { try learner.append($0) }
    return try learner.finish()
  }

  /// Reads a tokenizer.json, or the one in a folder, or a sentencepiece `.model`.
  ///
  /// - Throws: ``FileError`` that names the file.
  public static func read(_ path: String) throws -> any Tokenizer {
    let file = Files.kind(path) == .folder ? Paths.join(path, "tokenizer.json") : path
    let bytes = try Files.read(file, limit: 1 << 28)
    do {
      return try file.hasSuffix(".model") ? SentencePieceReader.read(bytes) : TokenizerReader.read(bytes)
    } catch { throw FileError(.invalid, file, "\(error)") }
  }
}
