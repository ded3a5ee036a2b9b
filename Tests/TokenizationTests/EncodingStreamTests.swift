import Compute
import TestSupport
import Testing
import Tokenization
import UnicodeText

/// A text in pieces has the ids of the whole text, and the vocabulary that is learnt from it too.
@Suite struct EncodingStreamTests {
  private func encode(
    _ text: String, _ tokenizer: any Tokenizer, _ policy: UnknownPolicy, piece: Int, batch: Int
  ) throws -> EncodedText {
    var stream = EncodingStream(tokenizer, unknown: policy, batch: batch)
    var ids: [Int32] = []
    for piece in Array(text.utf8).pieces(of: piece) { try stream.append(piece, to: &ids) }
    let unknown = try stream.finish(&ids)
    return EncodedText(ids: ids, unknown: unknown)
  }

  /// Words of all kinds, contractions and runs of white space among them, in random order.
  private func wordyText(_ seed: Int) -> String {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    let words = [
      "fox", "fox's", "they'll", "we've", "'", "''", " ", "  ", "\n", "\n\n ", "\t", "12", "½", "日本語", "🦊", "e\u{301}",
      "\u{301}", "!?", "'r", "'re", "'v", "\u{2581}", "<s>", "<", "s>", "\r\n", "\u{3000}", "x", "ab", "\0",
    ]
    return (0..<120).map { _ in words.randomElement(using: &random) ?? "" }.joined()
  }

  @Test(arguments: [1, 2, 5, 64, 1000], [1, 9, 40, 1 << 22])
  func hasTheIdsOfTheWhole(_ piece: Int, _ batch: Int) throws {
    for form in [TextNormalization.none, .nfkc] {
      for (name, tokenizer) in try completeTokenizers(form) {
        for text in hardTexts + [wordyText(piece + batch)] {
          let streamed = try encode(text, tokenizer, .fail, piece: piece, batch: batch)
          let whole = try tokenizer.encode(text, unknown: .fail, keepsOffsets: true)
          #expect(streamed.ids == whole.ids, "\(name) \(form) \(text.debugDescription)")
        }
      }
    }
  }

  private func trace(
    _ text: String, _ tokenizer: any Tokenizer, _ policy: UnknownPolicy, piece: Int, batch: Int
  ) throws -> EncodedText {
    var stream = TracingEncodingStream(tokenizer, unknown: policy, batch: batch)
    var encoded = EncodedText(ids: [], unknown: [], offsets: [])
    for piece in Array(text.utf8).pieces(of: piece) {
      let (settled, part) = (stream.settled, try stream.append(piece))
      #expect(part.offsets.allSatisfy { $0.lowerBound >= settled } && stream.settled >= settled)
      encoded.ids += part.ids
      encoded.offsets? += part.offsets
    }
    let rest = try stream.finish()
    encoded.ids += rest.ids
    encoded.offsets? += rest.offsets ?? []
    encoded.unknown = rest.unknown
    return encoded
  }

  /// Tokens in pieces have the places of those of the whole text.
  @Test(arguments: [1, 5, 64], [0, 9, 40])
  func hasThePlacesOfTheWhole(_ piece: Int, _ batch: Int) throws {
    for form in [TextNormalization.none, .nfkc, .nfd] {
      for (name, tokenizer) in try completeTokenizers(form) {
        for text in hardTexts + [wordyText(piece + batch)] {
          let traced = try trace(text, tokenizer, .fail, piece: piece, batch: batch)
          let whole = try tokenizer.encode(text, unknown: .fail, keepsOffsets: true)
          #expect(traced.ids == whole.ids, "\(name) \(form) \(text.debugDescription)")
          #expect(traced.offsets == whole.offsets, "\(name) \(form) \(text.debugDescription)")
        }
      }
    }
  }

  @Test(arguments: [1, 7, 4096], [UnknownPolicy.skip, .replace])
  func tracesUnknownSymbols(_ piece: Int, _ policy: UnknownPolicy) throws {
    let tokenizers: [any Tokenizer] = [
      CharacterTokenizerTrainer(normalization: .nfc, minimumFrequency: 20).train(trainingText),
      try BytePairTrainer(options(200, fallsBack: false), isByteLevel: false).train(trainingText),
      try UnigramTrainer(options(200, fallsBack: false)).train(trainingText),
    ]
    for tokenizer in tokenizers {
      for text in hardTexts + [wordyText(piece)] {
        let traced = try trace(text, tokenizer, policy, piece: piece, batch: 16)
        let whole = try tokenizer.encode(text, unknown: policy, keepsOffsets: true)
        #expect(traced.ids == whole.ids && traced.unknown == whole.unknown, "\(text.debugDescription)")
        #expect(traced.offsets == whole.offsets, "\(text.debugDescription)")
      }
    }
  }

  @Test(arguments: [1, 7, 4096], [UnknownPolicy.skip, .replace])
  func countsUnknownSymbols(_ piece: Int, _ policy: UnknownPolicy) throws {
    let tokenizers: [any Tokenizer] = [
      CharacterTokenizerTrainer(normalization: .nfc, minimumFrequency: 20).train(trainingText),
      try BytePairTrainer(options(200, fallsBack: false), isByteLevel: false).train(trainingText),
      try UnigramTrainer(options(200, fallsBack: false)).train(trainingText),
    ]
    for tokenizer in tokenizers {
      #expect(tokenizer.unknownID != nil)
      for text in hardTexts + [wordyText(piece)] {
        let streamed = try encode(text, tokenizer, policy, piece: piece, batch: 16)
        let whole = try tokenizer.encode(text, unknown: policy, keepsOffsets: true)
        #expect(streamed.ids == whole.ids && streamed.unknown == whole.unknown, "\(text.debugDescription)")
      }
    }
    let characters = try #require(tokenizers.first)
    let error = #expect(throws: UnknownSymbolsError.self) {
      _ = try encode("fox\u{1F98A}z", characters, .fail, piece: piece, batch: 16)
    }
    #expect(error?.unknown.last?.firstPosition == 4 && error?.unknown.last?.symbol == "z")
  }

  /// Special symbols are found across pieces; what is between two is normalized by itself.
  @Test(arguments: [1, 3, 1000])
  func findsSpecialSymbols(_ piece: Int) throws {
    var options = options(400, .gpt2, .nfc)
    options.specialSymbols = ["<s>", "</s>", "<s><s>x"]
    let tokenizer = try BytePairTrainer(options, isByteLevel: true).train(trainingText)
    let texts = [
      "<s>The fox</s>", "<s><s>", "<s><s>x<s", "e<s>\u{301}", "</s", "a <s> b</s>  c", wordyText(3), "<s></s><s>",
    ]
    for text in texts {
      let streamed = try encode(text, tokenizer, .fail, piece: piece, batch: 4)
      #expect(try streamed.ids == tokenizer.encode(text, unknown: .fail).ids, "\(text.debugDescription)")
      let traced = try trace(text, tokenizer, .fail, piece: piece, batch: 4)
      #expect(try traced.offsets == tokenizer.encode(text, unknown: .fail, keepsOffsets: true).offsets)
    }
  }

  /// sentencepiece's marks stand where they would in the whole text.
  @Test(arguments: ["always", "first", "never"], [true, false])
  func marksTheBeginningsOfWords(_ prepend: String, _ splits: Bool) throws {
    let json = """
      {"added_tokens": [{"id": 1, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false,
      "normalized": false, "special": true}], "normalizer": null, "pre_tokenizer": {"type": "Metaspace",
      "replacement": "\u{2581}", "prepend_scheme": "\(prepend)", "split": \(splits)}, "decoder": {"type": "Metaspace",
      "replacement": "\u{2581}", "prepend_scheme": "\(prepend)", "split": \(splits)}, "model": {"type": "Unigram",
      "unk_id": 0, "vocab": [["<unk>", 0.0], ["<s>", 0.0], ["\u{2581}", -3.0], ["a", -4.0], ["b", -4.0],
      ["\u{2581}a", -2.0], ["ab", -2.5], ["\\n", -5.0]]}}
      """
    let tokenizer = try read(json)
    for text in ["a b", " a", "ab<s>a b", "<s> a", "\u{2581}a  b ", "", "a\nb a", "<s><s>b", "x a"] {
      let whole = try tokenizer.encode(text, unknown: .skip)
      for piece in [1, 2, 100] {
        let streamed = try encode(text, tokenizer, .skip, piece: piece, batch: 1)
        #expect(streamed.ids == whole.ids, "\(text.debugDescription)")
      }
    }
  }

  /// Characters and bytes with special symbols, clusters, and normalizations that look at the whole text.
  @Test(arguments: [1, 3, 1000])
  func hasTheIdsOfTheWholeBetweenSymbols(_ piece: Int) throws {
    let special = ["<s>", "</s>"]
    let scalars =
      Array(Set(hardTexts.joined().unicodeScalars))
      + ["_", "\u{2581}"].filter {
        !hardTexts.joined().unicodeScalars.contains($0)
      }
    let edits = TextNormalization([.unicode(Normalizer(.nfc)), .replace("a", by: "_")])
    let tokenizers: [any Tokenizer] = [
      CharacterTokenizer(scalars: scalars, hasUnknown: true, normalization: .none, specialSymbols: special),
      CharacterTokenizer(scalars: scalars, hasUnknown: true, normalization: edits, specialSymbols: special),
      ByteTokenizer(normalization: .nfd, specialSymbols: special),
      GraphemeTokenizerTrainer(normalization: .none, minimumFrequency: 2).train(hardTexts.joined() + "ab"),
    ]
    for (index, tokenizer) in tokenizers.enumerated() {
      for text in hardTexts + ["<s>a</s><s", "</s></s>", wordyText(piece)]
      where !(index == 3 && tokenizer.unknownID == nil) {
        let streamed = try encode(text, tokenizer, .replace, piece: piece, batch: 10)
        let whole = try tokenizer.encode(text, unknown: .replace, keepsOffsets: true)
        #expect(streamed.ids == whole.ids, "\(index) \(text.debugDescription)")
      }
    }
  }

  @Test(arguments: [1, 11])
  func learnsNothingFromSpecialSymbols(_ piece: Int) throws {
    let text = "<s>abba</s><s>bac</s>"
    var characters = CharacterTokenizerTrainer(normalization: .none, minimumFrequency: 1)
    characters.specialSymbols = ["<s>", "</s>"]
    var learner = VocabularyLearner(characters)
    for piece in Array(text.utf8).pieces(of: piece) { try learner.append(piece) }
    let learnt = try learner.finish()
    #expect(learnt.vocabularySize == 5 && learnt.tokenizerJSON() == characters.train(text).tokenizerJSON())
  }

  @Test(arguments: [1, 11, 5000])
  func learnsTheVocabularyOfTheWhole(_ piece: Int) throws {
    func learnt(_ learner: VocabularyLearner) throws -> String {
      var learner = learner
      for piece in Array(trainingText.utf8).pieces(of: piece) { try learner.append(piece) }
      return try learner.finish().tokenizerJSON()
    }
    for form in [TextNormalization.none, .nfd] {
      let characters = CharacterTokenizerTrainer(normalization: form, minimumFrequency: 30)
      #expect(try learnt(VocabularyLearner(characters)) == characters.train(trainingText).tokenizerJSON())
      for cuts in [PreTokenization.gpt2, .whitespace, .none] {
        let pairs = BytePairTrainer(options(420, cuts, form), isByteLevel: false)
        #expect(try learnt(VocabularyLearner(pairs, batch: 50)) == pairs.train(trainingText).tokenizerJSON())
        let unigram = UnigramTrainer(options(420, cuts, form))
        #expect(try learnt(VocabularyLearner(unigram)) == unigram.train(trainingText).tokenizerJSON())
      }
    }
  }

  @Test func refusesAnEmptyText() throws {
    var learner = VocabularyLearner(UnigramTrainer(options(300)))
    try learner.append([])
    #expect(throws: VocabularyError.self) { try learner.finish() }
  }
}
