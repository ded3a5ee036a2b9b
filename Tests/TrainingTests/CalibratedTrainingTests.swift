import Evaluation
import LanguageModeling
import ModelFiles
import TestSupport
import Testing
import Tokenization
import Training

/// Runs whose weights are calibrated before they are validated and saved.
@Suite struct CalibratedTrainingTests {
  /// A run that learns a short text by heart, and is sure of what comes in another.
  private func train(
    _ folder: String, _ change: (inout TrainingConfiguration) -> Void
  ) throws -> (validations: [TrainingEvent.Validation], end: TrainingEvent.End, loaded: ModelFolder.Loaded) {
    let learnt = (0..<30).map { "\($0 * 37 % 101) birds and \($0 * $0 % 17) boats, " }.joined()
    let other = (0..<60).map { "\($0 * 53 % 89) boats or \($0 * $0 % 19) birds; " }.joined()
    try Files.writeDurably(Array(learnt.utf8), to: "\(folder)/learnt")
    try Files.writeDurably(Array(other.utf8), to: "\(folder)/other")
    var configuration = TrainingConfiguration(corpus: ["\(folder)/learnt"], output: "\(folder)/model")
    (configuration.embeddingSize, configuration.hiddenSize, configuration.lanes) = (16, 32, 4)
    (configuration.k1, configuration.limit, configuration.learningRate) = (10, .steps(300), 0.01)
    (configuration.validation, configuration.validateEvery) = (.file("\(folder)/other"), 100)
    (configuration.sampleEvery, configuration.overwrites, configuration.calibrates) = (0, true, true)
    change(&configuration)
    var validations: [TrainingEvent.Validation] = []
    let end = try Trainer.train(configuration, stop: StopRequest()) {
      if case .validation(let validation) = $0 { validations.append(validation) }
    }
    return (validations, end, try ModelFolder(configuration.output).load(precision: .float32))
  }

  private func loss(_ loaded: ModelFolder.Loaded, _ folder: String) throws -> Double {
    let text = try Files.read("\(folder)/other")
    return try Scorer(loaded.model).score(
      loaded.tokenizer.encode(String(decoding: text, as: UTF8.self), unknown: .skip).ids
    ).mean
  }

  /// The model that is saved is the one that was validated, better than without, and the best at every temperature near.
  @Test func fitsTheValidationPart() throws {
    try withTemporaryFolder { folder in
      let plain = try train(folder) { $0.calibrates = false }
      #expect(plain.validations.allSatisfy { $0.temperature == nil })
      let calibrated = try train(folder) { _ in }
      let (temperatures, best) = (
        calibrated.validations.map(\.temperature), try #require(calibrated.end.bestValidationLoss)
      )
      #expect(temperatures.count == 3 && temperatures.allSatisfy { $0 ?? 0 > 1.1 }, "\(temperatures)")
      for (plain, calibrated) in zip(plain.validations, calibrated.validations) {
        #expect(calibrated.loss < plain.loss - 0.01)
      }
      #expect(abs(try loss(calibrated.loaded, folder) - best) < 1e-3)
      let saved = calibrated.validations.first { $0.loss == best }
      #expect(try RunHistory(ofModel: "\(folder)/model")?.best?.temperature == saved?.temperature)
      let card = String(decoding: try Files.read("\(folder)/model/README.md"), as: UTF8.self)
      #expect(card.contains("logits divided by "))
    }
  }

  /// The steps are those of a run that is not calibrated.
  @Test func trainingIsTheSame() throws {
    try withTemporaryFolder { folder in
      func losses() throws -> [Double] { try #require(try RunHistory(ofModel: "\(folder)/model")).steps.map(\.loss) }
      _ = try train(folder) { $0.calibrates = false }
      let plain = try losses()
      _ = try train(folder) { _ in }
      #expect(try losses() == plain && plain.count == 30)
    }
  }

  /// Logits of a matrix that is the embedding's too are left as they are, as are those of a part that tells too little.
  @Test func isLeftOut() throws {
    try withTemporaryFolder { folder in
      let tied = try train(folder) { ($0.tiesWeights, $0.embeddingSize) = (true, 32) }
      #expect(tied.validations.count == 3 && tied.validations.allSatisfy { $0.temperature == nil })
      let short = try train(folder) { $0.validation = .fraction(0.5) }
      #expect(short.validations.count == 3 && short.validations.allSatisfy { $0.temperature == nil })
    }
  }
}
