import ArgumentParser
import Tokenization
import Training

/// The flags that say how a vocabulary is made, of `train` and `tokenizer train`.
struct VocabularyOptions: ParsableArguments {
  @Option(
    help: """
      Vocabulary: character (see --unit), byte, bpe (byte-pair encoding of bytes), bpe-character (of \
      characters), unigram, or the path of a tokenizer.json, a sentencepiece .model or a model folder. The default is \
      character.
      """)
  var tokenizer: String?

  @Option(help: "What a character is: a Unicode scalar, or a grapheme (what readers take for one, as a flag or CR LF).")
  var unit: Unit = .scalar

  enum Unit: String, ExpressibleByArgument, CaseIterable { case scalar, grapheme }

  @Option(help: "Tokens of a bpe or unigram vocabulary.")
  var vocabularySize: Int?

  @Option(
    help: """
      What every text goes through first, with commas between: nfc, nfd, nfkc, nfkd, lowercase, casefold, strip-accents \
      (of marks: after nfd or nfkd) and line-endings; none for nothing. The default is nfc.
      """,
    transform: { try TextNormalization(names: $0) })
  var normalization: TextNormalization?

  @Option(
    help: "Characters seen less often in the training part become <unk>; of bpe and unigram, pairs no tokens.")
  var minFrequency = 1

  @Option(help: "How text is cut before subwords are looked for: none, whitespace or gpt2.")
  var preTokenization = "gpt2"

  @Option(help: "Part of the text that the characters of a bpe-character or unigram vocabulary make up.")
  var characterCoverage = 0.9995

  @Flag(inversion: .prefixedNo, help: "Read characters without a token as their bytes, not as <unk>.")
  var byteFallback = true

  @Option(help: "A symbol that is one token wherever it stands in a text; may be given again. For bpe and unigram.")
  var specialSymbol: [String] = []

  func validate() throws {
    try require(minFrequency >= 1, "--min-frequency is \(minFrequency); it must be at least 1.")
    try requirePath(kind, "--tokenizer")
    try require(unit == .scalar || kind == "character", "--unit is for --tokenizer character.")
    try require(
      vocabularySize == nil || choice.isSubword, "--vocabulary-size is for --tokenizer bpe, bpe-character and unigram.")
    try require(
      (1...1 << 24).contains(vocabularySize ?? 1),
      "--vocabulary-size is \(vocabularySize ?? 0); it must be 1 to 16,777,216.")
    try require(
      characterCoverage > 0 && characterCoverage <= 1,
      "--character-coverage is \(characterCoverage); it must be above 0 and at most 1.")
    try require(
      PreTokenization.named.contains { $0.name == preTokenization },
      "--pre-tokenization is none, whitespace or gpt2, not '\(preTokenization)'.")
    try require(specialSymbol.isEmpty || choice.isSubword, "--special-symbol is for --tokenizer bpe and unigram.")
  }

  private var kind: String { tokenizer ?? "character" }

  /// The choice, where one was made.
  var asked: TokenizerChoice? { tokenizer == nil && unit == .scalar ? nil : choice }

  var choice: TokenizerChoice {
    switch kind {
    case "character": unit == .grapheme ? .grapheme : .character
    case "byte": .byte
    case "bpe": .bytePair(isByteLevel: true)
    case "bpe-character": .bytePair(isByteLevel: false)
    case "unigram": .unigram
    default: .file(kind)
    }
  }

  func options(defaultSize: Int) -> SubwordTrainingOptions {
    var options = SubwordTrainingOptions(vocabularySize: vocabularySize ?? defaultSize)
    options.normalization = normalization ?? .nfc
    options.minimumFrequency = minFrequency
    options.preTokenization = PreTokenization.named.first { $0.name == preTokenization }?.kind ?? .gpt2
    options.characterCoverage = characterCoverage
    options.byteFallback = byteFallback
    options.specialSymbols = specialSymbol
    return options
  }
}
