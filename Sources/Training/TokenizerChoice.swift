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

  /// Whether a vocabulary size can be wished for.
  public var isSubword: Bool {
    switch self {
    case .bytePair, .unigram: true
    case .character, .grapheme, .byte, .file: false
    }
  }

  /// The tokenizer: learnt from a text, or read.
  ///
  /// - Throws: ``VocabularyError``, ``FileError``.
  public func tokenizer(for text: String, _ options: SubwordTrainingOptions) throws -> any Tokenizer {
    switch self {
    case .character:
      var trainer = CharacterTokenizerTrainer(
        normalization: options.normalization, minimumFrequency: options.minimumFrequency)
      trainer.specialSymbols = options.specialSymbols
      return trainer.train(text)
    case .grapheme:
      return GraphemeTokenizerTrainer(
        normalization: options.normalization, minimumFrequency: options.minimumFrequency
      ).train(text)
    case .byte:
      return ByteTokenizer(normalization: options.normalization, specialSymbols: options.specialSymbols)
    case .bytePair(let isByteLevel): return try BytePairTrainer(options, isByteLevel: isByteLevel).train(text)
    case .unigram: return try UnigramTrainer(options).train(text)
    case .file(let path): return try Self.read(path)
    }
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
