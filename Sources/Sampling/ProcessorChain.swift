import Compute
import Tokenization

/// Logit processors one after another, and the draw at their end.
///
/// The order is that of Hugging Face transformers: first what depends on the text so far – logit bias, repetition penalty,
/// then (they are not there) presence and frequency penalty and DRY, then banned strings – then temperature, and what
/// truncates: (top-nσ,) top-k, top-p, min-p, typical(, mirostat). At temperature 0 the likeliest symbol is taken after the
/// first part. In all of them, of equals the symbol with the lowest id comes first.
public struct ProcessorChain: Sendable {
  private var processors: [any LogitProcessor]
  /// Draws from what the processors leave.
  private let sampler: Sampler
  private var weights: [Double] = []

  /// A chain of processors, in their order.
  public init(_ processors: [any LogitProcessor], sampler: Sampler) {
    self.processors = processors
    self.sampler = sampler
  }

  /// The chain that settings ask for.
  ///
  /// - Throws: ``InvalidSampling`` that names the setting.
  public init(_ settings: SamplingSettings, tokenizer: any Tokenizer) throws {
    let looksAtBytes = !settings.banned.isEmpty || settings.repeatedSequences.multiplier > 0
    let biases = try settings.biases.map { try Self.entry($0, tokenizer) }
    var settings = settings
    settings.banned = settings.banned.map { tokenizer.normalization.normalize($0) }
    try self.init(
      settings, bytes: looksAtBytes ? (0..<Int32(tokenizer.vocabularySize)).map { tokenizer.bytes(of: $0) } : [],
      vocabularySize: tokenizer.vocabularySize, biases: biases)
  }

  /// - Parameter bytes: Of each symbol, where strings are looked for.
  init(_ settings: SamplingSettings, bytes: [[UInt8]], vocabularySize: Int = 0, biases: [LogitBias.Entry]) throws {
    let sampler = try Sampler(temperature: settings.temperature)
    let truncations = try Self.truncations(settings)
    processors = try Self.memories(settings, bytes: bytes, vocabularySize: vocabularySize, biases: biases)
    if truncations.isEmpty || settings.temperature == 0 {
      self.sampler = sampler
    } else {
      processors += [try Temperature(settings.temperature)] as [any LogitProcessor] + truncations
      self.sampler = try Sampler(temperature: 1)
    }
  }

  private static func entry(_ bias: SamplingSettings.Bias, _ tokenizer: any Tokenizer) throws -> LogitBias.Entry {
    do {
      return LogitBias.Entry(tokens: try tokenizer.encode(bias.text, unknown: .fail).ids, bias: bias.value)
    } catch let error as UnknownSymbolsError {
      let names = error.unknown.map(\.name).joined(separator: ", ")
      throw InvalidSampling("logit-bias '\(bias.text)' never comes: the model's vocabulary lacks \(names)")
    }
  }

  /// What depends on the text so far.
  private static func memories(
    _ settings: SamplingSettings, bytes: [[UInt8]], vocabularySize: Int, biases: [LogitBias.Entry]
  ) throws -> [any LogitProcessor] {
    var processors: [any LogitProcessor] = []
    let repetition = try RepetitionPenalty(
      settings.repetitionPenalty, window: settings.penaltyWindow, vocabularySize: vocabularySize)
    let occurrence = try OccurrencePenalty(
      presence: settings.presencePenalty, frequency: settings.frequencyPenalty, window: settings.penaltyWindow,
      vocabularySize: vocabularySize)
    if !biases.isEmpty { processors.append(try LogitBias(biases)) }
    if settings.repetitionPenalty != 1 { processors.append(repetition) }
    if settings.presencePenalty != 0 || settings.frequencyPenalty != 0 { processors.append(occurrence) }
    let sequences = try RepeatedSequencePenalty(settings.repeatedSequences, bytes: bytes)
    if settings.repeatedSequences.multiplier > 0 { processors.append(sequences) }
    if !settings.banned.isEmpty { processors.append(try BannedStrings(settings.banned, bytes: bytes)) }
    return processors
  }

  private static func truncations(_ settings: SamplingSettings) throws -> [any LogitProcessor] {
    var processors: [any LogitProcessor] = []
    if let deviations = settings.topNSigma { processors.append(try TopNSigma(deviations)) }
    if let count = settings.topK { processors.append(try TopK(count)) }
    if let mass = settings.topP { processors.append(try TopP(mass)) }
    if let ratio = settings.minP { processors.append(try MinP(ratio)) }
    if let mass = settings.typicalP { processors.append(try TypicalP(mass)) }
    if let target = settings.mirostatTarget {
      try require(processors.isEmpty, "mirostat chooses how many symbols are kept; leave out the other truncations")
      try require(settings.temperature > 0, "mirostat draws, and greedy writing does not; leave one of them out")
      processors.append(try Mirostat(target: target, rate: settings.mirostatRate))
    }
    return processors
  }

  /// The bound of mirostat, where it is one of the processors: what they remember besides the text.
  var mirostatBound: Double? {
    get { processors.lazy.compactMap { ($0 as? Mirostat)?.bound }.first }
    set {
      for index in processors.indices {
        guard var mirostat = processors[index] as? Mirostat, let newValue else { continue }
        mirostat.bound = newValue
        processors[index] = mirostat
      }
    }
  }

  /// Whether anything is done with the symbols of the text so far.
  var isEmpty: Bool { processors.isEmpty }

  /// Takes note of the next symbol of the text: those of the prompt first, then each that was drawn.
  public mutating func accept(_ token: Int32) {
    for index in processors.indices { processors[index].accept(token) }
  }

  /// Changes the logits of the next symbol.
  ///
  /// - Throws: ``InvalidSampling`` where no symbol is left.
  public mutating func process(_ logits: inout [Double]) throws {
    guard !processors.isEmpty else { return }
    for index in processors.indices { processors[index].process(&logits) }
    try require(
      logits.contains { $0 > -.infinity },
      "no symbol is left to go on with: all are banned; ban less, or give fewer a bias of -inf")
  }

  /// Draws the next symbol, counted from the beginning of the logits `[V]` of one text.
  ///
  /// - Throws: ``InvalidSampling`` where no symbol is left.
  public mutating func draw(_ logits: ArraySlice<Double>, using random: inout CounterRandom) throws -> Int {
    guard !processors.isEmpty else { return sampler.draw(logits, using: &random, weights: &weights) }
    var logits = Array(logits)
    try process(&logits)
    return sampler.draw(logits, using: &random)
  }
}
