import Compute
import LanguageModeling
import Tokenization

/// Writes text: primes a model with a prompt, then draws symbol after symbol.
public struct Generator: Sendable {
  /// The model that predicts.
  public let model: any LanguageModel
  /// The tokenizer of its vocabulary.
  public let tokenizer: any Tokenizer
  /// How symbols are drawn.
  public let sampler: Sampler
  /// The same seed draws the same symbols.
  public let seed: UInt64
  /// The token that starts a text without a prompt.
  public let start: Int32
  /// Threads that may share the work; the text is the same for any number.
  public var threads = 1

  /// A generator; nothing is computed before ``write(after:length:emit:)``.
  public init(
    model: any LanguageModel, tokenizer: any Tokenizer, start: Int32, sampler: Sampler, seed: UInt64
  ) {
    self.model = model
    self.tokenizer = tokenizer
    self.start = start
    self.sampler = sampler
    self.seed = seed
  }

  /// Draws `length` tokens after a prompt. The draw at each place is a function of the seed and the place alone.
  ///
  /// - Parameters:
  ///   - prompt: Token ids; where empty, the text starts after ``start``, which is not part of it. Where it ends inside
  ///     what could be a longer token, its last tokens are drawn anew, see ``PromptHealing``.
  ///   - emit: Gets the text as it is drawn, whole characters only (a token may give none, where its character is not
  ///     whole yet); returning false ends the writing. Bytes at the end that are no whole character are left out.
  /// - Throws: ``PredictionsNotFinite``, and what `emit` throws.
  public func write(after prompt: [Int32], length: Int, emit: (String) throws -> Bool) throws {
    guard length > 0 else { return }
    let reader = model.makeReader(lanes: 1, steps: 64, threads: threads)
    var logits: [Double] = []
    var decoder = StreamingDecoder(tokenizer, goesOn: !prompt.isEmpty)
    var healing = PromptHealing(prompt, tokenizer)
    decoder.leaveOut(healing.rest.count)
    let prompt = healing.prompt.isEmpty ? [start] : healing.prompt
    for begin in stride(from: 0, to: prompt.count, by: reader.steps) {
      logits = reader.logits(after: Array(prompt[begin..<min(begin + reader.steps, prompt.count)]))
    }
    for place in 0..<length {
      guard logits.allSatisfy(\.isFinite) else { throw PredictionsNotFinite() }
      if let unknown = tokenizer.unknownID { logits[Int(unknown)] = -.infinity }
      healing.constrain(&logits)
      var random = CounterRandom(seed: seed, purpose: .sampling, step: place)
      let token = sampler.draw(logits, using: &random)
      if !healing.isDone { healing.take(tokenizer.bytes(of: Int32(token)).count) }
      guard try emit(decoder.take(Int32(token))), place + 1 < length else { return }
      logits = reader.logits(after: [Int32(token)])
    }
  }
}
