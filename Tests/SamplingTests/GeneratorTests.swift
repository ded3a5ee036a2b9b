import Compute
import Foundation
import LanguageModeling
import Recurrence
import Sampling
import Testing
import Tokenization

/// Writing with small models of random weights, which are made bold so that they prefer something.
@Suite struct GeneratorTests {
  static let letters = Array("abcdefghijklmnop .\n".unicodeScalars)
  static let tokenizer = CharacterTokenizer(scalars: letters, hasUnknown: false, normalization: .nfc)

  private func generator(
    _ change: (inout GenerationSettings) -> Void = { _ in }, threads: Int = 1, seed: UInt64 = 1
  ) throws -> Generator {
    let network = Network<LSTM<Float32Kernels>>(
      try ModelConfiguration(vocabularySize: Self.letters.count, embeddingSize: 8, hiddenSize: 70, layers: 2))
    var parameters = network.initialParameters(seed: 1)
    for slot in parameters.layout.slots { Float.scale(parameters.writable(slot), by: 3) }
    var settings = GenerationSettings()
    settings.length = 60
    settings.sampling.temperature = 1
    change(&settings)
    var generator = Generator(
      model: RecurrentLanguageModel(network: network, parameters: parameters), tokenizer: Self.tokenizer, start: 0,
      settings: settings, seed: seed)
    generator.threads = threads
    return generator
  }

  private func prompt(_ text: String) throws -> [Int32] { try Self.tokenizer.encode(text, unknown: .fail).ids }

  /// Text i is the same alone and with others, in any batch and for any number of threads.
  @Test(arguments: [1, 2, 3])
  func textsDoNotDependOnTheirNeighbours(_ threads: Int) throws {
    func change(_ settings: inout GenerationSettings) {
      settings.sampling.topP = 0.95
      settings.sampling.repetitionPenalty = 1.2
      settings.sampling.mirostatTarget = nil
      settings.stops = [".", "ab"]
      settings.keepsProbabilities = true
    }
    let prompt = try prompt("a bad cab.\n")
    let together = try generator(change, threads: threads).texts(after: prompt, samples: 0..<9)
    #expect(Set(together.map(\.text)).count > 5)
    for sample in 0..<9 {
      let alone = try generator(change).texts(after: prompt, samples: sample..<sample + 1)[0]
      #expect(alone.tokens == together[sample].tokens && alone.pieces == together[sample].pieces)
      #expect(alone.logProbabilities == together[sample].logProbabilities)
    }
    #expect(try generator(change, seed: 2).texts(after: prompt)[0].tokens != together[0].tokens)
  }

  @Test func moreTextsThanABatchHolds() throws {
    let all = try generator({ $0.length = 5 }).texts(after: [], samples: 0..<200)
    let last = try generator({ $0.length = 5 }).texts(after: [], samples: 199..<200)
    #expect(all.count == 200 && all.allSatisfy { $0.tokens.count == 5 } && all[199].tokens == last[0].tokens)
  }

  /// First symbols of many texts follow the model's own probabilities: χ² with 18 degrees of freedom, 99.9 % quantile.
  @Test(arguments: [1, 2] as [UInt64])
  func drawsFollowTheModel(_ seed: UInt64) throws {
    let count = 6000
    let texts = try generator(
      {
        $0.length = 1
        $0.alternatives = 19
      }, threads: 2, seed: seed
    )
    .texts(after: try prompt("a"), samples: 0..<count)
    var drawn = [Double](repeating: 0, count: Self.letters.count)
    for text in texts { drawn[Int(text.tokens[0])] += 1 }
    let alternatives = texts[0].alternatives[0]
    #expect(abs(alternatives.reduce(0) { $0 + exp($1.logProbability) } - 1) < 1e-9)
    let chiSquared = alternatives.reduce(0) { sum, alternative in
      let mean = exp(alternative.logProbability) * Double(count)
      #expect(mean > 5)
      return sum + (drawn[Int(alternative.token)] - mean) * (drawn[Int(alternative.token)] - mean) / mean
    }
    #expect(chiSquared < 42.31)
  }

  /// Log-probabilities are those of scoring the text; alternatives are ranked and hold the greedy symbol.
  @Test func probabilitiesAreTheModels() throws {
    let generator = try generator({
      $0.keepsProbabilities = true
      $0.alternatives = 3
      $0.sampling.topK = 2
    })
    let prompt = try prompt("cab")
    let text = try generator.texts(after: prompt)[0]
    let reader = generator.model.makeReader(lanes: 1, steps: 100)
    let all = prompt + text.tokens
    let losses = reader.losses(
      TokenWindow(steps: all.count - 1, lanes: 1, inputs: Array(all.dropLast()), targets: Array(all.dropFirst())))
    for (loss, logProbability) in zip(losses.suffix(text.tokens.count), text.logProbabilities) {
      #expect(abs(loss + logProbability) < 1e-5)
    }
    for (place, list) in text.alternatives.enumerated() {
      #expect(list.count == 3 && list.map(\.logProbability) == list.map(\.logProbability).sorted(by: >))
      #expect(list.prefix(2).map(\.token).contains(text.tokens[place]))
    }
    let bits = text.pieces.compactMap(\.bits).reduce(0, +)
    #expect(abs(bits + text.logProbabilities.reduce(0, +) / log(2)) < 1e-9)
  }

  @Test func textsEndWhereTheyShould() throws {
    let plain = try generator().texts(after: [])[0]
    #expect(plain.finishReason == .length && plain.text.count == 60)
    let stop = String(plain.text.dropFirst(20).prefix(3))
    let stopped = try generator({ $0.stops = [stop] }).texts(after: [])[0]
    #expect(stopped.finishReason == .stop && plain.text.hasPrefix(stopped.text + stop))
    let end = plain.tokens[30]
    let ended = try generator({ $0.end = end }).texts(after: [])[0]
    #expect(ended.finishReason == .eos && ended.tokens == plain.tokens.prefix { $0 != end } + [end])
    #expect(plain.text.hasPrefix(ended.text) && ended.text.count == ended.tokens.count - 1)
    let none = try generator({ $0.length = 0 }).texts(after: [])[0]
    #expect(none.finishReason == .length && none.tokens.isEmpty)
    // What was held back is written where the length ends the text.
    let last = String(plain.text.suffix(1))
    #expect(try generator({ $0.stops = [last + "~"] }).texts(after: [])[0].text == plain.text)
  }

  @Test func bannedTextsAreNotWritten() throws {
    let plain = try generator().texts(after: [], samples: 0..<8).map(\.text).joined(separator: "|")
    let banned = ["a", "b", "c"].flatMap { a in ["d", "e", "f"].map { a + $0 } }.filter { plain.contains($0) }
    #expect(!banned.isEmpty)
    for text in try generator({ $0.sampling.banned = banned }).texts(after: [], samples: 0..<8) {
      #expect(banned.allSatisfy { !text.text.contains($0) } && text.text.count == 60)
    }
  }

  // MARK: Beams

  /// Every text of a length with its log-probability, the likeliest first.
  private func everything(_ generator: Generator, length: Int) -> [(tokens: [Int32], logProbability: Double)] {
    var texts: [(tokens: [Int32], logProbability: Double)] = [([], 0)]
    for _ in 0..<length {
      texts = texts.flatMap { text in
        let reader = generator.model.makeReader(lanes: 1, steps: 10)
        let logits = reader.logits(after: [0] + text.tokens)
        let sum = log(logits.reduce(0) { $0 + exp($1) })
        return logits.indices.map { (text.tokens + [Int32($0)], text.logProbability + logits[$0] - sum) }
      }
    }
    return texts.sorted { $0.logProbability > $1.logProbability }
  }

  /// With beams enough for all of them the search is exhaustive.
  @Test func wideBeamsFindTheLikeliest() throws {
    let count = Self.letters.count
    let search = try generator({
      $0.length = 3
      $0.beams = BeamSettings(width: count * count)
      $0.keepsProbabilities = true
    })
    let found = try search.texts(after: [], samples: 0..<4)
    let expected = everything(search, length: 3)
    for (found, expected) in zip(found, expected) {
      #expect(found.tokens == expected.tokens)
      #expect(abs(found.logProbabilities.reduce(0, +) - expected.logProbability) < 1e-4)
    }
  }

  @Test func beamsAreDeterministicAndBeatGreed() throws {
    func best(_ width: Int, threads: Int = 1, seed: UInt64 = 1) throws -> WrittenText {
      try generator(
        {
          $0.beams = BeamSettings(width: width)
          $0.keepsProbabilities = true
          $0.length = 30
        }, threads: threads,
        seed: seed
      ).texts(after: try prompt("a"))[0]
    }
    let greedy = try generator({
      $0.sampling.temperature = 0
      $0.length = 30
    }).texts(after: try prompt("a"))[0]
    #expect(try best(1).tokens == greedy.tokens)
    let (one, many) = (try best(1), try best(8))
    #expect(many.logProbabilities.reduce(0, +) > one.logProbabilities.reduce(0, +) + 0.1)
    #expect(try best(8, threads: 2, seed: 9).tokens == many.tokens)
  }

  /// With an end, a length penalty above 0 prefers what ends late, and below 0 what ends early.
  @Test func lengthPenaltiesChoose() throws {
    func length(_ penalty: Double) throws -> Int {
      try generator({
        $0.beams = BeamSettings(width: 4, lengthPenalty: penalty)
        $0.stops = ["."]
        $0.length = 40
      }).texts(after: try prompt("ab"))[0].tokens.count
    }
    #expect(try length(-2) < length(3))
  }
}
