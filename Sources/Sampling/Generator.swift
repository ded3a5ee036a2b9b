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

  /// Draws `length` tokens after a prompt, or fewer where the model knows documents and ends this one. The draw at each place is a function of the seed and the place alone.
  ///
  /// - Parameters:
  ///   - prompt: Token ids; where empty, the text starts after ``start``, which is not part of it. In a model that knows
  ///     documents every prompt begins one.
  ///   - emit: Gets the text as it is drawn, whole characters only (a token may give none, where its character is not
  ///     whole yet); returning false ends the writing. Bytes at the end that are no whole character are left out.
  /// - Throws: ``PredictionsNotFinite``, and what `emit` throws.
  public func write(after prompt: [Int32], length: Int, emit: (String) throws -> Bool) throws {
    guard length > 0 else { return }
    let reader = model.makeReader(lanes: 1, steps: 64, threads: threads)
    var logits: [Double] = []
    var decoder = StreamingDecoder(tokenizer, goesOn: !prompt.isEmpty)
    let documents = model.configuration.documents
    let prompt = documents.map { [$0.start] + prompt } ?? (prompt.isEmpty ? [start] : prompt)
    for begin in stride(from: 0, to: prompt.count, by: reader.steps) {
      logits = reader.logits(after: Array(prompt[begin..<min(begin + reader.steps, prompt.count)]))
    }
    for place in 0..<length {
      guard logits.allSatisfy(\.isFinite) else { throw PredictionsNotFinite() }
      if let unknown = tokenizer.unknownID { logits[Int(unknown)] = -.infinity }
      if let documents { logits[Int(documents.start)] = -.infinity }
      var random = CounterRandom(seed: seed, purpose: .sampling, step: place)
      let token = sampler.draw(logits, using: &random)
      if let documents, token == Int(documents.end) { return }
      guard try emit(decoder.take(Int32(token))), place + 1 < length else { return }
      logits = reader.logits(after: [Int32(token)])
    }
  }
}
