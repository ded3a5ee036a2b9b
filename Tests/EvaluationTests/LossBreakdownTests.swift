import Compute
import Evaluation
import Foundation
import LanguageModeling
import Recurrence
import Testing
import Tokenization

@Suite struct LossBreakdownTests {
  private let tokenizer = CharacterTokenizer(
    scalars: Array("abcdefgh 1.\n".unicodeScalars), hasUnknown: false, normalization: .none)

  private func reading(random: Bool) throws -> TextReading {
    let network = Network<LSTM<DoubleKernels>>(
      try ModelConfiguration(vocabularySize: tokenizer.vocabularySize, embeddingSize: 3, hiddenSize: 4, layers: 1))
    let parameters = random ? network.initialParameters(seed: 1) : ParameterSet<Double>(network.layout)
    return TextReading(RecurrentLanguageModel(network: network, parameters: parameters), tokenizer)
  }

  @Test func sumsAreTheTotal() throws {
    let report = try PerplexityReport(
      of: ["abc def.\n1 Жg\n", "head"], by: reading(random: true))
    let breakdown = report.breakdown
    #expect(breakdown.positions.map(\.places) == [1...1, 2...3, 4...7, 8...15])
    #expect(breakdown.positions.map(\.score.tokens) == [2, 4, 4, 5])
    #expect(abs(breakdown.positions.reduce(0) { $0 + $1.score.nats } - report.score.nats) < 1e-12)
    #expect(abs(breakdown.kinds.values.reduce(0) { $0 + $1.nats } - report.score.nats) < 1e-12)
    let kinds: [SymbolKind: Int] = [.letter("Latin"): 9, .space: 2, .punctuation: 1, .digit: 1, .lineEnd: 2]
    #expect(breakdown.kinds.mapValues(\.tokens) == kinds)
    #expect(breakdown.histogram.reduce(0, +) == report.score.tokens)
    #expect(report.texts.map(\.score.tokens) == [12, 3] && report.texts.map(\.characters) == [12, 3])
    #expect(abs(report.texts.reduce(0) { $0 + $1.score.nats } - report.score.nats) < 1e-12)
  }

  @Test func unknownSymbolsCost() throws {
    let report = try PerplexityReport(of: ["abЖcЖd"], by: reading(random: false))
    #expect(report.unknownTokens == 2 && report.score.tokens == 3)
    let expected: Double = (3 * log(12.0) + 2 * log(1_112_064.0)) / 5
    #expect(abs(report.natsPerTokenWithUnknown - expected) < 1e-12)
    #expect(abs(report.natsPerTokenWithoutUnknown - log(12.0)) < 1e-12)
  }

  @Test func trainedUnknownCounts() throws {
    let tokenizer = CharacterTokenizer(scalars: Array("ab".unicodeScalars), hasUnknown: true, normalization: .none)
    let network = Network<LSTM<DoubleKernels>>(
      try ModelConfiguration(vocabularySize: tokenizer.vocabularySize, embeddingSize: 3, hiddenSize: 4, layers: 1))
    var reading = TextReading(
      RecurrentLanguageModel(network: network, parameters: network.initialParameters(seed: 1)), tokenizer)
    reading.unknownPolicy = .replace
    let report = try PerplexityReport(of: ["abЖaЖb"], by: reading)
    #expect(report.breakdown.unknown.tokens == 2 && report.natsPerTokenWithUnknown == report.natsPerToken)
    let rest = report.score.nats - report.breakdown.unknown.nats
    #expect(abs(report.natsPerTokenWithoutUnknown - rest / 3) < 1e-12)
  }

  @Test func probabilitiesAreVerified() throws {
    var reading = try reading(random: true)
    #expect(try PerplexityReport(of: ["abcd"], by: reading).breakdown.largestExcess == nil)
    reading.detail = .init(isVerifying: true)
    let breakdown = try PerplexityReport(of: ["abcd"], by: reading).breakdown
    #expect(breakdown.verified == 3 && (breakdown.largestExcess ?? 1) < 1e-14)
  }

  @Test func theIntervalIsAroundTheMean() throws {
    let report = try PerplexityReport(
      of: [String(repeating: "head bead.\n", count: 40)], by: reading(random: true))
    let uncertainty = try #require(report.uncertainty)
    #expect(uncertainty.interval.contains(report.natsPerToken) && uncertainty.standardError > 0)
    #expect(report.json["standard_error"]?.double == uncertainty.standardError)
    #expect(report.json["interval_low"]?.double == uncertainty.interval.lowerBound)
    #expect(try PerplexityReport(of: ["ab"], by: reading(random: true)).json["interval_low"]?.isNull == true)
  }

  /// The same bits for any window and number of threads, with details or without.
  @Test(arguments: [1, 7, 64])
  func windowsDoNotMatter(_ length: Int) throws {
    let reading = try reading(random: true)
    let tokens = try tokenizer.encode(String(repeating: "bad cafe 1.\n", count: 30), unknown: .fail).ids
    let expected = Scorer(reading.model).score(tokens)
    for threads in 1...3 {
      var scorer = Scorer(reading.model, threads: threads)
      scorer.windowLength = length
      #expect(scorer.score(tokens) == expected)
    }
  }

  @Test(arguments: [
    ("a", "letters, Latin"), ("é", "letters, Latin"), ("ß", "letters, Latin"), ("ª", "letters, Latin"),
    ("Ж", "letters, Cyrillic"), ("λ", "letters, Greek"), ("ა", "letters, Georgian"), ("ب", "letters, Arabic"),
    ("א", "letters, Hebrew"), ("अ", "letters, Devanagari"), ("日", "letters, Han"), ("か", "letters, Hiragana"),
    ("カ", "letters, Katakana"), ("한", "letters, Hangul"), ("ก", "letters, Thai"), ("𝒜", "letters, other"),
    ("\u{301}", "combining marks"), ("7", "digits"), ("½", "digits"), ("٣", "digits"), (" ", "spaces"),
    ("\t", "spaces"), ("\u{A0}", "spaces"), ("\n", "line ends"), ("\u{2028}", "line ends"), ("–", "punctuation"),
    ("«", "punctuation"), ("+", "other symbols"), ("🦊", "other symbols"), ("\u{0}", "other symbols"),
  ])
  func kinds(_ symbol: String, _ name: String) throws {
    #expect(SymbolKind(try #require(symbol.unicodeScalars.first)).name == name)
  }

  /// A token counts by its first symbol that is no white space; one of white space alone by its first.
  @Test(arguments: [
    (" a", "letters, Latin"), ("  7a", "digits"), ("\n.", "punctuation"), (" \n", "spaces"), ("\n ", "line ends"),
    ("a ", "letters, Latin"), ("\u{3000}日", "letters, Han"),
  ])
  func kindsOfTokens(_ token: String, _ name: String) {
    let text = PassingText(".\(token)7")
    #expect(SymbolKind(of: 1..<1 + token.utf8.count, in: text).name == name)
  }

  /// Uniform over 12 symbols: 3.585 bits each, in bins of a quarter.
  @Test func theHistogramIsInBits() throws {
    let histogram = try PerplexityReport(of: ["abcde"], by: reading(random: false)).breakdown.histogram
    #expect(histogram[14] == 4 && histogram.reduce(0, +) == 4)
  }

  @Test func theLargestShareComesFirst() throws {
    let breakdown = try PerplexityReport(of: ["a  1  bb. b1bb.bbb"], by: reading(random: false)).breakdown
    #expect(breakdown.kindsByShare.map(\.kind) == [.letter("Latin"), .space, .digit, .punctuation])
  }

  /// A cluster that was left out costs each of its scalars.
  @Test func unknownClustersCost() throws {
    let tokenizer = GraphemeTokenizerTrainer(normalization: .none, minimumFrequency: 1).train("ab")
    let network = Network<LSTM<DoubleKernels>>(
      try ModelConfiguration(vocabularySize: 2, embeddingSize: 3, hiddenSize: 4, layers: 1))
    let reading = TextReading(
      RecurrentLanguageModel(network: network, parameters: ParameterSet<Double>(network.layout)), tokenizer)
    let report = try PerplexityReport(of: ["abe\u{301}a"], by: reading)
    let expected: Double = (2 * log(2.0) + 2 * log(1_112_064.0)) / 3
    #expect(report.unknownTokens == 1 && abs(report.natsPerTokenWithUnknown - expected) < 1e-12)
  }

  @Test func textsHaveTheirOwnExtents() throws {
    let report = try PerplexityReport(of: ["abc def.\n1 g\n", "head bad a"], by: reading(random: true))
    #expect(report.texts.map(\.words) == [4, 3] && report.texts.map(\.bytes) == [12, 9] && report.words == 7)
  }

  /// Neighbours are averaged in long texts; blocks are told in tokens.
  @Test func theFormNamesIntervalAndBlocks() throws {
    let report = try PerplexityReport(
      of: [String(repeating: "head bead.\n", count: 3200)], by: reading(random: true))
    let uncertainty = try #require(report.uncertainty)
    #expect(report.breakdown.series.width == 4)
    #expect(report.json["bootstrap_block_tokens"]?.integer == 4 * uncertainty.blockLength)
    #expect(report.json["interval_high"]?.double == uncertainty.interval.upperBound)
    #expect(uncertainty.interval.lowerBound < uncertainty.interval.upperBound)
  }
}
