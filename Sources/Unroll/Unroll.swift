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
    var settings = GenerationSettings()
    settings.length = length
    settings.sampling.temperature = temperature
    return try texts(after: prompt, settings, seed: seed).first?.text ?? ""
  }

  /// Several texts that follow a prompt, written at once, each the same whatever is written beside it.
  ///
  ///     var settings = GenerationSettings()
  ///     settings.sampling.topP = 0.9
  ///     settings.stops = ["\n\n"]
  ///     for text in try model.texts(after: "Dear ", samples: 3, settings, seed: 1) { print(text.text) }
  ///
  /// - Throws: `UnknownSymbolsError` where the prompt has symbols that the vocabulary lacks, `InvalidSampling`.
  public func texts(
    after prompt: String = "", samples: Int = 1, _ settings: GenerationSettings, seed: UInt64, threads: Int = 1
  ) throws -> [WrittenText] {
    let ids = try tokenizer.encode(prompt, unknown: .fail).ids
    var generator = Generator(
      model: network, tokenizer: tokenizer, start: startToken, settings: settings, seed: seed)
    generator.threads = threads
    return try generator.texts(after: ids, samples: 0..<samples)
  }

  /// How well the model predicts a text, read from the zero state.
  ///
  /// - Throws: `TooLittleText` where nothing can be scored.
  public func perplexity(of text: String, unknown: UnknownPolicy = .skip) throws -> PerplexityReport {
    try PerplexityReport(of: [text], by: network, tokenizer, unknownPolicy: unknown)
  }
}
