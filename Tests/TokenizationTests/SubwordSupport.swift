import Compute
import ModelFiles
import TestSupport
import Testing
import Tokenization
import UnicodeText

/// A text with words that recur, in several scripts.
let trainingText = (0..<60).map { index in
  "The \(index)th fox's naïve friends went – or we'll say they've gone – to the lower widest harbour.\r\n"
    + "Лиса бежит, лиса лежит \(index * 7); 日本語の本 🦊👩‍💻 e\u{301}.\n"
}.joined()

/// Hard cases, none of which a vocabulary of ``trainingText`` knows whole.
let hardTexts = [
  "", " ", "\n", "\0", "a\0b", "\r\n\r\n", "  two  spaces \n\n \n", "👩‍💻🇩🇪🇫🇷", "\u{301}lone", "e\u{301}\u{323}",
  "\u{2028}\u{85}",
  "<s></s><unk><0x41><0x00>", "\u{378}\u{E0080}", "\u{10FFFF}\u{FFFF}\u{FEFF}\u{FFFD}", "I'll 'tis don't 'S'd",
  "\u{2581}\u{2581}x ", "12½Ⅻ٣x", "\u{1100}\u{1161}\u{11A8}\u{11A7}", String(repeating: "ab", count: 300),
]

func options(
  _ size: Int, _ cuts: PreTokenization = .gpt2, _ form: TextNormalization = .none, fallsBack: Bool = true
) -> SubwordTrainingOptions {
  var options = SubwordTrainingOptions(vocabularySize: size)
  options.normalization = form
  options.preTokenization = cuts
  options.byteFallback = fallsBack
  return options
}

/// One tokenizer of each byte-complete kind and each way of cutting.
func completeTokenizers(_ form: TextNormalization = .none) throws -> [(name: String, tokenizer: any Tokenizer)] {
  var all: [(String, any Tokenizer)] = [("byte", ByteTokenizer(normalization: form))]
  for (name, cuts) in PreTokenization.named {
    all.append(("bpe \(name)", try BytePairTrainer(options(400, cuts, form), isByteLevel: true).train(trainingText)))
    all.append(
      ("bpe-character \(name)", try BytePairTrainer(options(450, cuts, form), isByteLevel: false).train(trainingText)))
    all.append(("unigram \(name)", try UnigramTrainer(options(450, cuts, form)).train(trainingText)))
  }
  return all
}

func read(_ text: String) throws -> any Tokenizer { try TokenizerReader.read(Array(text.utf8)) }
