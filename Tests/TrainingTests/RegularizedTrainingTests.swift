import Corpora
import LanguageModeling
import ModelFiles
import TestSupport
import Testing
import Training

/// Regularisers in a whole run.
@Suite struct RegularizedTrainingTests {
  static let everything = Regularization(
    inputDropout: 0.3, hiddenDropout: 0.4, outputDropout: 0.5, weightDrop: 0.35, embeddingDropout: 0.25,
    activation: 2, temporalActivation: 1)

  private func train(
    _ regularization: Regularization, learningRate: Double, threads: Int = 1, folder: String
  ) throws -> (training: [Double], validation: [Double], weights: [UInt8]) {
    let source = LaggedXor(lag: 2, probability: 0.1)
    var configuration = TrainingConfiguration(source: source, length: 4000, output: "\(folder)/model")
    (configuration.embeddingSize, configuration.hiddenSize, configuration.lanes) = (6, 12, 8)
    (configuration.k1, configuration.learningRate, configuration.logEvery) = (16, learningRate, 1)
    (configuration.limit, configuration.validateEvery, configuration.threads) = (.steps(12), 4, threads)
    (configuration.regularization, configuration.overwrites) = (regularization, true)
    var losses: (training: [Double], validation: [Double]) = ([], [])
    _ = try Trainer.train(configuration, stop: StopRequest()) { event in
      if case .step(let step) = event, losses.training.count < step.step { losses.training.append(step.loss) }
      if case .validation(let validation) = event { losses.validation.append(validation.loss) }
    }
    return (losses.training, losses.validation, try Files.read("\(folder)/model/model.safetensors"))
  }

  /// With a learning rate too small to change a weight, scoring gives the same bits with every regulariser as with none,
  /// while the training losses differ from those and, step by step, from one another.
  @Test func scoringIsWithoutThem() throws {
    try withTemporaryFolder { folder in
      let plain = try train(.init(), learningRate: 1e-35, folder: folder)
      let regularized = try train(Self.everything, learningRate: 1e-35, folder: folder)
      #expect(regularized.validation.count == 3 && regularized.validation == plain.validation)
      #expect(regularized.training.count == 12 && Set(regularized.training).isDisjoint(with: plain.training))
    }
  }

  /// A regularised run learns other weights, the same ones again, and on two threads.
  @Test func runsAreRepeated() throws {
    try withTemporaryFolder { folder in
      let plain = try train(.init(), learningRate: 0.01, folder: folder)
      let first = try train(Self.everything, learningRate: 0.01, folder: folder)
      let second = try train(Self.everything, learningRate: 0.01, threads: 2, folder: folder)
      #expect(first.weights == second.weights && first.training == second.training)
      #expect(first.weights != plain.weights)
    }
  }
}
