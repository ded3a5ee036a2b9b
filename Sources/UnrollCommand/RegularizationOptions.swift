import ArgumentParser
import LanguageModeling

/// `--dropout` and the other regularisers.
struct RegularizationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Locked dropout: the probability on what layer 0, every other layer and the decoder read.",
      discussion: "One mask for each lane and update, the same in all time steps. The next three set each place alone.")
  )
  var dropout = 0.0

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
  var weightDrop = 0.0

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

  var regularization: Regularization {
    Regularization(
      inputDropout: dropoutInput ?? dropout, hiddenDropout: dropoutHidden ?? dropout,
      outputDropout: dropoutOutput ?? dropout, weightDrop: weightDrop, embeddingDropout: dropoutEmbedding,
      activation: ar, temporalActivation: tar)
  }
}
