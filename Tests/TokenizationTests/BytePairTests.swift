import Compute
import TestSupport
import Testing
import Tokenization

@Suite struct MergeLearnerTests {
  /// Learns from words of one-character symbols; a word is written with its symbols between spaces.
  private func learn(
    _ words: [(String, Int)], alphabet: String, merges: Int, minimumFrequency: Int = 1
  ) -> (merges: [String], words: [String]) {
    let symbols = alphabet.split(separator: " ").map(String.init)
    var learner = MergeLearner(pieces: symbols.map { .text(Array($0.utf8)) })
    for (word, count) in words {
      learner.add(
        word.split(separator: " ").compactMap { symbols.firstIndex(of: String($0)).map(Int32.init) }, count: count)
    }
    learner.learn(vocabularySize: symbols.count + merges, minimumFrequency: minimumFrequency)
    func name(_ id: Int32) -> String { String(decoding: learner.pieces[Int(id)].bytes, as: UTF8.self) }
    return (
      learner.merges.map { "\(name($0.left)) \(name($0.right))" },
      learner.currentWords.map { $0.map(name).joined(separator: " ") }
    )
  }

  /// The example of Sennrich, Haddow & Birch 2016, algorithm 1: what the words have become after nine merges, in which
  /// every pair of six and more is used up, whatever the order among equals.
  @Test func learnsTheExampleOfThePaper() {
    let (merges, words) = learn(
      [("l o w </w>", 5), ("l o w e r </w>", 2), ("n e w e s t </w>", 6), ("w i d e s t </w>", 3)],
      alphabet: "d e i l n o r s t w </w>", merges: 9)
    #expect(words == ["low</w>", "low e r </w>", "newest</w>", "w i d est</w>"])
    #expect(merges == ["e s", "t </w>", "es t</w>", "l o", "lo w", "e w", "n ew", "new est</w>", "low </w>"])
  }

  /// Gage 1994, as every textbook has it: aaabdaaabac becomes XdXac with X = ZY, Y = ab, Z = aa.
  @Test func learnsGagesExample() {
    let (merges, words) = learn([("a a a b d a a a b a c", 1)], alphabet: "a b c d", merges: 3, minimumFrequency: 2)
    #expect(merges == ["a a", "a b", "aa ab"] && words == ["aaab d aaab a c"])
  }

  @Test(arguments: [(1, 2), (2, 2), (3, 1), (4, 0)])
  func stopsAtTheMinimumFrequency(_ frequency: Int, _ count: Int) {
    let (merges, _) = learn([("a b", 3), ("c d", 2)], alphabet: "a b c d", merges: 10, minimumFrequency: frequency)
    #expect(merges.count == count)
  }

  /// Of equally frequent pairs the one of the smallest ids goes first, however the words are ordered.
  @Test func breaksTiesByIds() {
    let words = [("c d", 2), ("a c", 2), ("b a", 2)]
    for order in [words, words.reversed()] {
      #expect(learn(order, alphabet: "a b c d", merges: 3).merges == ["a c", "b a", "c d"])
    }
  }

  /// Counting all pairs anew for each merge gives the same words and merges.
  @Test(arguments: 0..<30)
  func isTheSlowWayMadeFast(_ seed: Int) {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    var slow = (0..<12).map { _ in
      (
        symbols: (0..<Int.random(in: 1...12, using: &random)).map { _ in Int32.random(in: 0..<4, using: &random) },
        count: Int.random(in: 1...5, using: &random)
      )
    }
    var learner = MergeLearner(pieces: (0..<4).map { .text([UInt8(ascii: "a") + UInt8($0)]) })
    for word in slow { learner.add(word.symbols, count: word.count) }
    learner.learn(vocabularySize: 14, minimumFrequency: 1)
    for merge in learner.merges.prefix(4) {  // while no token can be made in two ways
      var counts: [UInt64: Int] = [:]
      for word in slow {
        for (a, b) in zip(word.symbols, word.symbols.dropFirst()) {
          counts[PairTable.key(a, b), default: 0] += word.count
        }
      }
      let best = counts.min { ($1.value, $0.key) < ($0.value, $1.key) }
      guard best?.key == PairTable.key(merge.left, merge.right) else {
        Issue.record("another merge than \(merge)")
        return
      }
      slow = slow.map { (Self.merged($0.symbols, merge), $0.count) }
      if learner.merges.count == 1 { #expect(learner.currentWords == slow.map(\.symbols)) }
    }
  }

  private static func merged(_ symbols: [Int32], _ merge: BytePairModel.Merge) -> [Int32] {
    var out: [Int32] = []
    var place = 0
    while place < symbols.count {
      let isPair = place + 1 < symbols.count && symbols[place] == merge.left && symbols[place + 1] == merge.right
      out.append(isPair ? merge.result : symbols[place])
      place += isPair ? 2 : 1
    }
    return out
  }
}

@Suite struct BytePairModelTests {
  /// The merges of the paper's figure 1 and its word that training never saw: "lower·" becomes "low er·".
  @Test func encodesTheExampleOfThePaper() throws {
    let tokenizer = try read(
      #"""
      {"model":{"type":"BPE","vocab":{"l":0,"o":1,"w":2,"e":3,"r":4,"·":5,"r·":6,"lo":7,"low":8,"er·":9},
      "merges":[["r","·"],["l","o"],["lo","w"],["e","r·"]]}}
      """#)
    #expect(try tokenizer.encode("lower·", unknown: .fail).ids.map(tokenizer.text(of:)) == ["low", "er·"])
  }

  /// Merging by the first rule that applies, again and again, is what both ways of merging do.
  @Test(arguments: [1, 2, 3, 10, 39, 40, 41, 42, 80, 500])
  func mergesByRank(_ length: Int) throws {
    let model = try Self.model()
    for seed in 0..<20 {
      var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
      let bytes = (0..<length).map { _ in UInt8(ascii: "a") + UInt8.random(in: 0..<3, using: &random) }
      var tokens = SubwordTokens()
      var scratch = BytePairModel.Scratch()
      model.encode(bytes, 0..<length, &scratch, into: &tokens)
      #expect(tokens.ids == Self.slowly(bytes, model))
      #expect(tokens.lengths.reduce(0, +) == Int32(length))
    }
  }

  private static func model() throws -> BytePairModel {
    let text = "abcabcaabbccabcbacbaaaabbbbacacacbcbcbcaabbaacc"
    let tokenizer = try BytePairTrainer(options(290, .none), isByteLevel: true).train(text)
    guard case .bytePair(let model) = tokenizer.model, model.merges.count > 15 else { throw WrongModel() }
    return model
  }

  private struct WrongModel: Error {}

  private static func slowly(_ bytes: [UInt8], _ model: BytePairModel) -> [Int32] {
    var ids = bytes.map { model.vocabulary.byteIDs[Int($0)] }
    while true {
      let places = ids.indices.dropLast().compactMap { place -> (rank: Int, place: Int)? in
        model.merges.firstIndex { $0.left == ids[place] && $0.right == ids[place + 1] }.map { ($0, place) }
      }
      guard let best = places.min(by: { $0 < $1 }) else { return ids }
      ids[best.place] = model.merges[best.rank].result
      ids.remove(at: best.place + 1)
    }
  }

  /// A word of a million characters takes no more than a moment.
  @Test func isFastOnLongWords() throws {
    let model = try Self.model()
    let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    var tokens = SubwordTokens()
    var scratch = BytePairModel.Scratch()
    let begin = ContinuousClock.now
    model.encode(bytes, 0..<bytes.count, &scratch, into: &tokens)
    #expect(ContinuousClock.now - begin < .seconds(20) && tokens.lengths.reduce(0, +) == 1_000_000)
  }

  @Test func trainsToTheSizeThatWasAsked() throws {
    for (isByteLevel, size) in [(true, 300), (true, 256), (false, 400)] {
      let tokenizer = try BytePairTrainer(options(size), isByteLevel: isByteLevel).train(trainingText)
      #expect(tokenizer.vocabularySize == size && tokenizer.unknownID == nil)
    }
  }

  @Test func countsAndReplacesWhatItLacks() throws {
    let tokenizer = try BytePairTrainer(options(100, .gpt2, fallsBack: false), isByteLevel: false).train("aa bb ab")
    let unknown = try #require(tokenizer.unknownID)
    #expect(try tokenizer.encode("a☃☃b", unknown: .replace).ids.count(where: { $0 == unknown }) == 2)
    let skipped = try tokenizer.encode("a☃b é", unknown: .skip, keepsOffsets: true)
    #expect(skipped.unknown.map(\.symbol) == ["☃", "é"] && skipped.unknown.map(\.firstPosition) == [1, 4])
    #expect(skipped.offsets == [0..<1, 4..<5, 5..<6])
    #expect(throws: UnknownSymbolsError.self) { try tokenizer.encode("é", unknown: .fail) }
  }

  @Test func findsSpecialSymbols() throws {
    var options = options(300)
    options.specialSymbols = ["<s>", "<s>>", "é"]
    let tokenizer = try BytePairTrainer(options, isByteLevel: true).train(trainingText)
    let encoded = try tokenizer.encode("<s<s>>\u{E9}<s>", unknown: .fail, keepsOffsets: true)
    #expect(encoded.ids.suffix(3) == [1, 2, 0] && encoded.offsets?.suffix(3) == [2..<6, 6..<8, 8..<11])
    #expect(tokenizer.decode(encoded.ids) == "<s<s>>\u{E9}<s>" && tokenizer.id(of: "<s>") == 0)
  }

  @Test func refusesWhatCannotBeTrained() {
    for (isByteLevel, size) in [(true, 255), (false, 256)] {
      #expect(throws: VocabularyError.self) {
        try BytePairTrainer(options(size), isByteLevel: isByteLevel).train("abc")
      }
    }
    #expect(throws: VocabularyError.self) { try BytePairTrainer(options(300), isByteLevel: true).train("") }
    var twice = options(300)
    twice.specialSymbols = ["<s>", "<s>"]
    #expect(throws: VocabularyError.self) { try BytePairTrainer(twice, isByteLevel: true).train("abc") }
  }
}
