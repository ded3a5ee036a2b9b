import Compute
import Evaluation
import Foundation
import LanguageModeling
import Recurrence
import Testing
import Tokenization
import UnicodeText

@Suite struct PerplexityReportTests {
  /// A model of a vocabulary that gives every symbol the same probability.
  private func uniform(
    _ symbols: String, _ form: TextNormalization
  ) throws -> (any LanguageModel, CharacterTokenizer) {
    let tokenizer = CharacterTokenizer(scalars: Array(symbols.unicodeScalars), hasUnknown: false, normalization: form)
    let network = Network<LSTM<DoubleKernels>>(
      try ModelConfiguration(
        vocabularySize: tokenizer.vocabularySize, embeddingSize: 3, hiddenSize: 4, layers: 1))
    let parameters = ParameterSet<Double>(network.layout)
    return (RecurrentLanguageModel(network: network, parameters: parameters), tokenizer)
  }

  /// Perplexity is exactly V, bits are log2 V for each character scored.
  @Test func ofAUniformModelIsV() throws {
    let (model, tokenizer) = try uniform("abcdefgh ", .none)
    let report = try PerplexityReport(
      of: ["head bead", "fade"], by: model, tokenizer, unknownPolicy: .fail)
    #expect(report.tokens == 13 && report.score.tokens == 11)
    #expect(abs(report.perplexity - 9) < 1e-13 && abs(report.bitsPerCharacter - log2(9)) < 1e-14)
    #expect(abs(report.natsPerToken - log(9)) < 1e-15 && report.standardError < 1e-9)
    #expect(report.characters == 11 && report.bytes == 11 && report.words == 3)
    #expect(abs(report.wordPerplexity - pow(9, 11.0 / 3)) < 1e-9)
  }

  struct Extent: Sendable, CustomTestStringConvertible {
    let text: String
    let form: TextNormalization
    let characters, bytes, words, unknown: Int
    var testDescription: String { "\(text.debugDescription) \(form)" }
  }

  /// Counts are of the original text, scored part only: without the first symbol and what was left out.
  static let extents = [
    Extent(text: "the the", form: .none, characters: 6, bytes: 6, words: 2, unknown: 0),
    Extent(text: "the 日本 the", form: .none, characters: 7, bytes: 7, words: 2, unknown: 2),
    Extent(text: "日the", form: .none, characters: 2, bytes: 2, words: 1, unknown: 1),
    Extent(text: "ét té", form: .nfc, characters: 4, bytes: 5, words: 2, unknown: 0),
    Extent(text: "e\u{301}t te\u{301}", form: .nfc, characters: 5, bytes: 6, words: 2, unknown: 0),
    Extent(text: "e\u{301}t te\u{301}", form: .none, characters: 4, bytes: 4, words: 2, unknown: 2),
    Extent(text: "t u\u{308}t", form: .nfc, characters: 2, bytes: 2, words: 1, unknown: 1),
    Extent(text: "the \u{FDFA}\u{FDFA} he", form: .nfkc, characters: 8, bytes: 12, words: 3, unknown: 30),
    Extent(text: "t\u{FB01}t", form: .nfkc, characters: 1, bytes: 1, words: 1, unknown: 2),
  ]

  @Test(arguments: extents)
  func countsTheOriginalText(_ extent: Extent) throws {
    let (model, tokenizer) = try uniform("the é", extent.form)
    let report = try PerplexityReport(of: [extent.text], by: model, tokenizer, unknownPolicy: .skip)
    #expect(report.characters == extent.characters && report.bytes == extent.bytes)
    #expect(report.words == extent.words && report.unknownTokens == extent.unknown)
    let bits = Double(report.score.tokens) * log2(Double(tokenizer.vocabularySize))
    #expect(abs(report.bitsPerCharacter - bits / Double(extent.characters)) < 1e-12)
    #expect(abs(report.bitsPerByte - bits / Double(extent.bytes)) < 1e-12)
  }
}
