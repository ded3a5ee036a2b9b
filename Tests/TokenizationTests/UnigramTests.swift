import Compute
import Foundation
import TestSupport
import Testing
import Tokenization

@Suite struct UnigramTests {
  private static let pieces: [(String, Double)] = [
    ("a", -1.5), ("b", -2), ("c", -2.5), ("ab", -2.2), ("bc", -3), ("abc", -4.6), ("ca", -3.9), ("bca", -5),
  ]

  private static func model() -> UnigramModel {
    let vocabulary = SubwordVocabulary(pieces.map { .text(Array($0.0.utf8)) }, unknownID: nil, byteLevel: false)
    return UnigramModel(vocabulary, scores: pieces.map(\.1), byteFallback: false)
  }

  /// All cuts of a word into pieces, with their scores.
  private static func cuts(_ word: ArraySlice<UInt8>) -> [(ids: [Int32], score: Double)] {
    guard !word.isEmpty else { return [([], 0)] }
    return pieces.enumerated().flatMap { id, piece in
      word.starts(with: piece.0.utf8)
        ? cuts(word.dropFirst(piece.0.utf8.count)).map { ([Int32(id)] + $0.ids, piece.1 + $0.score) } : []
    }
  }

  @Test(arguments: ["a", "abc", "abca", "bcabcab", "cabcabbcaa", "abcabcabc"])
  func findsTheBestCut(_ text: String) {
    let bytes = Array(text.utf8)
    var tokens = SubwordTokens()
    var scratch = UnigramModel.Scratch()
    Self.model().encode(bytes, 0..<bytes.count, &scratch, into: &tokens)
    let best = Self.cuts(bytes[...]).map(\.score).max() ?? 0
    #expect(abs(tokens.ids.reduce(0) { $0 + Self.pieces[Int($1)].1 } - best) < 1e-12)
    #expect(tokens.ids.map { Self.pieces[Int($0)].0 }.joined() == text)
  }

  /// Draws come as often as p(cut)^exponent says: χ² over all cuts of a word.
  @Test(arguments: [0.0, 0.3, 1, 2])
  func drawsCutsByTheirProbability(_ exponent: Double) {
    let bytes = Array("abcabc".utf8)
    let cuts = Self.cuts(bytes[...])
    let weights = cuts.map { exp(exponent * $0.score) }
    let draws = 20_000
    var counts: [[Int32]: Int] = [:]
    var random = CounterRandom(seed: 5, purpose: .sampling)
    var scratch = UnigramModel.Scratch()
    for _ in 0..<draws {
      var tokens = SubwordTokens()
      Self.model().sample(bytes, 0..<bytes.count, exponent: exponent, using: &random, &scratch, into: &tokens)
      counts[tokens.ids, default: 0] += 1
    }
    let total = weights.reduce(0, +)
    let distance = zip(cuts, weights).reduce(0.0) { sum, cut in
      let expected = Double(draws) * cut.1 / total
      return sum + pow(Double(counts[cut.0.ids] ?? 0) - expected, 2) / expected
    }
    let freedom = Double(cuts.count - 1)
    #expect(cuts.count > 20 && distance < freedom + 5 * (2 * freedom).squareRoot(), "\(distance)")
  }

  @Test func samplesRoundTrip() throws {
    let tokenizer = try UnigramTrainer(options(450)).train(trainingText)
    var random = CounterRandom(seed: 1, purpose: .sampling)
    let plain = try tokenizer.encode(trainingText, unknown: .fail).ids
    let sampled = try tokenizer.sample(trainingText, unknown: .fail, exponent: 0.2, using: &random).ids
    #expect(sampled.count > plain.count && tokenizer.decode(sampled).utf8.elementsEqual(trainingText.utf8))
  }

  @Test(arguments: [(1.0, -0.5772156649015329), (0.5, -1.9635100260214235), (10, 2.251752589066721)])
  func digammaIsRight(_ x: Double, _ expected: Double) { #expect(abs(digamma(x) - expected) < 1e-12) }

  /// All frequent substrings but those that the same symbol always follows, counted as one would by hand.
  @Test(arguments: 0..<20)
  func findsFrequentSubstrings(_ seed: Int) {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    var finder = SeedPieces(longest: 5)
    var counts: [[UInt32]: [UInt32: Int]] = [:]  // by substring and what follows it
    for _ in 0..<15 {
      let word = (0..<Int.random(in: 1...30, using: &random)).map { _ in UInt32.random(in: 1...3, using: &random) }
      let weight = Int.random(in: 1...3, using: &random)
      finder.add(word: word, count: weight)
      for start in word.indices {
        for length in 2...5 where start + length <= word.count {
          // Longer pieces are not looked at: the longest end where they end.
          let next = length < 5 && start + length < word.count ? word[start + length] : 0
          counts[Array(word[start..<start + length]), default: [:]][next, default: 0] += weight
        }
      }
    }
    let found = finder.find(minimum: 4, limit: 10_000)
    for seed in found { #expect(counts[Array(seed.symbols)]?.values.reduce(0, +) == seed.count) }
    let expected = counts.filter { ($0.value.count > 1 || $0.value[0] != nil) && $0.value.values.reduce(0, +) >= 4 }
    #expect(Set(found.map { Array($0.symbols) }) == Set(expected.keys))
    #expect(Set(found.map { Array($0.symbols) }).count == found.count)
  }

  @Test(arguments: [PreTokenization.gpt2, .whitespace, .none], [true, false])
  func trainsToTheSizeThatWasAsked(_ cuts: PreTokenization, _ fallsBack: Bool) throws {
    let size = fallsBack ? 380 : 130
    let tokenizer = try UnigramTrainer(options(size, cuts, fallsBack: fallsBack)).train(trainingText)
    #expect(tokenizer.vocabularySize == size && (tokenizer.unknownID == nil) == fallsBack)
    guard case .unigram(let model) = tokenizer.model else { throw WrongModel() }
    let mass = model.scores.filter { $0 > -1000 }.reduce(0) { $0 + exp($1) }
    #expect(abs(mass - 1) < 1e-6, "probabilities add up to \(mass)")
  }

  /// Where every word is made of the same three parts, few pieces are in any best cut; the vocabulary is as large as was
  /// asked all the same, while there are substrings that recur.
  @Test(arguments: [19, 25, 27, 30, 33, 40, 60, 1000])
  func isAsLargeAsAsked(_ size: Int) throws {
    let parts = ["abc", "def", "ghi"]
    let words = parts.flatMap { a in parts.flatMap { b in parts.map { c in a + b + c } } }
    let text = words.joined(separator: " ")
    var finder = SeedPieces(longest: 16)
    for (place, word) in words.enumerated() {
      finder.add(word: (place > 0 ? [1] : []) + word.utf8.map { UInt32($0) }, count: 1)
    }
    let most = 1 + Set(text.utf8).count + finder.find(minimum: 2, limit: 1000).count
    var options = options(size, .whitespace, fallsBack: false)
    options.characterCoverage = 1
    #expect(try UnigramTrainer(options).train(text).vocabularySize == min(size, most))
  }

  private struct WrongModel: Error {}

  /// Training makes the text likelier than characters alone, and the same text gives the same vocabulary.
  @Test func compressesAndIsTheSameAgain() throws {
    let tokenizer = try UnigramTrainer(options(450)).train(trainingText)
    #expect(try tokenizer.encode(trainingText, unknown: .fail).ids.count * 5 < 2 * trainingText.unicodeScalars.count)
    #expect(try UnigramTrainer(options(450)).train(trainingText).tokenizerJSON() == tokenizer.tokenizerJSON())
  }

  /// Unknown characters side by side are one `<unk>`, each of them counted.
  @Test func fusesUnknownCharacters() throws {
    let tokenizer = try UnigramTrainer(options(120, .none, fallsBack: false)).train("ab ab ba ba abab")
    let encoded = try tokenizer.encode("ab☃☃a☃", unknown: .replace, keepsOffsets: true)
    #expect(encoded.ids.count(where: { $0 == tokenizer.unknownID }) == 2 && encoded.unknownCount == 3)
    #expect(encoded.offsets?.contains(2..<8) == true && encoded.offsets?.last == 9..<12)
  }

  /// The names of byte tokens in a text are spelt, never taken for the bytes.
  @Test func spellsTheNamesOfBytes() throws {
    let tokenizer = try UnigramTrainer(options(400)).train("some text that has none of them")
    let ids = try tokenizer.encode("<0x41>", unknown: .fail).ids
    let byte = try #require(tokenizer.id(of: "\u{1}"))
    #expect(ids.count > 1 && !ids.contains(byte + 0x40))
  }
}
