import ArgumentParser
import LanguageModeling
import Training

/// `--dropout` and the other regularisers.
struct RegularizationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Locked dropout: the probability on what layer 0, every other layer and the decoder read.",
      discussion: """
        One mask for each lane and update, the same in all time steps. The next three set each place alone. The default \
        of these and of --weight-drop is chosen from the text and the time; see --explain.
        """))
  var dropout: Double?

  @Option(
    help: """
      Locked dropout of the embeddings that layer 0 reads; the default is that of --dropout. 0 is a little faster: layer 0 \
      then reads from a table.
      """)
  var dropoutInput: Double?

  @Option(help: "Locked dropout between layers; the default is that of --dropout.")
  var dropoutHidden: Double?

  @Option(help: "Locked dropout of what the decoder reads; the default is that of --dropout.")
  var dropoutOutput: Double?

  @Option(help: "Drop whole symbols of the embedding with this probability, anew for each update.")
  var dropoutEmbedding = 0.0

  @Option(help: "Drop single weights of the hidden-to-hidden matrices with this probability (DropConnect).")
  var weightDrop: Double?

  @Option(help: "Activation regularisation: α times the mean square of the dropped top outputs joins the loss.")
  var ar = 0.0

  @Option(help: "Temporal activation regularisation: β times the mean square of what the top outputs change in a step.")
  var tar = 0.0

  func validate() throws {
    for (name, value) in [
      ("dropout", dropout), ("dropout-input", dropoutInput), ("dropout-hidden", dropoutHidden),
      ("dropout-output", dropoutOutput), ("dropout-embedding", dropoutEmbedding), ("weight-drop", weightDrop),
    ] {
      guard let value else { continue }
      try require((0...0.99).contains(value), "--\(name) is \(value); it must be 0 to 0.99.")
    }
    for (name, value) in [("ar", ar), ("tar", tar)] {
      try require((0...1000).contains(value), "--\(name) is \(value); it must be 0 to 1000.")
    }
  }

  func apply(to settings: inout TrainingConfiguration) {
    settings.give(.dropoutInput, dropoutInput ?? dropout)
    settings.give(.dropoutHidden, dropoutHidden ?? dropout)
    settings.give(.dropoutOutput, dropoutOutput ?? dropout)
    settings.give(.weightDrop, weightDrop)
    settings.regularization.embeddingDropout = dropoutEmbedding
    settings.regularization.activation = ar
    settings.regularization.temporalActivation = tar
  }
}
