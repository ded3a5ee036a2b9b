import ModelFiles

/// How a text is cut into words before subwords are looked for; no token reaches across a cut. No cut loses anything.
public enum PreTokenization: Sendable, Equatable {
  /// No cuts.
  case none
  /// A cut before every white-space scalar.
  case whitespace
  /// GPT-2's pattern (Radford et al. 2019): letters, numbers, other signs, each with a space before it; contractions;
  /// white space.
  case gpt2
  /// sentencepiece's way, read for the sake of other people's files: spaces become U+2581, one is put before the text as
  /// `prepend` says, and a cut is made before every one where `splits`.
  case metaspace(prepend: Prepend, splits: Bool)

  /// Where a mark of a word's beginning is put before a text.
  public enum Prepend: String, Sendable { case always, first, never }

  /// The kinds that a vocabulary can be trained with, by the names that the command uses.
  public static let named: [(name: String, kind: PreTokenization)] = [
    ("none", .none), ("whitespace", .whitespace), ("gpt2", .gpt2),
  ]

  /// The pattern as regular expressions have it, for tokenizer.json; here ``WordScanner`` does its work.
  static let gpt2Pattern =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  /// U+2581 in UTF-8.
  static let mark: [UInt8] = [0xE2, 0x96, 0x81]
}
