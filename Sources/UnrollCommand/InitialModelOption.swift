import ArgumentParser
import Training

/// `--init-from`.
struct InitialModelOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Fine-tune: begin with the weights of a model folder, in its architecture and vocabulary.",
      discussion: """
        Flags that describe the model may be left out, and must else say what it has. A vocabulary of characters gets \
        those of the training part that it lacks (--min-frequency counts); they begin with the rows of a fresh network, \
        all others with the model's. The optimiser begins anew.
        """,
      valueName: "model"))
  var initFrom: String?

  func validate() throws { try requirePath(initFrom ?? "-", "--init-from") }

  /// Refuses what only fresh weights have.
  func validate(_ model: TrainCommand.ModelOptions, _ source: SourceOptions) throws {
    guard initFrom != nil else { return }
    try require(source.source == nil, "--init-from wants a text; a source has a vocabulary of its own.")
    try require(model.forgetBias == nil, "--forget-bias is for fresh weights; leave it out with --init-from.")
  }

  /// The model to begin with, where there is one, and what the flags say of it.
  func choice(_ model: TrainCommand.ModelOptions, _ text: TrainCommand.TextOptions) -> InitialModelChoice? {
    guard let initFrom else { return nil }
    var choice = InitialModelChoice(initFrom)
    choice.cell = model.cell.cell == nil && model.cell.norm.layerNorm == nil ? nil : model.cell.chosen
    choice.nonlinearity = model.cell.nonlinearity
    (choice.layers, choice.hiddenSize, choice.embeddingSize) = (model.layers, model.hiddenSize, model.embeddingSize)
    choice.tiesWeights = model.tieWeights
    choice.trainsInitialState = model.trainInitialState
    choice.tokenizer = text.vocabulary.asked
    choice.normalization = text.vocabulary.normalization
    choice.documents = text.documents.cut
    return choice
  }
}
