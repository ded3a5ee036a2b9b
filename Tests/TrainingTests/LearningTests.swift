import Compute
import Corpora
import Evaluation
import Foundation
import LanguageModeling
import ModelFiles
import Recurrence
import TestSupport
import Testing
import Tokenization
import Training

@Suite struct LearningTests {
  /// A first-order Markov chain over four letters is learnt to within 1 % of its conditional entropy on the same text:
  /// the mean of −ln p over the transitions that the text has, p being the chain's own.
  @Test(arguments: TestedCell.allCases)
  func learnsAMarkovChain(_ cell: TestedCell) throws {
    try withTemporaryFolder { folder in
      let chain = try MarkovChain(transitions: [
        [0.7, 0.1, 0.1, 0.1], [0.05, 0.05, 0.85, 0.05], [0.4, 0.1, 0.1, 0.4], [0.25, 0.5, 0.2, 0.05],
      ])
      var configuration = TrainingConfiguration(source: chain, length: 60_000, output: "\(folder)/model")
      configuration.validation = .fraction(0)
      (configuration.cell, configuration.nonlinearity) = (cell.cell, cell.nonlinearity)
      (configuration.embeddingSize, configuration.hiddenSize, configuration.layers) = (8, 16, 1)
      (configuration.lanes, configuration.k1) = (20, 30)
      configuration.learningRate = 0.005
      configuration.limit = .epochs(5)
      let end = try Trainer.train(configuration, stop: StopRequest()) { _ in }
      #expect(end.reason == .epochs && end.steps == 500)

      let text = chain.text(length: 60_000, seed: configuration.seed)
      let nats = chain.optimalLosses(of: text).dropFirst()
      let entropy = nats.reduce(0, +) / Double(nats.count)
      let loaded = try ModelFolder("\(folder)/model").load(precision: .float32)
      let report = try PerplexityReport(of: [text], by: loaded.model, loaded.tokenizer, unknownPolicy: .fail)
      #expect(report.natsPerToken < entropy * 1.01, "learnt \(report.natsPerToken), entropy \(entropy)")
      #expect(report.natsPerToken > entropy * 0.99, "better than the source allows: \(report.natsPerToken), \(entropy)")
    }
  }

  /// Training and validation are two draws, the vocabulary is the source's, and the figures are told at the start.
  @Test func trainsOnASource() throws {
    let source = LaggedXor(lag: 2, probability: 0.1)
    var configuration = TrainingConfiguration(source: source, length: 5000, output: "unused")
    (configuration.validation, configuration.seed) = (.fraction(0.3), 7)
    let data = try TrainingData(configuration)
    func text(_ ids: TokenStream) -> String { ids.map { data.tokenizer.text(of: $0) }.joined() }
    #expect(text(data.training.tokens) == source.text(length: 5000, seed: 7))
    let validation = text(data.validation)
    #expect(validation.count == 1500 && !text(data.training.tokens).contains(validation.suffix(100)))
    #expect(source.optimalLosses(of: validation).allSatisfy { $0.isFinite })
    let figures = try #require(data.source)
    #expect(figures.description == "xor:lag=2,p=0.1" && figures.optimalLoss == source.optimalLoss)
    let nats = source.optimalLosses(of: validation).dropFirst()
    #expect(abs((figures.optimalValidationLoss ?? 0) - nats.reduce(0, +) / 1499) < 1e-12)
    #expect(data.corpusBytes == 5000)
    #expect(data.corpusHash == sha256(Array(source.text(length: 5000, seed: 7).utf8)))

    // A letter too rare to come in the training text is of the vocabulary all the same.
    let rare = try MarkovChain(transitions: [[0.5, 0.5, 0], [0.5, 0.5 - 1e-9, 1e-9], [1, 0, 0]])
    configuration = TrainingConfiguration(source: rare, length: 3000, output: "unused")
    configuration.validation = .fraction(0)
    let rareData = try TrainingData(configuration)
    #expect(rareData.tokenizer.vocabularySize == 3 && rareData.validation.isEmpty)
    #expect(rareData.source?.optimalValidationLoss == nil)
  }

  /// A loss that is not finite changes nothing, is told, and ends the run after ten in a row without a model on disk.
  @Test func whatIsNotFiniteIsNeverSaved() throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(Array(String(repeating: "abcde fgh ", count: 200).utf8), to: "\(folder)/text")
      var configuration = TrainingConfiguration(corpus: ["\(folder)/text"], output: "\(folder)/model")
      (configuration.embeddingSize, configuration.hiddenSize, configuration.lanes, configuration.k1) = (4, 8, 4, 10)
      configuration.limit = .steps(100)
      let data = try TrainingData(configuration)
      let model = try ModelConfiguration(
        vocabularySize: data.tokenizer.vocabularySize, embeddingSize: 4, hiddenSize: 8, layers: 2)
      let network = Network<LSTM<Float32Kernels>>(model)
      var poisoned = network.initialParameters(seed: 1)
      poisoned.writable(network.layout.slots[0])[0, 0] = .nan
      let output = try OutputFolder(configuration.output, overwrites: false)
      let run = try TrainingRun<LSTM<Float32Kernels>>(configuration, model, data, output, initial: poisoned)
      var skipped: [Int] = []
      #expect(throws: TrainingError.self) {
        _ = try run.run(stop: StopRequest()) { event in
          if case .skipped(let event) = event { skipped.append(event.step) }
        }
      }
      #expect(skipped == Array(1...10))
      #expect(Files.kind("\(folder)/model/model.safetensors") == .nothing)
    }
  }

  /// An epoch begins from the zero state: with weights that hardly move, every epoch has the losses of the first.
  @Test func everyEpochBeginsFromTheZeroState() throws {
    try withTemporaryFolder { folder in
      let text = (0..<90).map { "\($0 * 37 % 101) birds, " }.joined()
      try Files.writeDurably(Array(text.utf8), to: "\(folder)/text")
      var configuration = TrainingConfiguration(corpus: ["\(folder)/text"], output: "\(folder)/model")
      (configuration.embeddingSize, configuration.hiddenSize, configuration.lanes, configuration.k1) = (4, 8, 4, 20)
      (configuration.limit, configuration.learningRate, configuration.logEvery) = (.epochs(2), 1e-30, 1)
      var losses: [Double] = []
      _ = try Trainer.train(configuration, stop: StopRequest()) { event in
        if case .step(let step) = event { losses.append(step.loss) }
      }
      let half = losses.count / 2
      #expect(losses.count % 2 == 0 && half > 2)
      #expect(Array(losses[..<half]) == Array(losses[half...]))
    }
  }

  /// Reading in lanes that were warmed comes close to reading in one stream, and scores every token once.
  @Test func scoringInLanes() throws {
    try withTemporaryFolder { folder in
      var random = CounterRandom(seed: 1, purpose: .corpus)
      let network = Network<LSTM<Float32Kernels>>(
        try ModelConfiguration(vocabularySize: 9, embeddingSize: 5, hiddenSize: 12, layers: 2))
      let scorer = Scorer(RecurrentLanguageModel(network: network, parameters: network.initialParameters(seed: 2)))
      for count in [700, 701, 1023, 3001] {
        let tokens = (0..<count).map { _ in Int32(random.next() % 9) }
        let exact = scorer.score(tokens)
        let lanes = scorer.scoreInLanes(tokens, lanes: 7, warmUp: 64)
        #expect(exact.tokens == count - 1)
        #expect(lanes.tokens == count - 1)
        #expect(abs(exact.mean - lanes.mean) < 1e-4)
      }
    }
  }
}
