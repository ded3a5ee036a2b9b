import Compute
import LanguageModeling
import ModelFiles
import Reports
import Tokenization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How well a model predicts texts as it is, and where it learns from them or remembers them as it reads.
///
/// The model's files never change. Weights and memory begin anew with each text; documents of one stream share them.
public struct AdaptiveScores: Sendable, Equatable {
  /// With the trained weights.
  public private(set) var plain = Score()
  /// The same with a neural cache.
  public private(set) var cached: Score?
  /// With dynamic evaluation.
  public private(set) var dynamic: Score?
  /// With both.
  public private(set) var both: Score?
  /// What was used.
  public let evaluation: DynamicEvaluation?
  public let cache: NeuralCache.Settings?

  /// Scores streams of tokens, each from the beginning: every token after the first that does not begin a document.
  ///
  /// - Parameters:
  ///   - statistics: A text whose gradients say how much each weight may change; see ``DynamicEvaluation``.
  ///   - threads: Threads that may share the reading with the trained weights.
  /// - Throws: ``InvalidAdaptation``, ``ConfigurationError``, ``PredictionsNotFinite``.
  public init(
    of streams: [[Int32]], by model: any LanguageModel, dynamic: DynamicEvaluation?, cache: NeuralCache.Settings?,
    statistics: [Int32]? = nil, threads: Int = 1
  ) throws {
    try dynamic?.validate()
    try cache?.validate()
    evaluation = dynamic
    self.cache = cache
    let unpredicted = model.configuration.documents?.start
    func scores(_ reader: any ScoringReader) throws -> (plain: Score, cached: Score?) {
      let pass = ScoringPass(reader, cache, hiddenSize: model.configuration.hiddenSize, unpredicted: unpredicted)
      let scores = pass.scores(streams)
      guard scores.plain.nats.isFinite else { throw PredictionsNotFinite() }
      return (scores.plain, cache == nil ? nil : scores.cached)
    }
    (plain, cached) = try scores(StaticReader(model, threads: threads))
    guard let dynamic else { return }
    let learning = try scores(dynamic.makeReader(model, text: statistics))
    (self.dynamic, both) = (learning.plain, learning.cached)
  }

  // MARK: Forms

  /// What there is besides the plain score, with names for people and for programs.
  private var adapted: [(name: String, key: String, score: Score)] {
    [
      ("with a neural cache", "cache", cached), ("with dynamic evaluation", "dynamic", dynamic),
      ("with both", "dynamic_cache", both),
    ].compactMap { name, key, score in score.map { (name, key, $0) } }
  }

  func add(to table: inout TextTable, characters: Int) {
    for (name, _, score) in adapted {
      let gain = plain.mean - score.mean
      table.add(
        name, decimal(score.mean, places: 4),
        "nats per token, \(decimal(abs(gain), places: 4)) \(gain >= 0 ? "less" : "more"); "
          + "\(decimal(Self.bits(score, characters), places: 4)) bits per character")
    }
  }

  func members(characters: Int) -> [JSON.Member] {
    adapted.flatMap { _, key, score in
      [
        JSON.Member("nats_per_token_\(key)", JSON(score.mean)),
        JSON.Member("bits_per_character_\(key)", JSON(Self.bits(score, characters))),
      ]
    }
  }

  private static func bits(_ score: Score, _ characters: Int) -> Double { score.nats / log(2) / Double(characters) }
}

/// Reads streams once and scores them without and with a cache.
private final class ScoringPass {
  private let reader: any ScoringReader
  private let cache: NeuralCache.Settings?
  private let hiddenSize: Int
  private let unpredicted: Int32?
  private var plain = Score()
  private var cached = Score()

  init(_ reader: any ScoringReader, _ cache: NeuralCache.Settings?, hiddenSize: Int, unpredicted: Int32?) {
    self.reader = reader
    self.cache = cache
    self.hiddenSize = hiddenSize
    self.unpredicted = unpredicted
  }

  func scores(_ streams: [[Int32]]) -> (plain: Score, cached: Score) {
    for stream in streams {
      reader.begin()
      let memory = cache.map { NeuralCache($0, hiddenSize: hiddenSize) }
      TokenWindow.forEach(of: stream[...], steps: reader.steps) { window in
        let (losses, outputs) = reader.read(window)
        for (t, target) in window.targets.enumerated() where target != unpredicted {
          plain.add(losses[t])
          guard let memory else { continue }
          let hidden = outputs[t..<t + 1]
          cached.add(memory.loss(of: target, losses[t], after: hidden))
          memory.add(target, after: hidden)
        }
      }
    }
    return (plain, cached)
  }
}

extension NeuralCache {
  /// −ln p of a symbol, where the model says `loss`; to the bit that where the cache has no share.
  func loss(of symbol: Int32, _ loss: Double, after hidden: Rows<Float>) -> Double {
    guard settings.share > 0 else { return loss }
    return -log(probability(of: symbol, exp(-loss), after: hidden))
  }
}

extension TokenWindow {
  /// The windows of a stream in one lane, one after another; the last may be shorter.
  static func forEach(of stream: ArraySlice<Int32>, steps: Int, _ body: (TokenWindow) -> Void) {
    guard stream.count > 1 else { return }
    for start in stride(from: stream.startIndex, to: stream.endIndex - 1, by: steps) {
      let end = min(start + steps, stream.endIndex - 1)
      body(
        TokenWindow(
          steps: end - start, lanes: 1, inputs: Array(stream[start..<end]), targets: Array(stream[start + 1...end])))
    }
  }
}
