/// Unroll: load a model folder, write with it and score with it, in a few lines of Swift.

@_exported import Evaluation
@_exported import LanguageModeling
@_exported import Sampling
@_exported import Tokenization
@_exported import Training

/// A trained model with its tokenizer.
///
///     let model = try Model(folder: "models/harbour")
///     print(try model.write(after: "Dear ", length: 200, seed: 1))
///     print(try model.perplexity(of: "Dear Nell,").bitsPerCharacter)
public struct Model: Sendable {
  public let network: any LanguageModel
  public let tokenizer: any Tokenizer
  private let startToken: Int32

  /// Loads a model folder.
  ///
  /// - Throws: `FileError` that names the file and what is wrong with it.
  public init(folder: String, precision: Precision = .float32) throws {
    let loaded = try ModelFolder(folder).load(precision: precision)
    network = loaded.model
    tokenizer = loaded.tokenizer
    startToken = loaded.startToken
  }

  /// The text that follows a prompt: `length` tokens, drawn at a temperature (0 takes the likeliest each time).
  ///
  /// - Throws: `UnknownSymbolsError` where the prompt has symbols that the vocabulary lacks, `InvalidSampling`.
  public func write(
    after prompt: String = "", length: Int, temperature: Double = 0.8, seed: UInt64
  ) throws -> String {
    let ids = try tokenizer.encode(prompt, unknown: .fail).ids
    let generator = Generator(
      model: network, tokenizer: tokenizer, start: startToken, sampler: try Sampler(temperature: temperature),
      seed: seed)
    var text = ""
    try generator.write(after: ids, length: length) { piece in
      text += piece
      return true
    }
    return text
  }

  /// How well the model predicts a text, read from the zero state.
  ///
  /// - Throws: `TooLittleText` where nothing can be scored.
  public func perplexity(of text: String, unknown: UnknownPolicy = .skip) throws -> PerplexityReport {
    try PerplexityReport(of: [text], by: network, tokenizer, unknownPolicy: unknown)
  }
}
