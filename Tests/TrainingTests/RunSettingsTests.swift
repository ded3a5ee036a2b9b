import Corpora
import LanguageModeling
import Optimization
import Recurrence
import TestSupport
import Testing
import Tokenization
import Training

/// Everything that makes a run another one is among its settings, so that no run is taken up as what it was not.
@Suite struct RunSettingsTests {
  typealias Kind = RunKind

  private static let corpus: [Kind] = [
    Kind("corpus /nowhere/other") { $0.corpus = ["/nowhere/other"] },
    Kind("source \(CountedPairs(maximum: 5))") { $0.source = .init(CountedPairs(maximum: 5), length: 500) },
    Kind("source-length 500") { $0.source = .init(CountedPairs(maximum: 5), length: 500) },
    Kind("invalid-utf8 replace") { $0.invalidUTF8 = .replace },
    Kind("documents line") { $0.documents = .line },
    Kind(#"documents \n\n"#) { $0.documents = .separator("\n\n") },
    Kind("tokenizer byte") { $0.tokenizer = .byte },
    Kind("unit grapheme") { $0.tokenizer = .grapheme },
    Kind("vocabulary-size 500") {
      ($0.tokenizer, $0.vocabulary.vocabularySize) = (.bytePair(isByteLevel: true), 500)
    },
    Kind("normalization nfd") { $0.vocabulary.normalization = .nfd },
    Kind("min-frequency 3") { $0.vocabulary.minimumFrequency = 3 },
    Kind("pre-tokenization whitespace") { $0.vocabulary.preTokenization = .whitespace },
    Kind("character-coverage 0.5") { $0.vocabulary.characterCoverage = 0.5 },
    Kind("no-byte-fallback") { $0.vocabulary.byteFallback = false },
    Kind("special-symbol <a>") { $0.vocabulary.specialSymbols = ["<a>"] },
    Kind("validation-fraction 0.25") { $0.validation = .fraction(0.25) },
    Kind("validation /nowhere/part") { $0.validation = .file("/nowhere/part") },
  ]

  private static let model: [Kind] = [
    Kind("init-from /nowhere/old") { $0.initialModel = InitialModelChoice("/nowhere/old") },
    Kind("cell gru") { $0.cell = .gru },
    Kind("layer-norm") { $0.cell = .layerNormLSTM },
    Kind("nonlinearity relu") { ($0.cell, $0.nonlinearity) = (.rnn, .relu) },
    Kind("forget-bias 2.0") { $0.forgetBias = 2 },
    Kind("layers 3") { $0.layers = 3 },
    Kind("hidden-size 9") { $0.hiddenSize = 9 },
    Kind("embedding-size 9") { $0.embeddingSize = 9 },
    Kind("tie-weights") { $0.tiesWeights = true },
    Kind("train-initial-state") { $0.trainsInitialState = true },
  ]

  private static let stream: [Kind] = [
    Kind("lanes 5") { $0.lanes = 5 },
    Kind("k1 7") { $0.k1 = 7 },
    Kind("k1 all") { $0.k1 = nil },
    Kind("k2 99") { $0.k2 = 99 },
    Kind("recompute 8") { $0.recompute = 8 },
    Kind("variable-k1") { $0.variesK1 = true },
    Kind("random-offset") { $0.hasRandomOffset = true },
    Kind("state reset") { $0.statePolicy = .reset },
    Kind("state-drop 0.5") { $0.statePolicy = .dropped(0.5) },
    Kind("epochs 3") { $0.limit = .epochs(3) },
    Kind("steps 9") { $0.limit = .steps(9) },
    Kind("budget 5.0s") { $0.limit = .budget(5) },
    Kind("max-epochs 2") { $0.mostEpochs = 2 },
  ]

  private static let update: [Kind] = [
    Kind("optimizer sgd") { $0.optimizer = .init(.sgd) },
    Kind("momentum 0.5") { $0.optimizer = .init(.sgd, momentum: 0.5) },
    Kind("nesterov") { $0.optimizer = .init(.sgd, momentum: 0.5, isNesterov: true) },
    Kind("beta1 0.5") { $0.optimizer.beta1 = 0.5 },
    Kind("beta2 0.5") { $0.optimizer.beta2 = 0.5 },
    Kind("alpha 0.5") { $0.optimizer = .init(.rmsprop, alpha: 0.5) },
    Kind("epsilon 0.001") { $0.optimizer.epsilon = 0.001 },
    Kind("weight-decay 0.5") { $0.optimizer.weightDecay = 0.5 },
    Kind("learning-rate 0.5") { $0.learningRate = 0.5 },
    Kind("learning-rate auto") { $0.findsLearningRate = true },
    Kind("schedule linear") { $0.schedule = .init(.linear) },
    Kind("final-learning-rate 0.001") { $0.schedule.final = 0.001 },
    Kind("warmup 5.0%") { $0.schedule.warmUp = .share(0.05) },
    Kind("warmup 500") { $0.schedule.warmUp = .updates(500) },
    Kind("decay-factor 0.25") { $0.schedule = .init(.step, decayFactor: 0.25) },
    Kind("decay-every 6") { $0.schedule = .init(.step, decayEvery: .updates(6)) },
    Kind("plateau-patience 7") { $0.schedule = .init(.plateau, plateauPatience: 7) },
    Kind("average ema") { $0.average = .exponential(decay: 0.5) },
    Kind("average-decay 0.5") { $0.average = .exponential(decay: 0.5) },
    Kind("average-interval 4") { $0.average = .triggered(interval: 4) },
    Kind("calibrate") { $0.calibrates = true },
    Kind("patience 3") { $0.patience = 3 },
    Kind("clip 0.5") { $0.clip = 0.5 },
    Kind("clip-value 0.5") { $0.clipValue = 0.5 },
  ]

  private static let regularization: [Kind] = [
    Kind("dropout-input 0.25") { $0.regularization.inputDropout = 0.25 },
    Kind("dropout-hidden 0.25") { $0.regularization.hiddenDropout = 0.25 },
    Kind("dropout-output 0.25") { $0.regularization.outputDropout = 0.25 },
    Kind("dropout-embedding 0.25") { $0.regularization.embeddingDropout = 0.25 },
    Kind("weight-drop 0.25") { $0.regularization.weightDrop = 0.25 },
    Kind("ar 2.0") { $0.regularization.activation = 2 },
    Kind("tar 2.0") { $0.regularization.temporalActivation = 2 },
  ]

  private static let record: [Kind] = [
    Kind("precision float64") { $0.precision = .float64 },
    Kind("threads 3") { $0.threads = 3 },
    Kind("seed 2") { $0.seed = 2 },
    Kind("validate-every 11") { $0.validateEvery = 11 },
    Kind("sample-every 11") { $0.sampleEvery = 11 },
    Kind("log-every 11") { $0.logEvery = 11 },
    Kind("checkpoint-every 11") { $0.checkpointEvery = .steps(11) },
    Kind("checkpoint-every 11.0s") { $0.checkpointEvery = .seconds(11) },
    Kind("keep-checkpoints 11") { $0.keptCheckpoints = 11 },
    Kind("tensorboard /nowhere/board") { $0.tensorBoard = "/nowhere/board" },
    Kind("test /nowhere/test") { $0.test = "/nowhere/test" },
  ]

  @Test(arguments: [corpus, model, stream, update, regularization, record].flatMap { $0 })
  func isASetting(_ kind: Kind) {
    let plain = TrainingConfiguration(corpus: ["/nowhere/text"], output: "/nowhere/model")
    var other = plain
    kind.change(&other)
    #expect(!words(of: plain).contains(kind.testDescription))
    #expect(words(of: other).contains(kind.testDescription), "\(words(of: other).subtracting(words(of: plain)))")
  }

  /// Settings as they are typed: their names, and their values where they have some.
  private func words(of configuration: TrainingConfiguration) -> Set<String> {
    Set(configuration.settings.map { $0.value.isEmpty ? $0.name : "\($0.name) \($0.value)" })
  }
}
