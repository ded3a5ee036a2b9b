import ModelFiles
import TestSupport
import Testing
import Training

/// What a run chooses by itself is what the rule says, and only what was not given.
@Suite struct RecipeTests {
  /// 90,000 symbols to train on, 60 kinds.
  private func recipe(_ change: (inout TrainingConfiguration) -> Void) throws -> Recipe {
    try withTemporaryFolder { folder in
      let text = String((0..<100_000).map { Character(Unicode.Scalar(UInt8(40 + $0 * $0 % 60))) })
      try Files.writeDurably(Array(text.utf8), to: "\(folder)/text")
      var configuration = TrainingConfiguration.recommended(corpus: ["\(folder)/text"], output: "\(folder)/model")
      change(&configuration)
      return try Trainer.explain(configuration)
    }
  }

  /// 300 s on two threads of 60e9 operations are 3.6e13; √(3.6e13 / 60) is 775,000 weights, and four for each of 90,000
  /// symbols are 360,000: 2 layers of 160 have 12·160² + 32·160 ≈ 312,000, of 192 448,000.
  @Test func sizeByTheText() throws {
    let recipe = try recipe { ($0.limit, $0.threads, $0.precision) = (.budget(300), 2, .float32) }
    let chosen = recipe.configuration
    #expect(chosen.hiddenSize == 160 && chosen.embeddingSize == 128 && chosen.automatic.isEmpty)
    #expect(recipe.reasons.first { $0.choice == .hiddenSize }?.why.contains("90,000 tokens") == true)
    // More than a hundred passes: as much dropout as there may be.
    let regularization = chosen.regularization
    #expect(regularization.hiddenDropout == 0.5 && regularization.outputDropout == 0.5)
    #expect(regularization.inputDropout == 0.1 && regularization.weightDrop == 0.3)
    #expect(chosen.lanes == 32)
  }

  /// 15 s on one such thread are 9e11 operations, √(9e11 / 60) = 122,000 weights: 2 layers of 96 have 113,000.
  @Test func sizeByTheTime() throws {
    let recipe = try recipe { ($0.limit, $0.threads, $0.precision) = (.budget(15), 1, .float32) }
    #expect(recipe.configuration.hiddenSize == 96 && recipe.configuration.embeddingSize == 96)
    #expect(
      recipe.reasons.first { $0.choice == .hiddenSize }?.why.contains("10 tokens read for each parameter") == true)
  }

  /// Passes of 1, 4 and 32: doublings of 0, 2 and 5.
  @Test(arguments: [(1, 0), (4, 0.2), (32, 0.5), (1000, 0.5)] as [(Int, Double)])
  func dropoutByThePasses(_ epochs: Int, _ dropout: Double) throws {
    let chosen = try recipe { $0.limit = .epochs(epochs) }.configuration.regularization
    #expect(chosen.hiddenDropout == dropout && chosen.outputDropout == dropout)
    #expect(abs(chosen.inputDropout - dropout / 5) < 1e-9 && abs(chosen.weightDrop - dropout * 0.6) < 1e-9)
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
    #expect(chosen.regularization.outputDropout == 0.5 && chosen.average == .exponential(decay: 0.5))
  }

  /// 90,000 symbols in 32 lanes are 2,812 steps: 14 windows of 200, so 16 lanes.
  @Test func lanesOfAShortText() throws {
    let chosen = try recipe { ($0.k1, $0.limit) = (200, .steps(1000)) }.configuration
    #expect(chosen.lanes == 16 && chosen.average == .exponential(decay: 0.95))
  }

  /// The plain defaults choose nothing.
  @Test func plainDefaultsStay() throws {
    let recipe = try recipe { configuration in
      configuration = TrainingConfiguration(corpus: configuration.corpus, output: configuration.output)
    }
    #expect(recipe.reasons.isEmpty && recipe.configuration.hiddenSize == 256)
  }
}
