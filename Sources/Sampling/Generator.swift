import Compute
import LanguageModeling
import Tokenization

/// Writes text: primes a model with a prompt, then draws symbol after symbol, in one text or in many at once.
///
/// The draw at each place is a function of the seed, the text's number and the place alone, and a reader's predictions are
/// the same to the bit whatever is read beside: text i is the same whether it is written alone or with others, and for any
/// number of threads.
public struct Generator: Sendable {
  /// The model that predicts.
  public let model: any LanguageModel
  /// The tokenizer of its vocabulary.
  public let tokenizer: any Tokenizer
  /// The token that starts a text without a prompt.
  public let start: Int32
  /// How long, how symbols are chosen, where a text ends.
  public var settings: GenerationSettings
  /// The same seed draws the same symbols.
  public var seed: UInt64
  /// Threads that may share the work; the text is the same for any number.
  public var threads = 1

  /// Texts that are written at once; more follow.
  public static let batch = 128

  /// A generator; nothing is computed before it writes.
  public init(
    model: any LanguageModel, tokenizer: any Tokenizer, start: Int32, settings: GenerationSettings, seed: UInt64
  ) {
    self.model = model
    self.tokenizer = tokenizer
    self.start = start
    self.settings = settings
    self.seed = seed
  }

  /// Writes one text after a prompt, number 0.
  ///
  /// - Parameters:
  ///   - prompt: Token ids; where empty, the text starts after ``start``, which is not part of it. In a model that knows
  ///     documents every prompt begins one. Where it ends inside
  ///     what could be a longer token, its last tokens are drawn anew, see ``PromptHealing``.
  ///   - emit: Gets the text as it is drawn, whole characters only (perhaps none with a token, and more with the next);
  ///     returning false ends the writing. Bytes at the end that are no whole character are left out.
  /// - Throws: `PredictionsNotFinite`, ``InvalidSampling``, and what `emit` throws.
  public func write(after prompt: [Int32], emit: (String) throws -> Bool) throws {
    try write(after: prompt, samples: 0..<1) { try emit($0.text) }
  }

  /// Several texts after a prompt: as many as beams, at most, where they are searched for, the best first; else the drawn
  /// ones of these numbers.
  ///
  /// - Throws: `PredictionsNotFinite`, ``InvalidSampling``.
  public func texts(after prompt: [Int32], samples: Range<Int> = 0..<1) throws -> [WrittenText] {
    if let beams = settings.beams {
      return Array(try search(after: prompt, beams).dropFirst(samples.lowerBound).prefix(samples.count))
    }
    var texts = [WrittenText](repeating: WrittenText(), count: samples.count)
    try write(after: prompt, samples: samples) { written in
      texts[written.sample - samples.lowerBound].append(written)
      return true
    }
    return texts
  }

  /// Writes several texts at once.
  ///
  /// - Parameters:
  ///   - prompt: As in ``write(after:emit:)``.
  ///   - samples: Numbers of the texts.
  ///   - emit: Gets each token, place after place, and at each place text after text; returning false ends the writing.
  /// - Throws: `PredictionsNotFinite`, ``InvalidSampling``, and what `emit` throws.
  public func write(
    after prompt: [Int32], samples: Range<Int>, emit: (WrittenToken) throws -> Bool
  ) throws {
    try settings.validate()
    precondition(settings.beams == nil, "what a beam search finds is not drawn symbol by symbol; ask for texts")
    guard settings.length > 0 else { return }
    let healing = healing(prompt)
    let chain = try chain(after: healing.prompt)
    for begin in stride(from: samples.lowerBound, to: samples.upperBound, by: Self.batch) {
      let samples = begin..<min(begin + Self.batch, samples.upperBound)
      let lanes = samples.map { lane($0, chain, healing, afterPrompt: !prompt.isEmpty) }
      guard try write(lanes, after: healing.prompt, emit) else { return }
    }
  }

  /// A text that is written beside others.
  private final class Text: @unchecked Sendable {  // one thread at a time has it
    var lane: WritingLane
    /// Its next token; nil where it has ended.
    private(set) var choice: Result<WritingLane.Choice, any Error>?

    init(_ lane: WritingLane) { self.lane = lane }

    func draw(_ logits: ArraySlice<Double>, seed: UInt64) {
      guard lane.finishReason == nil else {
        choice = nil
        return
      }
      choice = Result {
        guard logits.allSatisfy(\.isFinite) else { throw PredictionsNotFinite() }
        return try lane.draw(logits, seed: seed)
      }
    }
  }

  /// Whether all was written.
  private func write(
    _ lanes: [WritingLane], after prompt: [Int32], _ emit: (WrittenToken) throws -> Bool
  ) throws -> Bool {
    let reader = model.makeReader(lanes: lanes.count, steps: readingSteps(lanes.count), threads: threads)
    let (texts, seed) = (lanes.map { Text($0) }, seed)
    let draw = { @Sendable (index: Int, logits: ArraySlice<Double>) in texts[index].draw(logits, seed: seed) }
    var tokens = [Int32](repeating: start, count: lanes.count)
    let windows = windows(prompt, reader)
    for window in windows.dropLast() { _ = reader.logits(after: window) }
    reader.forEachLane(after: windows.last ?? tokens, draw)
    while true {
      var goesOn = false
      for (index, choice) in try texts.map({ try $0.choice?.get() }).enumerated() {
        guard let choice else { continue }
        tokens[index] = choice.token
        guard try emit(texts[index].lane.take(choice)) else { return false }
        goesOn = goesOn || texts[index].lane.finishReason == nil
      }
      guard goesOn else { return true }
      reader.forEachLane(after: tokens, draw)
    }
  }

  // MARK: Beginning

  /// The chain of processors that knows the prompt.
  func chain(after prompt: [Int32]) throws -> ProcessorChain {
    var chain = try ProcessorChain(settings.sampling, tokenizer: tokenizer)
    for token in prompt { chain.accept(token) }
    return chain
  }

  func lane(_ sample: Int, _ chain: ProcessorChain, _ healing: PromptHealing, afterPrompt: Bool) -> WritingLane {
    WritingLane(
      sample: sample, settings, chain: chain, tokenizer: tokenizer, documents: documents, healing: healing,
      afterPrompt: afterPrompt)
  }

  /// What of a prompt is drawn anew; the symbols around documents are not in its text.
  func healing(_ prompt: [Int32]) -> PromptHealing {
    PromptHealing(prompt, tokenizer, special: documents.map { [$0.start, $0.end] } ?? [])
  }

  private var documents: DocumentSymbols? { model.configuration.documents }

  /// Steps of a window in which a prompt is read: fewer for many texts.
  func readingSteps(_ lanes: Int) -> Int { max(1, 64 / lanes) }

  /// Reads a prompt in every lane; the logits of what follows.
  func read(_ prompt: [Int32], _ reader: any LanguageModelReader) -> [Double] {
    windows(prompt, reader).reduce([]) { _, window in reader.logits(after: window) }
  }

  /// A prompt in every lane, `[T, B]` in pieces that a reader takes; at least one.
  private func windows(_ prompt: [Int32], _ reader: any LanguageModelReader) -> [[Int32]] {
    let prompt = documents.map { [$0.start] + prompt } ?? (prompt.isEmpty ? [start] : prompt)
    return stride(from: 0, to: prompt.count, by: reader.steps).map { begin in
      prompt[begin..<min(begin + reader.steps, prompt.count)].flatMap {
        [Int32](repeating: $0, count: reader.lanes)
      }
    }
  }
}
