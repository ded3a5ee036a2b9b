import Compute
import Foundation
import Sampling
import Testing
import Tokenization

private let tokenizer = CharacterTokenizer(
  scalars: Array("abcdefgh".unicodeScalars), hasUnknown: false, normalization: .nfc)

@Suite struct ProcessorChainTests {
  private func chain(_ change: (inout SamplingSettings) -> Void) throws -> ProcessorChain {
    var settings = SamplingSettings(temperature: 1)
    change(&settings)
    return try ProcessorChain(settings, tokenizer: tokenizer)
  }

  /// How often each symbol is drawn in many draws.
  private func draws(_ chain: ProcessorChain, _ logits: [Double], count: Int, seed: UInt64) throws -> [Double] {
    var drawn = [Double](repeating: 0, count: logits.count)
    for step in 0..<count {
      var (chain, random) = (chain, CounterRandom(seed: seed, purpose: .sampling, step: step))
      drawn[try chain.draw(logits[...], using: &random)] += 1
    }
    return drawn
  }

  /// χ² of 20,000 draws; weights are in the order of a … h, and 0 must never come. The quantiles are the 99.9 % ones of
  /// 1 to 7 degrees of freedom.
  @Test(arguments: [1, 2] as [UInt64])
  func drawsFollowTheDistribution(_ seed: UInt64) throws {
    let quantiles = [10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32]
    let weights: [Double] = [1, 2, 3, 4, 5, 6, 7, 8]
    let cases: [((inout SamplingSettings) -> Void, [Double])] = [
      ({ $0.topK = 3 }, [0, 0, 0, 0, 0, 6, 7, 8]), ({ $0.topP = 0.7 }, [0, 0, 0, 0, 5, 6, 7, 8]),
      ({ $0.minP = 0.5 }, [0, 0, 0, 4, 5, 6, 7, 8]),
      (
        {
          $0.temperature = 0.5
          $0.topK = 3
        }, [0, 0, 0, 0, 0, 36, 49, 64]
      ),
      ({ $0.banned = ["h", "a"] }, [0, 2, 3, 4, 5, 6, 7, 0]),
      ({ $0.biases = [.init("a", log(8)), .init("h", -.infinity)] }, [8, 2, 3, 4, 5, 6, 7, 0]),
      (
        {
          $0.biases = [.init("a", log(9))]
          $0.topK = 2
        }, [9, 0, 0, 0, 0, 0, 0, 8]
      ),
      ({ $0.mirostatTarget = log2(36.0 / 6.5) / 2 }, [0, 0, 0, 0, 0, 0, 7, 8]),
    ]
    for (change, expected) in cases {
      let count = 20_000
      let drawn = try draws(try chain(change), weights.map { log($0) }, count: count, seed: seed)
      let total = expected.reduce(0, +)
      var (chiSquared, kinds) = (0.0, 0)
      for (drawn, weight) in zip(drawn, expected) {
        let mean = weight / total * Double(count)
        if weight == 0 {
          #expect(drawn == 0)
        } else {
          chiSquared += (drawn - mean) * (drawn - mean) / mean
          kinds += 1
        }
      }
      #expect(chiSquared < quantiles[kinds - 2], "\(drawn)")
    }
  }

  /// Temperature comes before top-p and after the penalties; top-p after top-k.
  @Test func theOrderIsHuggingFaces() throws {
    func kept(_ weights: [Double], _ change: (inout SamplingSettings) -> Void) throws -> [Int] {
      var chain = try chain(change)
      chain.accept(0)
      var logits = weights.map { log($0) }
      try chain.process(&logits)
      return logits.indices.filter { logits[$0] > -.infinity }
    }
    // At temperature ½ the first has 16/22 of the probability, at 1 4/8.
    #expect(
      try kept(
        [4, 2, 1, 1],
        {
          $0.temperature = 0.5
          $0.topP = 0.7
        }) == [0])
    #expect(try kept([4, 2, 1, 1], { $0.topP = 0.7 }) == [0, 1])
    // Of the two likeliest the first has 4/6: top-p counts what top-k left.
    #expect(
      try kept(
        [4, 2, 1, 1],
        {
          $0.topK = 2
          $0.topP = 0.6
        }) == [0])
    #expect(try kept([4, 2, 1, 1], { $0.topP = 0.6 }) == [0, 1])
    // log 4 / 4 < log 2: the penalty comes before what is kept.
    #expect(
      try kept(
        [4, 2, 1, 1],
        {
          $0.repetitionPenalty = 4
          $0.topK = 1
        }) == [1])
    // The bias comes before the penalty: (log 4 − log 8)·4 is below all.
    #expect(
      try kept(
        [4, 2, 1, 1],
        {
          $0.repetitionPenalty = 4
          $0.biases = [.init("a", -log(8))]
          $0.topK = 3
        }) == [1, 2, 3])
    // A deviation is that of all symbols, before top-k.
    #expect(
      try kept(
        [exp(5), exp(3.5), 1, 1, 1, 1],
        {
          $0.topNSigma = 1
          $0.topK = 2
        }) == [0, 1])
  }

  /// Temperature alone draws what the sampler draws; 0 takes the likeliest of what is not banned, whatever truncates.
  @Test func plainTemperatureIsTheSamplers() throws {
    let logits = [0.3, -1, 2, 0, 1.5, -0.5, 0.9, 1]
    for step in 0..<100 {
      var (one, other) = (
        CounterRandom(seed: 1, purpose: .sampling, step: step), CounterRandom(seed: 1, purpose: .sampling, step: step)
      )
      var chain = try chain { $0.temperature = 0.7 }
      #expect(try chain.draw(logits[...], using: &one) == Sampler(temperature: 0.7).draw(logits, using: &other))
      var greedy = try self.chain {
        $0.temperature = 0
        $0.typicalP = 0.01
        $0.banned = ["c"]
      }
      #expect(try greedy.draw(logits[...], using: &one) == 4)
    }
  }

  @Test func whatIsAllBannedIsAnError() throws {
    var chain = try chain { $0.banned = "abcdefgh".map(String.init) }
    var random = CounterRandom(seed: 1, purpose: .sampling)
    let error = #expect(throws: InvalidSampling.self) { try chain.draw([1, 2, 3, 4, 5, 6, 7, 8], using: &random) }
    #expect(error?.description.contains("no symbol is left") == true)
  }

  static let invalid: [(String, @Sendable (inout SamplingSettings) -> Void)] = [
    ("temperature", { $0.temperature = -1 }), ("top-k", { $0.topK = 0 }), ("top-p", { $0.topP = 0 }),
    ("top-p", { $0.topP = .nan }), ("top-p", { $0.topP = 1.01 }), ("min-p", { $0.minP = -0.1 }),
    ("min-p", { $0.minP = 1.1 }), ("typical-p", { $0.typicalP = 0 }), ("typical-p", { $0.typicalP = 2 }),
    ("top-n-sigma", { $0.topNSigma = -1 }), ("top-n-sigma", { $0.topNSigma = .infinity }),
    ("mirostat", { $0.mirostatTarget = 0 }),
    (
      "mirostat-rate",
      {
        $0.mirostatTarget = 1
        $0.mirostatRate = 0
      }
    ),
    (
      "mirostat",
      {
        $0.mirostatTarget = 1
        $0.topK = 3
      }
    ),
    (
      "mirostat",
      {
        $0.mirostatTarget = 1
        $0.temperature = 0
      }
    ),
    ("repetition-penalty", { $0.repetitionPenalty = 0 }), ("repetition-penalty", { $0.repetitionPenalty = .infinity }),
    ("presence-penalty", { $0.presencePenalty = .nan }), ("frequency-penalty", { $0.frequencyPenalty = .infinity }),
    ("penalty-window", { $0.penaltyWindow = 0 }), ("dry-multiplier", { $0.repeatedSequences.multiplier = -1 }),
    ("dry-base", { $0.repeatedSequences.base = 0.5 }), ("dry-window", { $0.repeatedSequences.window = 1 }),
    ("dry-allowed-length", { $0.repeatedSequences.allowedLength = 0 }),
    ("dry-breaker", { $0.repeatedSequences.breakers = [""] }), ("ban", { $0.banned = [""] }),
    ("logit-bias", { $0.biases = [.init("", 1)] }), ("logit-bias", { $0.biases = [.init("a", .nan)] }),
    ("logit-bias", { $0.biases = [.init("a", .infinity)] }),
  ]

  @Test(arguments: invalid.indices)
  func invalidValuesAreRefused(_ index: Int) throws {
    var settings = SamplingSettings()
    Self.invalid[index].1(&settings)
    let error = #expect(throws: InvalidSampling.self) { try settings.validate() }
    #expect(error?.description.hasPrefix(Self.invalid[index].0 + " ") == true, "\(error?.description ?? "")")
  }

  @Test func aBiasOnUnknownSymbolsIsRefused() throws {
    let error = #expect(throws: InvalidSampling.self) { try chain { $0.biases = [.init("xa", 1)] } }
    #expect(error?.description.contains("'x' (U+0078)") == true)
  }
}
