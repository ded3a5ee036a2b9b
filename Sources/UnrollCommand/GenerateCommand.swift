import ArgumentParser
import LanguageModeling
import ModelFiles
import Sampling
import Tokenization

/// `unroll generate`.
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Write text with a model.",
    discussion: """
      Writes the prompt and what follows to standard output. Without a prompt the text starts as after a line feed. \
      Several texts (--samples) are separated by lines of ---, and each ends with a line feed.

      What changes the probabilities does so in this order: logit bias, repetition penalty, presence and frequency \
      penalty, DRY, banned texts, temperature, top-n-sigma, top-k, top-p, min-p, typical-p, mirostat.
      A model that was trained on documents begins one with the prompt and ends where it ends it, perhaps before \
      --length.

      Example: unroll generate --model letters-model --prompt "Dear " --length 300 --temperature 0.7
      """)

  @Option(name: .shortAndLong, help: "The model folder.")
  var model: String

  @OptionGroup var prompt: PromptOptions
  @OptionGroup var stopping: StoppingOptions
  @OptionGroup var search: SearchOptions
  @OptionGroup var telling: TellingOptions
  @OptionGroup var kept: StateOptions
  @OptionGroup(title: "Choosing symbols") var sampling: SamplingOptions

  @Option(
    name: .shortAndLong,
    help:
      "Seed of the draws; the same seed writes the same text (in one --precision). The default is a new one each time, named on standard error."
  )
  var seed: UInt64?

  @OptionGroup(title: "Running") var compute: ComputeOptions

  func validate() throws {
    try requirePath(model, "--model")
    do { try settings.validate() } catch let error as InvalidSampling { throw ValidationError("--\(error).") }
    try require(
      search.beams == nil || sampling.isSilent,
      "--beams draws nothing; leave out --temperature and --greedy.")
    try require(
      search.samples == 1 || search.beams != nil || sampling.greedy == false && sampling.temperature != 0,
      "--samples \(search.samples) would write one text so many times; give a --temperature above 0.")
    try require(
      !kept.isUsed || (search.samples == 1 && search.beams == nil),
      "--save-state and --load-state are for one text that is drawn; leave out --samples and --beams.")
  }

  private var settings: GenerationSettings {
    get throws {
      var settings = GenerationSettings()
      settings.length = stopping.length
      settings.stops = stopping.stop
      settings.endsWithSentence = stopping.untilSentence
      settings.sampling = try sampling.settings
      settings.beams = search.settings
      settings.keepsProbabilities = telling.json || telling.showProbabilities
      settings.alternatives = telling.topAlternatives ?? 0
      return settings
    }
  }

  func run() throws {
    try reportingErrors {
      let settings = try settings
      guard !kept.isUsed else { return try runKept(settings) }
      let loaded = try ModelFolder(model).load(precision: compute.precision.precision(automatic: .fastest))
      let text = try prompt.read()
      let ids = try encode(text, loaded.tokenizer)
      _ = try ProcessorChain(settings.sampling, tokenizer: loaded.tokenizer)  // or its error before anything is said
      let seed = self.seed ?? UInt64(UInt32.random(in: 0...UInt32.max))
      if self.seed == nil && settings.sampling.temperature > 0 && settings.beams == nil {
        Terminal.complain("seed \(seed)")
      }
      var generator = Generator(
        model: loaded.model, tokenizer: loaded.tokenizer, start: loaded.startToken, settings: settings, seed: seed)
      generator.threads = compute.threadCount
      let output = TextOutput(
        prompt: text, echoes: prompt.echo, samples: search.samples, showsProbabilities: telling.showProbabilities)
      if telling.json {
        try writeJSON(generator, text, ids)
      } else if settings.beams != nil {
        try output.write(generator.texts(after: ids, samples: 0..<search.samples))
      } else {
        try output.write { try generator.write(after: ids, samples: 0..<search.samples, emit: $0) }
      }
    }
  }

  private func encode(_ text: String, _ tokenizer: any Tokenizer) throws -> [Int32] {
    let encoded = try InText.named("the prompt") { try tokenizer.encode(text, unknown: prompt.unknown) }
    if encoded.unknownCount > 0 {
      let named = encoded.unknown.names
      Terminal.complain(
        "Warning: the model does not know \(named); \(prompt.unknown == .skip ? "left out" : "read as <unk>")")
    }
    return encoded.ids
  }

  /// One text that goes on from a state file, or into one.
  private func runKept(_ settings: GenerationSettings) throws {
    let kept = try KeptSession(ModelFolder(model), state: kept.loadState, settings, seed: seed, compute)
    let (session, text) = (kept.session, try prompt.read())
    session.append(try encode(text, session.tokenizer))
    let output = TextOutput(
      prompt: text, echoes: prompt.echo, samples: 1, showsProbabilities: telling.showProbabilities)
    if telling.json {
      let line = try session.write().json(prompt: text, session.tokenizer).text() + "\n"
      _ = try Terminal.write(line)
    } else {
      try output.write { try session.write(emit: $0) }
    }
    if let path = self.kept.saveState { try kept.save(to: path) }
  }

  /// A few texts at a time: a line is written as soon as its batch is.
  private func writeJSON(_ generator: Generator, _ prompt: String, _ ids: [Int32]) throws {
    let step = search.beams == nil ? Generator.batch : search.samples
    for begin in stride(from: 0, to: search.samples, by: step) {
      let samples = begin..<min(begin + step, search.samples)
      for text in try generator.texts(after: ids, samples: samples) {
        let line = text.json(prompt: prompt, generator.tokenizer).text() + "\n"
        guard try Terminal.write(line) else { return }
      }
    }
  }
}

extension WrittenText {
  /// One object for programs.
  fileprivate func json(prompt: String, _ tokenizer: any Tokenizer) -> JSON {
    let json: JSON = [
      "prompt": .string(prompt), "text": .string(text),
      "tokens": .array(tokens.map { .string(tokenizer.text(of: $0)) }),
      "log_probabilities": .array(logProbabilities.map { JSON($0) }),
      "finish_reason": .string(finishReason.rawValue),
    ]
    guard !alternatives.isEmpty else { return json }
    let lists = alternatives.map { list -> JSON in
      .array(
        list.map {
          ["token": .string(tokenizer.text(of: $0.token)), "log_probability": JSON($0.logProbability)]
        })
    }
    return json.adding(.init("alternatives", .array(lists)))
  }
}
