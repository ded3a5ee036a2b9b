import ArgumentParser
import Training
import UnicodeText

/// `unroll train`.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model on text.",
    usage: """
      unroll train <corpus> ... --output <output> [<options>]
      unroll train --source <source> --output <output> [<options>]
      unroll train --resume --output <output> [<options>]
      """,
    discussion: """
      Reads UTF-8 text, learns its characters, and trains by truncated backpropagation through time. The best model by \
      validation is in the output folder. Ctrl-C finishes the step, saves and exits with 130. A step with a loss or \
      gradient that is not finite, or wildly above the recent ones, makes no update; after ten in a row the run goes \
      back to its last good weights with half the learning rate, once; a second time it ends with 65.

      Example: unroll train letters.txt --output letters-model --budget 5m
      """)

  @Argument(help: CorpusHelp.training)
  var corpus: [String] = []

  @Option(name: .shortAndLong, help: "The model folder to make.")
  var output: String?

  @Flag(help: "Replace a model that the output folder holds, once the new one is saved.")
  var overwrite = false

  @OptionGroup(title: "Text") var text: TextOptions
  @OptionGroup(title: "Source with a known answer") var source: SourceOptions
  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Fine-tuning") var initial: InitialModelOption
  @OptionGroup(title: "Training") var training: TrainingOptions
  @OptionGroup(title: "Stopping and going on") var checkpoints: CheckpointOptions
  @OptionGroup(title: "Optimiser") var optimizer: OptimizerOptions
  @OptionGroup(title: "What it shows") var record: RecordOptions
  @OptionGroup(title: "Regularisation") var regularization: RegularizationOptions
  @OptionGroup(title: "Running") var compute: ComputeOptions

  @Option(help: "Seed of the fresh weights, of what is dropped, and of a source's text.")
  var seed: UInt64 = 1

  @Flag(help: "Say what would be chosen for this text and time, and why; train nothing.")
  var explain = false

  @Flag(name: .shortAndLong, help: "Say nothing but errors.")
  var quiet = false

  /// Whether everything but what is given is to be taken from the run that is gone on with.
  private var isBareResume: Bool { checkpoints.resume && corpus.isEmpty && source.source == nil }

  func validate() throws {
    if !isBareResume { try source.validate(corpus: corpus, text) }
    try require(output != nil, "Missing expected argument '--output <output>'")
    try requirePath(outputPath, "--output")
    try requireDistinctInputs(corpus + [text.validation, record.test].compactMap { $0 })
    try require(
      (text.documents.cut ?? .stream) == .stream || (regularization.ar == 0 && regularization.tar == 0),
      "--ar and --tar compare the steps of one stream; leave them out with --documents.")
    try initial.validate(model, source)
    try optimizer.validate(hasValidation: text.validation != nil || text.validationFraction != 0)
  }

  /// The output, which `validate` has seen to be there.
  private var outputPath: String { output ?? "" }

  enum Documents: String, ExpressibleByArgument, CaseIterable { case none }

  struct TextOptions: ParsableArguments {
    @OptionGroup var vocabulary: VocabularyOptions
    @OptionGroup var encoding: EncodingOptions

    @OptionGroup var documents: DocumentOptions

    @Option(
      help: """
        The last part of the corpus, kept for validation; 0 for none. The default is 0.1; with documents it begins at \
        the nearest one.
        """)
    var validationFraction: Double?

    @Option(help: "A file to validate on instead.")
    var validation: String?

    func validate() throws {
      try require(
        (0..<1).contains(validationFraction ?? 0),
        "--validation-fraction is \(validationFraction ?? 0); it must be at least 0 and less than 1.")
      try require(
        validation == nil || validationFraction == nil, "Give --validation or --validation-fraction, not both.")
    }
  }

  struct ModelOptions: ParsableArguments {
    @OptionGroup var cell: CellOptions

    @Option(help: "What the forget biases of a fresh LSTM add up to. The default is 1.")
    var forgetBias: Double?

    @Option(help: "Recurrent layers. The default is 2.")
    var layers: Int?

    @Option(help: "Hidden units of each layer. The default is chosen from the text and the time; see --explain.")
    var hiddenSize: Int?

    @Option(help: "Size of a symbol's embedding; the default is the hidden size, at most 128.")
    var embeddingSize: Int?

    @Flag(help: "Use the embedding's matrix in the decoder too; the embedding size is then the hidden size.")
    var tieWeights = false

    @Flag(help: "Train the state that a text begins from; without it that is zero.")
    var trainInitialState = false

    func validate() throws {
      try require(
        forgetBias == nil || cell.cell ?? .lstm == .lstm,
        "--forget-bias is for --cell lstm; \((cell.cell ?? .lstm).rawValue) has no forget gate.")
      try require(forgetBias?.isFinite ?? true, "--forget-bias is not finite.")
      try require((1...64).contains(layers ?? 1), "--layers is \(layers ?? 0); it must be 1 to 64.")
      for (name, size) in [("hidden-size", hiddenSize ?? 1), ("embedding-size", embeddingSize ?? 1)] {
        try require((1...65_536).contains(size), "--\(name) is \(size); it must be 1 to 65,536.")
      }
      try require(
        !tieWeights || embeddingSize == nil || embeddingSize == hiddenSize,
        "--tie-weights wants --embedding-size \(hiddenSize.map(String.init) ?? "and --hidden-size alike"), the hidden size."
      )
    }
  }

  struct TrainingOptions: ParsableArguments {
    @Option(
      help: "Parallel streams that the corpus is cut into (the batch). The default is 32, fewer for a short text.")
    var lanes: Int?

    @OptionGroup var truncation: TruncationOptions

    @Option(help: "Train for so many passes over the training part.")
    var epochs: Int?

    @Option(help: "Train for so many updates.")
    var steps: Int?

    @Option(
      help: """
        Train for so long: 90s, 15m, 2h; a trial of at most 10 s makes a number of steps of it. The default is 5m where \
        neither epochs nor steps are given.
        """)
    var budget: DurationArgument?

    @Option(
      help: """
        Epochs that the plan of a budget has at most; a run with time left over ends early. The default is \(Recipe.mostEpochs): more than \
        that learns a text by heart.
        """)
    var maxEpochs: Int?

    @Option(
      help: "Largest norm of the gradient; a longer one is scaled down. The default is 1, or none with --clip-value.")
    var clip: Double?

    @Option(help: "Largest magnitude of a gradient's element; with --clip too, values are clipped first.")
    var clipValue: Double?

    func validate() throws {
      try require((1...1_000_000).contains(lanes ?? 1), "--lanes is \(lanes ?? 0); it must be 1 to 1,000,000.")
      try require(
        [epochs == nil, steps == nil, budget == nil].filter { !$0 }.count <= 1,
        "Give one of --epochs, --steps and --budget.")
      try require(
        maxEpochs == nil || epochs == nil && steps == nil,
        "--max-epochs is for --budget; --epochs and --steps say it all.")
      for (name, value) in [("epochs", epochs), ("steps", steps), ("max-epochs", maxEpochs)] {
        try require(value ?? 1 >= 1, "--\(name) is \(value ?? 0); it must be at least 1.")
      }
      for (name, value) in [("clip", clip), ("clip-value", clipValue)] {
        guard let value else { continue }
        try require((1e-6...1e15).contains(value), "--\(name) is \(value); it must be 1e-6 to 1e15.")
      }
    }
  }

  func run() throws {
    guard isBareResume else { return try train() }
    let arguments = Array(CommandLine.arguments.drop { $0 != Self.configuration.commandName }.dropFirst())
    var command: TrainCommand?
    try reportingErrors {
      command = try Self.resuming(
        arguments, output: outputPath,
        givesLimit: training.epochs != nil || training.steps != nil || training.budget != nil)
    }
    try command?.train()
  }

  private func train() throws {
    if explain { return try reportingErrors { print(try Explanation(Trainer.explain(settings)).text, terminator: "") } }
    let progress = ProgressDisplay(quiet: quiet)
    try reportingErrors {
      let end: TrainingEvent.End
      do {
        end = try Trainer.train(settings, stop: Signals.stop) { event in
          if case .start = event { Signals.install() }
          progress.show(event)
        }
      } catch {
        progress.clear()
        throw error
      }
      progress.finish(end, output: outputPath)
    }
    if Signals.last != 0 { throw ExitCode(128 + Signals.last) }
  }

  private var settings: TrainingConfiguration {
    var settings = TrainingConfiguration.recommended(corpus: corpus, output: outputPath)
    settings.source = source.settings
    settings.validation = text.validation.map { .file($0) } ?? .fraction(text.validationFraction ?? 0.1)
    settings.documents = text.documents.cut ?? .stream
    settings.tokenizer = text.vocabulary.choice
    settings.invalidUTF8 = text.encoding.policy
    settings.vocabulary = text.vocabulary.options(defaultSize: 1000)
    settings.cell = model.cell.norm.applied(to: model.cell.cell ?? .lstm, byDefault: model.hiddenSize == nil)
    settings.nonlinearity = model.cell.nonlinearity ?? .tanh
    settings.forgetBias = model.forgetBias ?? 1
    settings.layers = model.layers ?? 2
    settings.give(.hiddenSize, model.hiddenSize.map(Double.init))
    let embedding = model.embeddingSize ?? (model.tieWeights ? model.hiddenSize : model.hiddenSize.map { min(128, $0) })
    settings.give(.embeddingSize, embedding.map(Double.init))
    settings.tiesWeights = model.tieWeights
    settings.trainsInitialState = model.trainInitialState
    settings.initialModel = initial.choice(model, text)
    settings.give(.lanes, training.lanes.map(Double.init))
    training.truncation.apply(to: &settings)
    regularization.apply(to: &settings)
    settings.limit = limit
    settings.give(.mostEpochs, training.maxEpochs.map(Double.init))
    optimizer.apply(to: &settings)
    settings.clip = training.clip ?? (training.clipValue == nil ? 1 : nil)
    settings.clipValue = training.clipValue
    record.apply(to: &settings)
    checkpoints.apply(to: &settings)
    settings.precision = compute.precision.precision(automatic: .fastest)
    settings.threads = compute.threadCount
    settings.seed = seed
    settings.overwrites = overwrite
    settings.command = (["unroll"] + CommandLine.arguments.dropFirst().map(quoted)).joined(separator: " ")
    return settings
  }

  private var limit: TrainingConfiguration.Limit {
    if let epochs = training.epochs { return .epochs(epochs) }
    if let steps = training.steps { return .steps(steps) }
    return .budget(training.budget?.seconds ?? 300)
  }

  /// An argument as a shell would take it.
  private func quoted(_ argument: String) -> String {
    let isPlain =
      !argument.isEmpty
      && argument.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !Array("'\"\\$`*?[](){}<>|&;~#!".utf8).contains($0) }
    return isPlain
      ? argument
      : "'" + argument.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
