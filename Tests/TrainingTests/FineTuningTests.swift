import Compute
import Corpora
import LanguageModeling
import ModelFiles
import Optimization
import Recurrence
import TestSupport
import Testing
import Tokenization
import Training

/// Runs that begin with the weights of another model.
@Suite struct FineTuningTests {
  typealias Kind = RunKind

  /// What the models of a test are like.
  private static let characters = [
    Kind("lstm") { _ in },
    Kind("gru, tied") { ($0.cell, $0.tiesWeights, $0.embeddingSize) = (.gru, true, 8) },
    Kind("rnn, relu, trained initial state") {
      ($0.cell, $0.nonlinearity, $0.trainsInitialState, $0.layers) = (.rnn, .relu, true, 1)
    },
    Kind("layer norm") { $0.cell = .layerNormLSTM },
    Kind("documents") { $0.documents = .line },
    Kind("unknown symbols") { $0.vocabulary.minimumFrequency = 100 },
  ]
  private static let all =
    characters + [
      Kind("bytes") { $0.tokenizer = .byte },
      Kind("pairs") { ($0.tokenizer, $0.vocabulary.vocabularySize) = (.bytePair(isByteLevel: true), 280) },
    ]

  private static let oldText = (0..<400).map { "\($0 * 37 % 101) birds and \($0 * $0 % 17) boats\n" }.joined()
  private static let newText = (0..<200).map { "\($0 * 37 % 101) Möwen, \($0 % 17) 🦊 über Ähren\n" }.joined()
  /// What the new text has and the old one has not, in the order of scalars.
  private static let added = [",", "M", "e", "h", "w", "Ä", "ö", "ü", "🦊"]

  /// A model that was trained on ``oldText``, in the folder `old`; and what trains another one from it.
  private func fineTuning(
    _ folder: String, on text: String, _ kind: Kind, precision: Precision = .float32
  ) throws -> TrainingConfiguration {
    try Files.writeDurably(Array(Self.oldText.utf8), to: "\(folder)/old.txt")
    try Files.writeDurably(Array(text.utf8), to: "\(folder)/new.txt")
    var old = TrainingConfiguration(corpus: ["\(folder)/old.txt"], output: "\(folder)/old")
    (old.embeddingSize, old.hiddenSize, old.layers, old.seed) = (6, 8, 2, 3)
    (old.lanes, old.k1, old.limit, old.learningRate) = (4, 15, .steps(40), 0.01)
    (old.validateEvery, old.sampleEvery, old.logEvery) = (20, 2, 7)
    kind.change(&old)
    _ = try Trainer.train(old, stop: StopRequest()) { _ in }
    var new = TrainingConfiguration(corpus: ["\(folder)/new.txt"], output: "\(folder)/new")
    new.initialModel = InitialModelChoice("\(folder)/old")
    (new.lanes, new.k1, new.limit, new.learningRate) = (4, 15, .steps(3), 1e-30)
    (new.sampleEvery, new.seed, new.precision) = (0, 7, precision)
    return new
  }

  @discardableResult
  private func train(
    _ configuration: TrainingConfiguration, until isEnd: (TrainingEvent) -> Bool = { _ in false }
  ) throws -> TrainingEvent.Start? {
    let stop = StopRequest()
    var start: TrainingEvent.Start?
    _ = try Trainer.train(configuration, stop: stop) { event in
      if case .start(let begun) = event { start = begun }
      if isEnd(event) { stop.raise() }
    }
    return start
  }

  private func losses(_ path: String) throws -> [Double] {
    let loaded = try ModelFolder(path).load(precision: .float32)
    let ids = try loaded.tokenizer.encode(String(Self.oldText.prefix(500)), unknown: .skip).ids
    let window = TokenWindow(
      steps: ids.count - 1, lanes: 1, inputs: Array(ids.dropLast()), targets: Array(ids.dropFirst()))
    return loaded.model.makeReader(lanes: 1, steps: window.steps).losses(window)
  }

  /// Without learning, the model is the old one: every score, the vocabulary and the architecture to the byte.
  @Test(arguments: all)
  func beginsWithTheModel(_ kind: Kind) throws {
    try withTemporaryFolder { folder in
      var new = try fineTuning(folder, on: Self.oldText, kind)
      if kind.testDescription == "unknown symbols" { new.vocabulary.minimumFrequency = 100 }
      let start = try train(new)
      #expect(try losses("\(folder)/new") == losses("\(folder)/old"))
      for name in ["tokenizer.json", "config.json"] {
        #expect(try Files.read("\(folder)/new/\(name)") == Files.read("\(folder)/old/\(name)"), "\(name)")
      }
      let isNoted = start?.notes.contains { $0.contains("begins with the weights of \(folder)/old") }
      #expect(isNoted == true && start?.notes.contains { $0.contains("new character") } == false)
      let card = String(decoding: try Files.read("\(folder)/new/README.md"), as: UTF8.self)
      let hash = try sha256(Files.read("\(folder)/old/model.safetensors"))
      #expect(card.contains("| fine-tuned from | the model `old`, whose model.safetensors has SHA-256 `\(hash)` |"))
    }
  }

  @Test(arguments: characters)
  func newCharactersInFloat32(_ kind: Kind) throws { try newCharacters(kind, .float32) }

  @Test(.needsBFloat16, arguments: characters)
  func newCharactersInBFloat16(_ kind: Kind) throws { try newCharacters(kind, .bfloat16) }

  /// New characters come behind the old ones and begin with the rows of a fresh network, all else is the old model's.
  private func newCharacters(_ kind: Kind, _ precision: Precision) throws {
    try withTemporaryFolder { folder in
      let start = try train(fineTuning(folder, on: Self.newText, kind, precision: precision))
      let (old, new) = (try ModelFolder("\(folder)/old").load(precision: .float32).tokenizer, "\(folder)/new")
      let extended = try ModelFolder(new).load(precision: .float32).tokenizer
      // Rare letters of the old text may be among the new ones.
      let isRare = kind.testDescription == "unknown symbols"
      let size = old.vocabularySize
      let names = (size..<extended.vocabularySize).map { extended.text(of: Int32($0)) }
      #expect((0..<Int32(size)).allSatisfy { extended.text(of: $0) == old.text(of: $0) })
      #expect(isRare ? Set(Self.added).isSubset(of: names) : names == Self.added)
      #expect(names == names.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) })
      #expect(extended.unknownID == old.unknownID && (extended.unknownID != nil) == isRare)
      let note = start?.notes.first { $0.contains("; their rows are fresh") }
      #expect(note?.hasPrefix("\(names.count) new characters: ',' (U+002C), ") == true, "\(start?.notes ?? [])")
      try checkRows(folder, ModelFolder(new).readConfiguration(), old: size)
    }
  }

  private func checkRows(_ folder: String, _ configuration: ModelConfiguration, old size: Int) throws {
    func weights(_ name: String) throws -> Safetensors {
      try Safetensors(parsing: Files.read("\(folder)/\(name)/model.safetensors"))
    }
    func fresh<Layer: RecurrentLayer>(_: Layer.Type) -> [[Double]] {
      let network = Network<Layer>(configuration)
      let parameters = network.initialParameters(seed: 7)
      return network.layout.slots.map { Layer.K.Real.doubles(parameters[$0]) }
    }
    let (old, new, fresh) = (try weights("old"), try weights("new"), fresh(configuration.layer(.float32)))
    var grown = 0
    for (entry, fresh) in zip(new.entries, fresh) {
      let kept = try #require(old[entry.name]).doubles
      let values = entry.tensor.doubles
      // Three updates of 1e-30 change only what is zero.
      #expect(zip(values, kept + fresh.dropFirst(kept.count)).allSatisfy { abs($0 - $1) < 1e-27 }, "\(entry.name)")
      #expect(values.count == fresh.count)
      guard values.count > kept.count else { continue }
      grown += 1
      #expect(kept.count == values.count / configuration.vocabularySize * size)
    }
    #expect(grown == (configuration.tiesWeights ? 2 : 3))
  }

  /// Rare new characters stay unknown: left out where the vocabulary has no `<unk>`.
  @Test func rareNewCharacters() throws {
    try withTemporaryFolder { folder in
      var new = try fineTuning(folder, on: Self.newText + "zz", Kind("") { _ in })
      (new.validation, new.vocabulary.minimumFrequency) = (.fraction(0), 3)
      let start = try train(new)
      #expect(start?.vocabularySize == Self.vocabularySize(Self.oldText) + Self.added.count)
      #expect(
        start?.notes.contains { $0.contains("2 characters that the vocabulary lacks, which are left out") } == true)
    }
  }

  private static func vocabularySize(_ text: String) -> Int { Set(text.unicodeScalars).count }

  /// A vocabulary that cannot grow leaves out what it lacks, or reads it as `<unk>`, and says so.
  @Test(arguments: [1, 100])
  func aVocabularyThatCannotGrow(_ minimumFrequency: Int) throws {
    try withTemporaryFolder { folder in
      let kind = Kind("") { ($0.tokenizer, $0.vocabulary.minimumFrequency) = (.grapheme, minimumFrequency) }
      let start = try train(fineTuning(folder, on: Self.newText, kind))
      let fate = minimumFrequency == 1 ? "left out" : "read as <unk>"
      #expect(
        start?.notes.contains { $0.contains("characters that the vocabulary lacks, which are \(fate): ") } == true)
      #expect(try Files.read("\(folder)/new/tokenizer.json") == Files.read("\(folder)/old/tokenizer.json"))
    }
  }

  /// A change of what is asked for.
  struct Asked: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let change: @Sendable (inout InitialModelChoice) -> Void

    init(_ message: String, _ change: @escaping @Sendable (inout InitialModelChoice) -> Void) {
      (testDescription, self.change) = (message, change)
    }
  }

  /// What the model has not is refused, with what it has; nothing is written.
  @Test(arguments: [
    Asked("has the cell lstm, not gru; leave out --cell") { $0.cell = .gru },
    Asked("has the cell lstm, not lstm with layer norm; leave out --layer-norm") { $0.cell = .layerNormLSTM },
    Asked("has the nonlinearity tanh, not relu; leave out --nonlinearity") { $0.nonlinearity = .relu },
    Asked("has --layers 2, not 3") { $0.layers = 3 },
    Asked("has --hidden-size 8, not 9; leave out --hidden-size") { $0.hiddenSize = 9 },
    Asked("has --embedding-size 6, not 8") { $0.embeddingSize = 8 },
    Asked("has a decoder of its own, not tied weights; leave out --tie-weights") { $0.tiesWeights = true },
    Asked("has the zero state to begin from, not a trained one") { $0.trainsInitialState = true },
    Asked("has the normalization nfc, not none; leave out --normalization") {
      $0.normalization = TextNormalization.none
    },
    Asked("has texts that are one stream, not documents; leave out --documents") { $0.documents = .line },
    Asked("has a vocabulary of 21 characters, not another") { $0.tokenizer = .byte },
    Asked("leave out --tokenizer") { $0.tokenizer = .grapheme },
    Asked("leave out --tokenizer") { $0.tokenizer = .bytePair(isByteLevel: true) },
  ])
  func refusesWhatTheModelHasNot(_ asked: Asked) throws {
    try withTemporaryFolder { folder in
      var new = try fineTuning(folder, on: Self.newText, Kind("") { _ in })
      var choice = InitialModelChoice("\(folder)/old")
      asked.change(&choice)
      new.initialModel = choice
      let error = #expect(throws: ConfigurationError.self) { try train(new) }
      #expect(error?.description.contains(asked.testDescription) == true, "\(error?.description ?? "no error")")
      #expect(Files.kind("\(folder)/new") == .nothing)
    }
  }

  /// A model has a vocabulary, and so has a source.
  @Test func refusesASource() throws {
    try withTemporaryFolder { folder in
      var new = TrainingConfiguration(source: CountedPairs(maximum: 5), length: 500, output: "\(folder)/new")
      new.initialModel = InitialModelChoice("\(folder)/old")
      let error = #expect(throws: ConfigurationError.self) { try train(new) }
      #expect(error?.description.contains("a source has a vocabulary of its own") == true)
    }
  }

  /// Regularisers that compare the steps of a stream are refused where the model reads documents.
  @Test(arguments: [Regularization(activation: 1), Regularization(temporalActivation: 1)])
  func refusesComparedStepsOfDocuments(_ regularization: Regularization) throws {
    try withTemporaryFolder { folder in
      var new = try fineTuning(folder, on: Self.newText, Kind("") { $0.documents = .line })
      new.regularization = regularization
      let error = #expect(throws: ConfigurationError.self) { try train(new) }
      #expect(error?.description.contains("ar and tar compare the steps of one stream") == true)
    }
  }

  /// What the model has may be said.
  @Test func acceptsWhatTheModelHas() throws {
    try withTemporaryFolder { folder in
      var new = try fineTuning(folder, on: Self.oldText, Kind("") { _ in })
      var choice = InitialModelChoice("\(folder)/old")
      (choice.cell, choice.layers, choice.hiddenSize, choice.embeddingSize) = (.lstm, 2, 8, 6)
      (choice.tokenizer, choice.normalization, choice.documents) = (.file("\(folder)/old"), .nfc, .stream)
      new.initialModel = choice
      new.automatic = [.hiddenSize, .embeddingSize, .lanes]
      try train(new)
      #expect(try losses("\(folder)/new") == losses("\(folder)/old"))
    }
  }

  /// Damage is named before anything is written.
  @Test(arguments: ["model.safetensors", "config.json", "tokenizer.json", "no model", "no folder"])
  func whatIsNoModel(_ damage: String) throws {
    try withTemporaryFolder { folder in
      let new = try fineTuning(folder, on: Self.oldText, Kind("") { _ in })
      switch damage {
      case "no folder": try Files.remove("\(folder)/old")
      case "no model":
        for name in ["model.safetensors", "config.json"] { try Files.remove("\(folder)/old/\(name)") }
      default: try Files.writeDurably(Files.read("\(folder)/old/\(damage)").dropLast(9), to: "\(folder)/old/\(damage)")
      }
      let error = #expect(throws: FileError.self) { try train(new) }
      #expect(error?.kind == (damage.hasPrefix("no ") ? .missing : .invalid))
      #expect(error?.description.contains(damage.hasPrefix("no ") ? "\(folder)/old" : damage) == true)
      #expect(Files.kind("\(folder)/new") == .nothing)
    }
  }

  // MARK: Going on

  @Test(arguments: all)
  func resumesInFloat32(_ kind: Kind) throws { try resumes(kind, .float32) }

  @Test(.needsBFloat16, arguments: characters)
  func resumesInBFloat16(_ kind: Kind) throws { try resumes(kind, .bfloat16) }

  /// A run that was stopped goes on to the same bits without the model that it began with.
  private func resumes(_ kind: Kind, _ precision: Precision) throws {
    try withTemporaryFolder { folder in
      var whole = try fineTuning(folder, on: Self.newText, kind, precision: precision)
      (whole.limit, whole.learningRate, whole.automatic) = (.steps(60), 0.01, [.hiddenSize, .embeddingSize])
      (whole.checkpointEvery, whole.validateEvery, whole.logEvery) = (.steps(10), 20, 5)
      try train(whole)
      var parts = whole
      (parts.output, parts.resumes) = ("\(folder)/parts", true)
      try train(parts) { if case .step(let step) = $0 { step.step >= 25 } else { false } }
      try Files.remove("\(folder)/old")
      parts.initialModel = InitialModelChoice("\(folder)/old")
      try train(parts)
      for name in ["model.safetensors", "tokenizer.json", "config.json"] {
        #expect(try Files.read("\(folder)/parts/\(name)") == Files.read("\(folder)/new/\(name)"), "\(name)")
      }
      let card = String(decoding: try Files.read("\(folder)/parts/README.md"), as: UTF8.self)
      #expect(card.contains("| fine-tuned from | the model `old`, whose model.safetensors has SHA-256 `"))
      parts.initialModel?.hiddenSize = 9
      #expect(throws: ConfigurationError.self) { try train(parts) }
      parts.initialModel = InitialModelChoice("\(folder)/other")
      let error = #expect(throws: TrainingError.self) { try train(parts) }
      #expect(error?.description.contains("init-from was \(folder)/old and is now \(folder)/other") == true)
    }
  }
}
