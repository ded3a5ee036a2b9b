import Compute
import Evaluation
import Foundation
import Testing

@Suite struct NGramModelTests {
  private func text(_ count: Int, symbols: Int, seed: UInt64) -> [Int32] {
    var previous = 0
    return (0..<count).map { place in
      var random = CounterRandom(seed: seed, purpose: .corpus, step: place)
      // Skewed, and depending on what came before.
      let drawn = Int(random.uniform() * random.uniform() * Double(symbols))
      previous = random.uniform() < 0.5 ? drawn : (previous + 1) % symbols
      return Int32(previous)
    }
  }

  /// By hand. Bigrams of "a b a b a c" with its beginning ^: ^a 1, ab 2, ba 2, ac 1. Before a stand ^ and b, before b a,
  /// before c a: continuation counts a 2, b 1, c 1, of 4. Counts of counts are too few for discounts: 0.5 and 1.
  @Test func workedExample() {
    let model = NGramModel(order: 2, vocabularySize: 4, texts: [[0, 1, 0, 1, 0, 2]])
    let restOfUnigrams = (0.5 + 0.5 + 1.0) / 4
    func unigram(_ rest: Double) -> Double { rest / 4 + restOfUnigrams / 4 }
    // After a: b twice, c once; taken away 1 + 0.5 of 3.
    let rest = 1.5 / 3
    let expected = [rest * unigram(1), 1.0 / 3 + rest * unigram(0.5), 0.5 / 3 + rest * unigram(0.5), rest * unigram(0)]
    for (symbol, probability) in expected.enumerated() {
      #expect(abs(model.probability(of: Int32(symbol), after: [0]) - probability) < 1e-15)
    }
    // c was never followed: only the unigrams speak.
    #expect(abs(model.probability(of: 1, after: [2]) - unigram(0.5)) < 1e-15)
    // Nothing before it, but not at the beginning: the unigrams again, and at the beginning a, which alone stood there.
    #expect(abs(model.probability(of: 1, after: [], isWhole: false) - unigram(0.5)) < 1e-15)
    #expect(abs(model.probability(of: 0, after: []) - (0.5 + 0.5 * unigram(1))) < 1e-15)
  }

  @Test(arguments: NGramModel.orders, [2, 5, 26])
  func probabilitiesSumToOne(_ order: Int, _ symbols: Int) {
    let corpus = text(3000, symbols: symbols, seed: 4)
    let model = NGramModel(order: order, vocabularySize: symbols + 1, texts: [corpus])
    for place in [0, 1, 2, 5, 700, 2999] {
      let sum = (0...symbols).reduce(0.0) { $0 + model.probability(of: Int32($1), after: corpus[..<place]) }
      #expect(abs(sum - 1) < 1e-12)
    }
    let unseen = (0...symbols).reduce(0.0) {
      $0 + model.probability(of: Int32($1), after: Array(repeating: Int32(symbols), count: 6)[...])
    }
    #expect(abs(unseen - 1) < 1e-12)
  }

  /// The same from the definition, with lists of all n-grams.
  @Test(arguments: [2, 3, 4], [[300], [120, 80, 1]])
  func equalsTheDefinition(_ order: Int, _ lengths: [Int]) {
    let texts = lengths.enumerated().map { text($0.element, symbols: 7, seed: UInt64($0.offset)) }
    let model = NGramModel(order: order, vocabularySize: 8, texts: texts)
    let reference = Reference(order: order, vocabularySize: 8, texts: texts)
    let probe = text(60, symbols: 8, seed: 9)
    for place in probe.indices {
      let difference =
        model.probability(of: probe[place], after: probe[..<place])
        - reference.probability(of: probe[place], after: [8] + Array(probe[..<place]))
      #expect(abs(difference) < 1e-13)
    }
    #expect(model.surprisals(of: probe).count == 60)
    let sum = model.surprisals(of: probe).reduce(0, +)
    let expected = probe.indices.reduce(0.0) { $0 - log(model.probability(of: probe[$1], after: probe[..<$1])) }
    #expect(abs(sum - expected) < 1e-10)
  }

  /// More context predicts a Markov source of order 2 better, up to its order.
  @Test func learnsWhatThereIs() {
    var source: [Int32] = [0, 1]
    for place in 2..<20_000 {
      var random = CounterRandom(seed: 3, purpose: .corpus, step: place)
      let expected = (source[place - 1] + source[place - 2]) % 4
      source.append(random.uniform() < 0.9 ? expected : Int32(random.uniform() * 4))
    }
    let losses = (1...4).map { order in
      let surprisals = NGramModel(order: order, vocabularySize: 4, texts: [Array(source[..<15_000])])
        .surprisals(of: Array(source[15_000...]))
      return surprisals.reduce(0, +) / Double(surprisals.count)
    }
    let entropy = -(0.925 * log(0.925) + 3 * 0.025 * log(0.025))
    #expect(losses[0] > 1.35 && abs(losses[2] - entropy) < 0.03)
    #expect(losses[1] > 2 * losses[2] && losses[3] < losses[2] + 0.03)
  }
}

/// Modified Kneser–Ney as it is written down, slow.
private struct Reference {
  let order, vocabularySize: Int
  let grams: [[Int32]: Int]

  init(order: Int, vocabularySize: Int, texts: [[Int32]]) {
    (self.order, self.vocabularySize) = (order, vocabularySize)
    let boundary = Int32(vocabularySize)
    let streams = texts.map { [boundary] + $0 }
    var counts: [[Int32]: Int] = [:]
    for stream in streams {
      for end in 1..<max(1, stream.count) {
        for length in 1...order where end - length + 1 >= 0 {
          counts[Array(stream[end - length + 1...end]), default: 0] += 1
        }
      }
    }
    var adjusted = counts.filter { $0.key.count == order || $0.key[0] == boundary }
    for gram in counts.keys where gram.count > 1 {
      let suffix = Array(gram.dropFirst())
      if suffix.count < order { adjusted[suffix, default: 0] += 1 }
    }
    grams = adjusted
  }

  private func discount(_ length: Int, _ count: Int) -> Double {
    let n = (1...4).map { wanted in Double(grams.count { $0.key.count == length && $0.value == wanted }) }
    let y = n[0] / (n[0] + 2 * n[1])
    let found = [1 - 2 * y * n[1] / n[0], 2 - 3 * y * n[2] / n[1], 3 - 4 * y * n[3] / n[2]]
    let isFine = zip(found, [1.0, 2, 3]).allSatisfy { $0 >= 0 && $0 <= $1 }
    return count == 0 ? 0 : (isFine ? found : [0.5, 1, 1.5])[min(count, 3) - 1]
  }

  func probability(of symbol: Int32, after history: [Int32]) -> Double {
    let context = Array(history.suffix(order - 1))
    return probability(symbol, context)
  }

  private func probability(_ symbol: Int32, _ context: [Int32]) -> Double {
    let lower = context.isEmpty ? 1 / Double(vocabularySize) : probability(symbol, Array(context.dropFirst()))
    let followers = (0..<Int32(vocabularySize)).map { grams[context + [$0]] ?? 0 }
    let total = Double(followers.reduce(0, +))
    guard total > 0 else { return lower }
    let length = context.count + 1
    let own = followers[Int(symbol)]
    let taken = followers.reduce(0.0) { $0 + discount(length, $1) }
    return max(0, Double(own) - discount(length, own)) / total + taken / total * lower
  }
}
