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
  public fileprivate(set) var plain = Score()
  /// The same with a neural cache.
  public fileprivate(set) var cached: Score?
  /// With dynamic evaluation.
  public fileprivate(set) var dynamic: Score?
  /// With both.
  public fileprivate(set) var both: Score?
  /// What was used.
  public let evaluation: DynamicEvaluation?
  public let cache: NeuralCache.Settings?

  /// Scores streams of tokens, each from the beginning: every token after the first that does not begin a document.
  ///
  /// - Parameters:
  ///   - statistics: A text whose gradients say how much each weight may change; see ``DynamicEvaluation``.
  ///   - threads: Threads that may share the work; learning takes one. The result is the same to the bit for any number.
  /// - Throws: ``InvalidAdaptation``, ``ConfigurationError``, ``PredictionsNotFinite``.
  public init(
    of streams: [[Int32]], by model: any LanguageModel, dynamic: DynamicEvaluation?, cache: NeuralCache.Settings?,
    statistics: [Int32]? = nil, threads: Int = 1
  ) throws {
    let reading = try AdaptiveReading(
      model, dynamic: dynamic, cache: cache, statistics: statistics, isOneStream: false, threads: threads)
    for stream in streams {
      reading.beginStream()
      for token in stream { reading.add(token) }
    }
    self = try reading.finish()
  }

  fileprivate init(_ evaluation: DynamicEvaluation?, _ cache: NeuralCache.Settings?) {
    (self.evaluation, self.cache) = (evaluation, cache)
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

  private static func bits(_ score: Score, _ characters: Int) -> Double { score.bits / Double(characters) }
}

/// ``AdaptiveScores`` of tokens as they come; memory does not grow with them.
public final class AdaptiveReading: ReadingFollower {
  private let evaluation: DynamicEvaluation?
  private let cache: NeuralCache.Settings?
  private let isOneStream: Bool
  private let still: ScoringPass
  private let learning: ScoringPass?
  /// Of which each does a pass.
  private let workers: Workers
  /// Tokens that wait to be read by both passes at the same time; nil begins a stream.
  private var waiting: [Int32?] = []

  private static var batch: Int { 4096 }

  /// - Parameters:
  ///   - statistics: A text whose gradients say how much each weight may change; see ``DynamicEvaluation``.
  ///   - isOneStream: Whether texts go on where the one before them ended, as documents do.
  ///   - threads: Threads that may share the work; learning takes one. The result is the same to the bit for any number.
  /// - Throws: ``InvalidAdaptation``, ``ConfigurationError``.
  public init(
    _ model: any LanguageModel, dynamic: DynamicEvaluation?, cache: NeuralCache.Settings?, statistics: [Int32]? = nil,
    isOneStream: Bool, threads: Int = 1
  ) throws {
    try dynamic?.validate()
    try cache?.validate()
    (evaluation, self.cache, self.isOneStream) = (dynamic, cache, isOneStream)
    func pass(_ reader: any ScoringReader) -> ScoringPass {
      ScoringPass(
        reader, cache, hiddenSize: model.configuration.hiddenSize,
        unpredicted: model.configuration.documents?.start)
    }
    // Learning keeps one thread busy.
    still = pass(StaticReader(model, threads: dynamic == nil ? threads : max(1, threads - 1)))
    learning = try dynamic.map { pass(try $0.makeReader(model, text: statistics)) }
    workers = Workers(threads: dynamic == nil ? 1 : min(2, threads))
  }

  /// Begins anew with the trained weights and without memory.
  func beginStream() { waiting.append(nil) }

  func add(_ token: Int32) {
    waiting.append(token)
    if waiting.count >= Self.batch { readWaiting() }
  }

  private func readWaiting() {
    let (passes, tokens) = (passes, waiting)
    workers.run(passes.count) { passes[$0].read(tokens) }
    waiting.removeAll(keepingCapacity: true)
  }

  private var passes: [ScoringPass] { [still, learning].compactMap { $0 } }

  public func begin(_ index: Int) { if index == 0 || !isOneStream { beginStream() } }

  public func add(_ token: ScoredToken, in text: PassingText) { add(token.id) }

  public func advance(to place: Int, in text: PassingText) -> Int { place }

  public func end(_ text: PassingText) {}

  /// The scores of all that was added.
  ///
  /// - Throws: ``PredictionsNotFinite``.
  public func finish() throws -> AdaptiveScores {
    var scores = AdaptiveScores(evaluation, cache)
    readWaiting()
    for pass in passes {
      pass.finish()
      guard pass.plain.nats.isFinite else { throw PredictionsNotFinite() }
    }
    (scores.plain, scores.cached) = (still.plain, cache == nil ? nil : still.cached)
    if let learning { (scores.dynamic, scores.both) = (learning.plain, cache == nil ? nil : learning.cached) }
    return scores
  }
}

/// Reads streams once and scores them without and with a cache.
private final class ScoringPass: @unchecked Sendable {  // one thread at a time
  private let reader: any ScoringReader
  private let settings: NeuralCache.Settings?
  private let hiddenSize: Int
  private let unpredicted: Int32?
  private var memory: NeuralCache?
  /// Tokens that wait to fill a window; the first is the last that was read, or begins the stream.
  private var waiting: [Int32] = []
  private(set) var plain = Score()
  private(set) var cached = Score()

  init(_ reader: any ScoringReader, _ cache: NeuralCache.Settings?, hiddenSize: Int, unpredicted: Int32?) {
    self.reader = reader
    settings = cache
    self.hiddenSize = hiddenSize
    self.unpredicted = unpredicted
  }

  /// Goes on with tokens; nil begins a stream.
  func read(_ tokens: [Int32?]) {
    for token in tokens { if let token { add(token) } else { begin() } }
  }

  private func begin() {
    finish()
    reader.begin()
    waiting = []
    memory = settings.map { NeuralCache($0, hiddenSize: hiddenSize) }
  }

  private func add(_ token: Int32) {
    waiting.append(token)
    if waiting.count > reader.steps { read() }
  }

  /// Reads what waits.
  func finish() { if waiting.count > 1 { read() } }

  private func read() {
    let window = TokenWindow(
      steps: waiting.count - 1, lanes: 1, inputs: Array(waiting.dropLast()), targets: Array(waiting.dropFirst()))
    waiting.removeFirst(window.steps)
    let (losses, outputs) = reader.read(window)
    for part in window.targets.indices.split(whereSeparator: { window.targets[$0] == unpredicted }) {
      for t in part { plain.add(losses[t]) }
      for loss in memory?.losses(of: Array(window.targets[part]), losses[part], after: outputs[part]) ?? [] {
        cached.add(loss)
      }
    }
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
