import Foundation
import Sampling
import Testing

private func processed(
  _ processor: some LogitProcessor, after tokens: [Int32], _ logits: [Double]
) -> [Double] {
  var processor = processor
  for token in tokens { processor.accept(token) }
  var logits = logits
  processor.process(&logits)
  return logits
}

@Suite struct PenaltyTests {
  @Test(
    arguments: [
      (nil, [1, 1, -4, 3]), (1, [2, 1, -2, 3]), (2, [2, 1, -4, 3]), (3, [2, 1, -4, 3]), (4, [1, 1, -4, 3]),
    ] as [(Int?, [Double])])
  func repetition(_ window: Int?, _ expected: [Double]) throws {
    let penalty = try RepetitionPenalty(2, window: window, vocabularySize: 4)
    #expect(processed(penalty, after: [0, 2, 2, 1], [2, 2, -2, 3]) == expected)
  }

  /// Presence ½ and frequency ¼ after 0, 2, 2, 1 and a window.
  @Test(
    arguments: [
      (nil, [-0.75, -0.75, -1, 0]), (1, [0, -0.75, 0, 0]), (2, [0, -0.75, -0.75, 0]), (3, [0, -0.75, -1, 0]),
    ] as [(Int?, [Double])])
  func occurrences(_ window: Int?, _ expected: [Double]) throws {
    let penalty = try OccurrencePenalty(presence: 0.5, frequency: 0.25, window: window, vocabularySize: 4)
    #expect(processed(penalty, after: [0, 2, 2, 1], [0, 0, 0, 0]) == expected)
  }

  /// A window goes on round and round.
  @Test(arguments: [(1, [0, 0, 0, -1]), (2, [0, 0, 0, -2]), (3, [0, 0, -1, -2]), (4, [0, -1, -1, -2])])
  func windowsMoveOn(_ window: Int, _ expected: [Double]) throws {
    let penalty = try OccurrencePenalty(presence: 0, frequency: 1, window: window, vocabularySize: 4)
    #expect(processed(penalty, after: [0, 1, 0, 2, 0, 1, 2, 3, 3], [0, 0, 0, 0]) == expected)
  }

  @Test func theImpossibleStaysImpossible() throws {
    let logits = [-Double.infinity, 1]
    #expect(processed(try RepetitionPenalty(2, vocabularySize: 2), after: [0], logits) == logits)
    let occurrence = try OccurrencePenalty(presence: -1, frequency: -1, vocabularySize: 2)
    #expect(processed(occurrence, after: [0], logits) == logits)
  }

  @Test(
    arguments: [
      ([2], 1, [0, 0, 1.5, 0]), ([0, 1, 2], 1, [0, 0, 0, 0]), ([1, 3, 2], 1, [0, 0, 1.5, 0]),
      ([3, 2], 2, [0, 0, 1.5, 0]), ([1, 2], 2, [0, 0, 0, 0]),
    ] as [([Int32], Int, [Double])])
  func bias(_ tokens: [Int32], _ count: Int, _ expected: [Double]) throws {
    let bias = try LogitBias([LogitBias.Entry](repeating: .init(tokens: tokens, bias: 1.5), count: 1))
    #expect(processed(bias, after: count == 1 ? [0, 1, 3] : [2, 3], [0, 0, 0, 0]) == expected)
  }

  /// What a bias adds up to, and what bans.
  @Test func biasesAddUp() throws {
    let bias = try LogitBias([
      .init(tokens: [1], bias: 2), .init(tokens: [1], bias: -0.5), .init(tokens: [0], bias: -.infinity),
    ])
    #expect(processed(bias, after: [], [1, 1, 1]) == [-.infinity, 2.5, 1])
  }
}

/// Symbols are letters here, and longer pieces of them.
private let pieces = ["a", "b", "c", "ab", "bc", "cab", "\n"]
private let bytes = pieces.map { Array($0.utf8) }

private func tokens(_ names: [String]) -> [Int32] { names.map { Int32(pieces.firstIndex(of: $0) ?? 0) } }

@Suite struct BannedStringTests {
  /// The symbols that are not drawn after others.
  @Test(
    arguments: [
      (["ab"], [], ["ab", "cab"]), (["ab"], ["a"], ["b", "ab", "bc", "cab"]), (["ab"], ["a", "c"], ["ab", "cab"]),
      (["abc"], ["ab"], ["c", "cab"]), (["abc"], ["a", "b"], ["c", "cab"]), (["abc"], ["c", "a"], ["bc"]),
      (["c"], [], ["c", "bc", "cab"]), (["aab"], ["a", "a", "a"], ["b", "bc", "ab"]), (["aab"], ["a"], ["ab"]),
      (["abab", "\n"], ["b", "ab"], ["ab", "\n"]), (["abab", "\n"], ["b", "cab", "a"], ["b", "bc", "\n"]),
      (["x"], ["a"], []),
    ] as [([String], [String], [String])])
  func areNotCompleted(_ banned: [String], _ before: [String], _ expected: [String]) throws {
    let logits = processed(
      try BannedStrings(banned, bytes: bytes), after: tokens(before), pieces.map { _ in 1 })
    #expect(Set(pieces.indices.filter { logits[$0] == -.infinity }.map { pieces[$0] }) == Set(expected))
  }
}

@Suite struct RepeatedSequenceTests {
  private func settings(_ change: (inout RepeatedSequenceSettings) -> Void = { _ in }) -> RepeatedSequenceSettings {
    var settings = RepeatedSequenceSettings()
    settings.multiplier = 0.5
    settings.base = 2
    change(&settings)
    return settings
  }

  /// What goes on with a repetition, and how much of it has come.
  @Test(
    arguments: [
      (["a", "b", "c", "a", "b"], ["c": 2]), (["a", "b", "c", "a"], [:]),
      (["c", "a", "b", "a", "c", "a", "b"], ["a": 3]),
      // Twice after b a: the longer repetition counts, and each symbol by itself.
      (["c", "b", "a", "c", "b", "a", "b", "c", "b", "a"], ["b": 3, "c": 3]),
      (["a", "a", "a", "a"], ["a": 3]),
      // Only what follows the line feed is a repetition, and the line feed is none.
      (["a", "b", "c", "\n", "a", "b"], ["c": 2]), (["c", "a", "b", "a", "\n", "c", "a", "b"], ["a": 3]),
      (["c", "\n", "a", "b", "a", "c", "\n", "a", "b"], ["a": 2]), (["a", "b", "c", "a", "b", "\n"], [:]),
      (["a", "b", "c", "a", "\n", "b"], [:]),
    ] as [([String], [String: Int])])
  func findsRepeats(_ before: [String], _ expected: [String: Int]) throws {
    var penalty = try RepeatedSequencePenalty(settings(), bytes: bytes)
    for token in tokens(before) { penalty.accept(token) }
    #expect(Dictionary(uniqueKeysWithValues: penalty.repeats().map { (pieces[Int($0)], $1) }) == expected)
  }

  /// multiplier · base^(length − allowed length).
  @Test(arguments: [(2, -1), (3, -0.5), (4, 0)] as [(Int, Double)])
  func takesMoreFromLongerOnes(_ allowed: Int, _ expected: Double) throws {
    let penalty = try RepeatedSequencePenalty(settings { $0.allowedLength = allowed }, bytes: bytes)
    let logits = processed(penalty, after: tokens(["c", "a", "b", "a", "c", "a", "b"]), pieces.map { _ in 0 })
    #expect(logits == [expected, 0, 0, 0, 0, 0, 0])
  }

  @Test func breakersMayLieAcrossSymbols() throws {
    for (breaker, expected) in [("ca", 0.0), ("ac", -1)] {
      let penalty = try RepeatedSequencePenalty(settings { $0.breakers = [breaker] }, bytes: bytes)
      let logits = processed(penalty, after: tokens(["c", "a", "b", "c", "a", "b"]), pieces.map { _ in 0 })
      #expect(logits[2] == expected, "a b after ca is one symbol, b, that could repeat")
    }
  }

  @Test func looksAtAWindow() throws {
    for (window, expected) in [(8, 0.0), (9, -0.5), (100, -0.5)] {
      let penalty = try RepeatedSequencePenalty(settings { $0.window = window }, bytes: bytes)
      let text = ["a", "c", "b", "c", "c", "c", "b", "a", "c"]
      let logits = processed(penalty, after: tokens([String](repeating: "bc", count: 40) + text), pieces.map { _ in 0 })
      #expect(logits[1] == expected, "window \(window)")
    }
  }

  @Test func staysFiniteHoweverLong() throws {
    let penalty = try RepeatedSequencePenalty(settings(), bytes: bytes)
    let logits = processed(penalty, after: [Int32](repeating: 0, count: 4000), pieces.map { _ in 0 })
    #expect(logits[0] == -1e100)
  }

  /// The Z function against its definition.
  @Test(arguments: 0..<40)
  func countsMatches(_ seed: Int) {
    let symbols = (0..<seed).map { Int32(($0 * $0 * 7 + $0 * seed / 3) % (2 + seed % 2)) }
    for (place, match) in RepeatedSequencePenalty.matches(symbols).enumerated().dropFirst() {
      let expected = (0..<seed - place).prefix { symbols[$0] == symbols[place + $0] }.count
      #expect(match == expected)
    }
  }
}
