import Compute
import Evaluation
import Foundation
import LanguageModeling
import Recurrence
import Testing
import Tokenization

@Suite struct ComparisonTests {
  private func reading(_ tokenizer: any Tokenizer, seed: UInt64?, _ documents: DocumentSymbols? = nil) throws
    -> TextReading
  {
    let network = Network<LSTM<DoubleKernels>>(
      try ModelConfiguration(
        vocabularySize: tokenizer.vocabularySize, embeddingSize: 3, hiddenSize: 4, layers: 1, documents: documents))
    let parameters = seed.map { network.initialParameters(seed: $0) } ?? ParameterSet<Double>(network.layout)
    return TextReading(RecurrentLanguageModel(network: network, parameters: parameters), tokenizer)
  }

  private let characters = CharacterTokenizer(
    scalars: Array("abcdé \n".unicodeScalars), hasUnknown: false, normalization: .none)
  private let bytes = ByteTokenizer(normalization: .none)
  private let text = String(repeating: "dabé cab\nbad ", count: 20)

  /// Uniform over 7 characters and over 256 bytes: é is two bytes.
  @Test func differentTokenizers() throws {
    let comparison = try Comparison(
      of: [text],
      by: [
        .model("characters", try reading(characters, seed: nil)), .model("bytes", try reading(bytes, seed: nil)),
      ])
    let count = text.unicodeScalars.count - 1
    #expect(comparison.characters == count)
    let (first, second) = (comparison.entries[0], comparison.entries[1])
    #expect(abs(first.bitsPerCharacter - log2(7)) < 1e-12 && first.difference == nil)
    #expect(abs(second.bitsPerCharacter - 8 * Double(count + 20) / Double(count)) < 1e-12)
    #expect(abs(second.bitsPerByte - 8) < 1e-12 && second.score.tokens == count + 20)
    let difference = try #require(second.difference)
    #expect(abs(difference.mean - (second.bitsPerCharacter - first.bitsPerCharacter)) < 1e-12)
    #expect(difference.interval.contains(difference.mean) && difference.interval.lowerBound > 0)
  }

  /// What one of them does not know counts for none, whichever comes first.
  @Test(arguments: [false, true])
  func onlyWhatAllScored(_ isReversed: Bool) throws {
    let text = text + "Ж日b" + text
    let predictors: [Comparison.Predictor] = [
      .model("characters", try reading(characters, seed: nil)), .model("bytes", try reading(bytes, seed: nil)),
    ]
    let comparison = try Comparison(of: [text], by: isReversed ? predictors.reversed() : predictors)
    let known = text.unicodeScalars.count - 3
    #expect(comparison.characters == known)
    let bits = comparison.entries.map(\.bitsPerCharacter)
    let expected = [log2(7), 8 * Double(known + 40) / Double(known)]
    for (found, expected) in zip(bits, isReversed ? expected.reversed() : expected) {
      #expect(abs(found - expected) < 1e-12)
    }
  }

  @Test func aModelAgainstItselfAndUniform() throws {
    let reading = try reading(characters, seed: 1)
    let comparison = try Comparison(
      of: [text], by: [.model("model", reading), .model("model", reading), .uniform(in: reading)])
    #expect(comparison.entries[1].difference?.mean == 0 && comparison.entries[1].difference?.interval == 0...0)
    #expect(abs(comparison.entries[2].score.mean - log(7)) < 1e-12)
    let report = try PerplexityReport(of: [text], by: reading)
    #expect(abs(comparison.entries[0].bitsPerCharacter - report.bitsPerCharacter) < 1e-12)
  }

  /// N-grams score what the model scores, with or without documents.
  @Test(arguments: [false, true])
  func countsSayTheSame(_ hasDocuments: Bool) throws {
    let tokenizer = ByteTokenizer(normalization: .none, specialSymbols: ["<s>", "</s>"])
    let symbols = hasDocuments ? DocumentSymbols(start: 256, end: 257, cut: .line) : nil
    let reading = try reading(tokenizer, seed: 1, symbols)
    let texts = ["dab cab\n\nbad\n", "a bad cab"]
    let corpus = try reading.tokens(of: texts)
    #expect(corpus.count == (hasDocuments ? 3 : 2) && (corpus[0].last == 257) == hasDocuments)
    let model = NGramModel(order: 3, vocabularySize: tokenizer.vocabularySize, texts: corpus)
    let expected = corpus.reduce(0.0) {
      $0 + model.surprisals(of: $1).dropFirst(hasDocuments ? 0 : 1).reduce(0, +)
    }
    let comparison = try Comparison(of: texts, by: [.model("model", reading), .counts("ngram", model, in: reading)])
    let (network, counts) = (comparison.entries[0], comparison.entries[1])
    #expect(abs(counts.score.nats - expected) < 1e-10 && counts.score.tokens == network.score.tokens)
    // What one scores the other scores: ends of documents that nothing comes before are no character's.
    #expect(abs(counts.bitsPerCharacter * Double(comparison.characters) * log(2) - expected) < 1e-10)
  }

  @Test func formsNameAll() throws {
    let reading = try reading(characters, seed: 1)
    let comparison = try Comparison(of: [text], by: [.model("model", reading), .uniform(in: reading)])
    #expect(comparison.text.contains("model") && comparison.text.contains("uniform"))
    let predictors = try #require(comparison.json["predictors"]?.array)
    #expect(predictors.map { $0["name"]?.string } == ["model", "uniform"])
    #expect(predictors[0]["difference_low"]?.isNull == true && predictors[1]["difference_low"]?.double != nil)
    let interval = try #require(comparison.entries[1].difference?.interval)
    #expect(predictors[1]["difference_low"]?.double == interval.lowerBound)
    #expect(
      predictors[1]["difference_high"]?.double == interval.upperBound && interval.lowerBound < interval.upperBound)
    #expect(throws: TooLittleText.self) {
      try Comparison(of: ["ab"], by: [.model("model", reading)])
    }
  }
}
