import ArgumentParser
import Corpora
import Evaluation
import LanguageModeling
import Tokenization

extension DynamicEvaluation.Rule: ExpressibleByArgument {}

/// `--dynamic` and `--cache` of `unroll perplexity`.
struct AdaptationOptions: ParsableArguments {
  @Flag(help: "Report also how the model does when it goes on learning from the text, each symbol scored first.")
  var dynamic = false

  @Option(help: "How it learns: rms (each weight's step divided by the root of its mean squared gradient) or sgd.")
  var dynamicRule: DynamicEvaluation.Rule?

  @Option(
    help: """
      A text like the training text, whose gradients say how much each weight may change. The default takes the gradients \
      of the scored text as it comes.
      """)
  var dynamicCorpus: String?

  @Option(help: ArgumentHelp("Learning rate (default: \(rms.learningRate), or \(sgd.learningRate) with sgd)"))
  var dynamicRate: Double?

  @Option(help: ArgumentHelp("Pull back to the trained weights (default: \(rms.decay), or \(sgd.decay) with sgd)"))
  var dynamicDecay: Double?

  @Option(help: ArgumentHelp("Symbols between two updates (default: \(rms.windowLength))"))
  var dynamicWindow: Int?

  @Option(help: ArgumentHelp("What is added to the root before it divides (default: \(rms.epsilon))"))
  var dynamicEpsilon: Double?

  @Flag(help: "Report also how the model does with a memory of what came after similar states (a neural cache).")
  var cache = false

  @Option(help: ArgumentHelp("Symbols that the cache remembers (default: \(remembered.window))"))
  var cacheWindow: Int?

  @Option(help: ArgumentHelp("How much the likest states count above others (default: \(remembered.flatness))"))
  var cacheFlatness: Double?

  @Option(help: ArgumentHelp("The cache's share in the probabilities, 0 to 1 (default: \(remembered.share))"))
  var cacheShare: Double?

  private static let rms = DynamicEvaluation(rule: .rms)
  private static let sgd = DynamicEvaluation(rule: .sgd)
  private static let remembered = NeuralCache.Settings()

  func validate() throws {
    let asksForDynamic =
      dynamicRule != nil || dynamicCorpus != nil || dynamicRate != nil || dynamicDecay != nil || dynamicWindow != nil
      || dynamicEpsilon != nil
    try require(dynamic || !asksForDynamic, "--dynamic-… are for --dynamic.")
    try require(
      cache || (cacheWindow == nil && cacheFlatness == nil && cacheShare == nil), "--cache-… are for --cache.")
    try require(
      dynamicRule != .sgd || (dynamicCorpus == nil && dynamicEpsilon == nil),
      "--dynamic-corpus and --dynamic-epsilon are for --dynamic-rule rms.")
    if let dynamicCorpus { try requirePath(dynamicCorpus, "--dynamic-corpus") }
    do {
      try evaluation?.validate()
      try memory?.validate()
    } catch let error as InvalidAdaptation { throw ValidationError("--\(error).") }
  }

  private var evaluation: DynamicEvaluation? {
    guard dynamic else { return nil }
    var settings = DynamicEvaluation(rule: dynamicRule ?? .rms)
    settings.learningRate = dynamicRate ?? settings.learningRate
    settings.decay = dynamicDecay ?? settings.decay
    settings.windowLength = dynamicWindow ?? settings.windowLength
    settings.epsilon = dynamicEpsilon ?? settings.epsilon
    return settings
  }

  private var memory: NeuralCache.Settings? {
    guard cache else { return nil }
    var settings = NeuralCache.Settings()
    settings.window = cacheWindow ?? settings.window
    settings.flatness = cacheFlatness ?? settings.flatness
    settings.share = cacheShare ?? settings.share
    return settings
  }

  /// What follows a reading for the figures that were asked for; nil where none were.
  func reading(
    _ loaded: ModelFolder.Loaded, _ cut: DocumentCut?, _ unknown: UnknownPolicy, _ encoding: EncodingOptions,
    threads: Int
  ) throws -> AdaptiveReading? {
    guard dynamic || cache else { return nil }
    let documents = try loaded.model.configuration.documents(cut: cut)
    return try AdaptiveReading(
      loaded.model, dynamic: evaluation, cache: memory,
      statistics: try statistics(loaded, documents, unknown, encoding),
      isOneStream: documents != nil, threads: threads)
  }

  /// The beginning of `--dynamic-corpus`, as much of it as is looked at.
  private func statistics(
    _ loaded: ModelFolder.Loaded, _ documents: (symbols: DocumentSymbols, cut: DocumentCut)?, _ unknown: UnknownPolicy,
    _ encoding: EncodingOptions
  ) throws -> [Int32]? {
    guard let dynamicCorpus else { return nil }
    var reader = try Corpus([dynamicCorpus], invalid: encoding.policy).reader()
    func ids(_ text: [UInt8]) throws -> [Int32] {
      let text = String(decoding: text, as: UTF8.self)
      guard let (symbols, cut) = documents else { return try loaded.tokenizer.encode(text, unknown: unknown).ids }
      return try symbols.encode(cut.documents(of: text).documents, by: loaded.tokenizer, unknown: unknown).ids
    }
    var (text, enough): ([UInt8], Int) = ([], 1 << 19)
    return try InText.named(dynamicCorpus) {
      while let element = try reader.next() {
        guard case .text(let bytes) = element else { continue }
        text += bytes
        guard text.count >= enough else { continue }
        // The last tokens may be others when more text comes.
        let ids = try ids(text)
        if ids.count > DynamicEvaluation.statisticsLength + 1000 { return ids }
        enough *= 2
      }
      return try ids(text)
    }
  }
}
