import Corpora
import Foundation
import Testing

/// The texts of each source, judged by rules that are written down here a second time.
@Suite struct SourceTextTests {
  /// The whole lines of a text.
  private func lines(_ source: any SymbolSource, _ length: Int = 100_000) -> [String] {
    source.text(length: length, seed: 2).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      .map(String.init)
  }

  /// A share of independent trials, within four standard errors.
  private func expectShare(_ count: Int, of total: Int, _ share: Double, _ what: String) {
    let error = (share * (1 - share) / Double(total)).squareRoot()
    #expect(abs(Double(count) / Double(total) - share) <= 4 * error, "\(what): \(count) of \(total), not \(share)")
  }

  // MARK: Reber

  /// The inner grammar as a regular expression: from state 3 `X` leads to 2 and `S` out, from 4 `P` leads to 3 and `V` out.
  private static var string: Regex<(Substring, Substring, Substring)> {
    #/B(T|P)B(?:TS*X(?:XT*VP)*(?:S|XT*VV)|PT*V(?:PXT*V)*(?:V|PS))E(T|P)E/#
  }

  @Test func embeddedReberStrings() throws {
    let lines = lines(EmbeddedReber())
    for line in lines {
      let match = try #require(try Self.string.wholeMatch(in: line), "\(line) is not of the grammar")
      #expect(match.1 == match.2, "\(line)")
    }
    #expect(lines.count > 7000)
    expectShare(lines.count { $0.hasPrefix("BT") }, of: lines.count, 0.5, "outer T")
    expectShare(lines.count { $0.dropFirst(3).hasPrefix("T") }, of: lines.count, 0.5, "inner T first")
    expectShare(lines.count { $0.dropFirst(3).hasPrefix("TS") }, of: lines.count, 0.25, "a loop in state 1")
    let length = meanAndError(lines.map { Double($0.count) }, block: 10)
    #expect(abs(length.mean - 12) < 4 * length.error, "\(length)")
    #expect(lines.contains { $0.count > 30 }, "no long string")
  }

  @Test func continualReberIsOneStream() throws {
    let text = ContinualReber().text(length: 100_000, seed: 2)
    #expect(!text.contains("\n"))
    var rest = text[...]
    var count = 0
    while let match = try Self.string.prefixMatch(in: rest) {
      #expect(match.1 == match.2)
      rest = rest[match.range.upperBound...]
      count += 1
    }
    #expect(rest.count < 100, "the stream stops being of the grammar at '\(rest.prefix(40))'")
    #expect(count > 8000)
  }

  @Test(arguments: [
    ("", "B"), ("B", "TP"), ("BT", "B"), ("BTB", "TP"), ("BTBT", "SX"), ("BTBTS", "SX"), ("BTBTX", "SX"),
    ("BTBTXX", "TV"), ("BTBTXXV", "PV"), ("BTBTXXVP", "SX"), ("BTBP", "TV"), ("BTBPV", "PV"), ("BTBPVPX", "TV"),
    ("BTBPVV", "E"), ("BTBPVVE", "T"), ("BPBPVVE", "P"), ("BPBTXSE", "P"), ("BTBTXSE", "T"), ("BTBTXSET", "E"),
    ("BTBTXSETE", "\n"), ("BTBTXSETE\n", "B"), ("BTBTXSETE\nBPBTXSE", "P"), ("BTBTXSEP", ""),
  ])
  func legalSuccessors(_ prefix: String, _ expected: String) {
    let successors = EmbeddedReber().legalSuccessors(after: prefix)
    #expect(Set(successors) == Set(expected.unicodeScalars))
    guard !prefix.contains("\n") && expected != "\n" else { return }
    #expect(ContinualReber().legalSuccessors(after: prefix) == successors)
  }

  @Test func continualStringsFollowAtOnce() {
    #expect(ContinualReber().legalSuccessors(after: "BTBTXSETE") == ["B"])
    #expect(ContinualReber().legalSuccessors(after: "BTBTXSETEBPBTXSE") == ["P"])
  }

  // MARK: Lines

  @Test(arguments: [(20, 10), (6, 3), (2, 2)])
  func addingLines(_ length: Int, _ base: Int) throws {
    let lines = lines(AddingProblem(length: length, base: base))
    var marks = [Int](repeating: 0, count: length)
    var sums = [Int](repeating: 0, count: 2 * base - 1)
    for line in lines {
      let symbols = Array(line.utf8)
      try #require(symbols.count == length + 2 && symbols[length] == UInt8(ascii: "="))
      let digits = symbols[..<length].map { Int($0) - ($0 >= 97 ? 97 : 48) }
      let marked = (0..<length).filter { symbols[$0] >= 97 }
      try #require(marked.count == 2 && marked[0] < length / 2 && marked[1] >= length / 2)
      #expect(digits.allSatisfy { (0..<base).contains($0) })
      let sum = digits[marked[0]] + digits[marked[1]]
      #expect(Int(symbols[length + 1]) - (sum < 10 ? 48 : 55) == sum, "\(line)")
      for place in marked { marks[place] += 1 }
      sums[sum] += 1
    }
    #expect(lines.count > 4000)
    for count in marks { expectShare(count, of: lines.count, 2 / Double(length), "a mark's place") }
    expectShare(sums[base - 1], of: lines.count, 1 / Double(base), "the likeliest sum")
  }

  @Test(arguments: [(20, 10, 8), (0, 1, 2), (5, 3, 26)])
  func copyLines(_ delay: Int, _ items: Int, _ letters: Int) throws {
    let lines = lines(CopyMemory(delay: delay, items: items, letters: letters))
    let dots = String(repeating: ".", count: delay)
    var first: [Character: Int] = [:]
    for line in lines {
      let word = String(line.prefix(items))
      #expect(line == word + dots + ":" + word)
      first[line.first ?? "?", default: 0] += 1
    }
    #expect(lines.count > 2000 && first.count == letters)
    expectShare(first["a"] ?? 0, of: lines.count, 1 / Double(letters), "the letter a")
  }

  @Test(arguments: [10, 1, 3])
  func countedPairs(_ maximum: Int) {
    let lines = lines(CountedPairs(maximum: maximum))
    var counts = [Int](repeating: 0, count: maximum + 1)
    for line in lines {
      let n = line.count / 2
      #expect(line == String(repeating: "a", count: n) + String(repeating: "b", count: n))
      #expect((1...maximum).contains(n))
      counts[min(n, maximum)] += 1
    }
    for n in 1...maximum where maximum > 1 { expectShare(counts[n], of: lines.count, 1 / Double(maximum), "n = \(n)") }
  }

  // MARK: Bits and chains

  @Test(arguments: [(2, 0.02), (20, 0.02), (7, 0.3)])
  func laggedXorBits(_ lag: Int, _ probability: Double) {
    let bits = LaggedXor(lag: lag, probability: probability).text(length: 200_000, seed: 9).utf8.map { Int($0) - 48 }
    let wrong = (lag..<bits.count).count { bits[$0] != bits[$0 - 1] ^ bits[$0 - lag] }
    expectShare(wrong, of: bits.count - lag, probability, "wrong bits")
  }

  /// The blocks of k bits are equally frequent, so that k − 1 bits say nothing of the next; those of k + 1 are not.
  @Test(arguments: [2, 3, 5, 8])
  func shortSightSeesCoins(_ lag: Int) {
    let bits = LaggedXor(lag: lag, probability: 0.02).text(length: 400_000, seed: 9).utf8.map { Int($0) - 48 }
    #expect(abs(conditionalEntropy(bits, sight: lag - 1) - log(2)) < 1e-3)
    #expect(abs(conditionalEntropy(bits, sight: lag) - LaggedXor(lag: lag, probability: 0.02).optimalLoss) < 3e-3)
  }

  /// The entropy of a bit given the `sight` bits before it, by counting.
  private func conditionalEntropy(_ bits: [Int], sight: Int) -> Double {
    var counts = [Double](repeating: 0, count: 1 << (sight + 1))
    var block = 0
    for (place, bit) in bits.enumerated() {
      block = (block << 1 | bit) & (counts.count - 1)
      if place >= sight { counts[block] += 1 }
    }
    let total = counts.reduce(0, +)
    return counts.indices.reduce(0) { sum, block in
      guard counts[block] > 0 else { return sum }
      return sum - counts[block] / total * log(counts[block] / (counts[block] + counts[block ^ 1]))
    }
  }

  @Test func markovTransitions() throws {
    // π = (0.8, 0.2): what leaves one state, 0.8 · 0.1, is what leaves the other, 0.2 · 0.4.
    let two = try MarkovChain(transitions: [[0.9, 0.1], [0.4, 0.6]])
    #expect(abs(two.stationary[0] - 0.8) < 1e-12 && abs(two.stationary[1] - 0.2) < 1e-12)
    let rows = [-0.9 * log(0.9) - 0.1 * log(0.1), -0.4 * log(0.4) - 0.6 * log(0.6)]
    #expect(abs(two.optimalLoss - (0.8 * rows[0] + 0.2 * rows[1])) < 1e-12)
    #expect(abs(two.forgetfulLoss - (-0.8 * log(0.8) - 0.2 * log(0.2))) < 1e-12)

    let chain = try MarkovChain(states: 4, matrix: 3)
    let states = chain.text(length: 200_000, seed: 6).utf8.map { Int($0) - 97 }
    for from in 0..<4 {
      let visits = zip(states, states.dropFirst()).filter { $0.0 == from }
      for to in 0..<4 {
        expectShare(visits.count { $0.1 == to }, of: visits.count, chain.transitions[from][to], "\(from) to \(to)")
      }
    }
    // π = πP, and P is another one for another matrix.
    for state in 0..<4 {
      let flow = (0..<4).reduce(0) { $0 + chain.stationary[$1] * chain.transitions[$1][state] }
      #expect(abs(flow - chain.stationary[state]) < 1e-12)
    }
    #expect(try MarkovChain(states: 4, matrix: 4).transitions != chain.transitions)
  }

  /// A chain that goes round in a circle has a rate of 0, though it never forgets where it began.
  @Test func periodicChain() throws {
    let circle = try MarkovChain(transitions: [[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    #expect(circle.optimalLoss == 0 && circle.stationary.allSatisfy { abs($0 - 1 / 3) < 1e-12 })
    #expect("abcabcabca".contains(circle.text(length: 7, seed: 1)))
  }

  @Test(
    arguments: [
      ([], "square"), ([[0.5, 0.5]], "square"), ([[0.5, 0.6], [1, 0]], "row 1"), ([[1, 0], [1.5, -0.5]], "row 2"),
      ([[.nan, 1], [1, 0]], "row 1"), ([[1, 0], [0.5, 0.5]], "reached"),
    ] as [([[Double]], String)])
  func refusesWhatIsNoChain(_ transitions: [[Double]], _ reason: String) {
    let error = #expect(throws: SourceError.self) { try MarkovChain(transitions: transitions) }
    #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
  }
}
