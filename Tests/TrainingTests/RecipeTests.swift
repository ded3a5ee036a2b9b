import Foundation
import ModelFiles
import TestSupport
import Testing
import Training

/// What a run chooses by itself is what the rule says, and only what was not given.
@Suite struct RecipeTests {
  /// Nine in ten of `count` symbols to train on, 60 kinds.
  private func recipe(_ count: Int = 100_000, _ change: (inout TrainingConfiguration) -> Void) throws -> Recipe {
    try withTemporaryFolder { folder in
      let text = String((0..<count).map { Character(Unicode.Scalar(UInt8(40 + $0 * $0 % 60))) })
      try Files.writeDurably(Array(text.utf8), to: "\(folder)/text")
      var configuration = TrainingConfiguration.recommended(corpus: ["\(folder)/text"], output: "\(folder)/model")
      change(&configuration)
      return try Trainer.explain(configuration)
    }
  }

  /// 300 s on two threads of 60e9 operations are 3.6e13; √(3.6e13 / 60) is 775,000 weights, and thirty for each of 9,000
  /// symbols are 270,000: 2 layers of 160 have 12·160² + 32·160 ≈ 312,000, of 128 201,000.
  @Test func sizeByTheText() throws {
    let recipe = try recipe(10_000) { ($0.limit, $0.threads, $0.precision) = (.budget(300), 2, .float32) }
    let chosen = recipe.configuration
    #expect(chosen.hiddenSize == 160 && chosen.embeddingSize == 128 && chosen.automatic.isEmpty)
    #expect(recipe.reasons.first { $0.choice == .hiddenSize }?.why.contains("9,000 tokens") == true)
    // 32 lanes have 6 windows, 2 have 90.
    #expect(chosen.lanes == 2)
    // There is time for 2,000 passes.
    #expect(chosen.mostEpochs == Recipe.mostEpochs)
    let regularization = chosen.regularization
    let dropout = Recipe.dropoutPerDoubling * log2(Double(Recipe.mostEpochs) / Recipe.passesWithoutDropout)
    #expect(abs(regularization.hiddenDropout - dropout) < 0.005 && regularization.outputDropout < Recipe.mostDropout)
  }

  /// 15 s on one such thread are 9e11 operations, √(9e11 / 60) = 122,000 weights: 2 layers of 96 have 113,000.
  @Test func sizeByTheTime() throws {
    let recipe = try recipe { ($0.limit, $0.threads, $0.precision) = (.budget(15), 1, .float32) }
    #expect(recipe.configuration.hiddenSize == 96 && recipe.configuration.embeddingSize == 96)
    #expect(
      recipe.reasons.first { $0.choice == .hiddenSize }?.why.contains("10 tokens read for each parameter") == true)
  }

  /// Of what dropout begins at, passes of 3 are too few doublings, of 8 and 32 they are 2 and 4.
  @Test(arguments: [(1, 0), (3, 0), (8, 2), (32, 4), (1000, .infinity)] as [(Int, Double)])
  func dropoutByThePasses(_ epochs: Int, _ doublings: Double) throws {
    let configuration = try recipe { $0.limit = .epochs(epochs) }.configuration
    let (chosen, dropout) = (
      configuration.regularization, min(Recipe.mostDropout, Recipe.dropoutPerDoubling * doublings)
    )
    #expect(abs(chosen.hiddenDropout - dropout) < 1e-9 && abs(chosen.outputDropout - dropout) < 1e-9)
    #expect(abs(chosen.inputDropout - dropout * Recipe.inputDropoutShare) < 0.0051)
    #expect(abs(chosen.weightDrop - dropout * Recipe.weightDropShare) < 0.0051)
    // Epochs are given, and nothing bounds them.
    #expect(configuration.mostEpochs == nil)
  }

  /// What was given stays, and the rest follows it.
  @Test func whatIsGivenStays() throws {
    let chosen = try recipe {
      $0.limit = .budget(300)
      for (choice, value) in [
        (.hiddenSize, 50), (.lanes, 7), (.dropoutHidden, 0.25), (.weightDrop, 0), (.averageDecay, 0.5),
      ] as [(Recipe.Choice, Double)] {
        $0.give(choice, value)
      }
    }.configuration
    #expect(chosen.hiddenSize == 50 && chosen.embeddingSize == 50 && chosen.lanes == 7)
    #expect(chosen.regularization.hiddenDropout == 0.25 && chosen.regularization.weightDrop == 0)
    #expect(chosen.regularization.outputDropout > 0.25 && chosen.average == .exponential(decay: 0.5))
  }

  /// 90,000 symbols in 32 lanes are 2,812 steps: 56 windows of 50, so 16 lanes.
  @Test func lanesOfAShortText() throws {
    let chosen = try recipe { $0.limit = .steps(1000) }.configuration
    #expect(chosen.lanes == 16 && chosen.average == .exponential(decay: 0.95))
  }

  /// 3,600 symbols in 2 lanes are 36 windows of 50.
  @Test func oneLane() throws {
    #expect(try recipe(4000) { $0.limit = .steps(1000) }.configuration.lanes == 1)
  }

  /// A fiftieth of the steps, but at least 10 and at most 1000.
  @Test(arguments: [(100, 10), (1000, 20), (100_000, 1000)] as [(Int, Double)])
  func averagesByTheSteps(_ steps: Int, _ averaged: Double) throws {
    let chosen = try recipe { $0.limit = .steps(steps) }.configuration
    #expect(chosen.average == .exponential(decay: 1 - 1 / averaged))
  }

  /// Tied embeddings are as wide as the state, however wide.
  @Test func tiedEmbeddings() throws {
    let chosen = try recipe {
      ($0.limit, $0.tiesWeights) = (.budget(300), true)
      $0.give(.hiddenSize, 192)
    }.configuration
    #expect(chosen.hiddenSize == 192 && chosen.embeddingSize == 192)
  }

  /// The plain defaults choose nothing.
  @Test func plainDefaultsStay() throws {
    let recipe = try recipe { configuration in
      configuration = TrainingConfiguration(corpus: configuration.corpus, output: configuration.output)
    }
    #expect(recipe.reasons.isEmpty && recipe.configuration.hiddenSize == 256)
  }
}
