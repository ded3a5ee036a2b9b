/// How a training keeps a model from learning its text by heart; all off by default, and always off in scoring.
///
/// What is dropped is drawn anew for each update, from counter-based streams of (seed, step, lane): it is the same for any
/// number of threads, and the same in every time step that the update unrolls, those before the window among them
/// (k2 > k1), so that a gradient is that of a real function. What stays is scaled by 1 / (1 − p).
public struct Regularization: Sendable, Equatable {
  /// Locked ("variational") dropout (Gal & Ghahramani 2016; Merity et al. 2018, §4.2): a mask for each lane, the same in
  /// all time steps, on what layer 0 reads. A mask per lane costs layer 0 its table of projected symbols.
  public var inputDropout: Double
  /// The same on what every other layer reads, a mask for each layer. What a layer hands to its own next step is whole.
  public var hiddenDropout: Double
  /// The same on what the decoder reads.
  public var outputDropout: Double
  /// DropConnect on the hidden-to-hidden matrices (Wan et al. 2013; Merity et al. 2018, §2): single weights are dropped,
  /// the same in all lanes and time steps.
  public var weightDrop: Double
  /// Whole symbols, rows of the embedding, are dropped wherever they are read (Gal & Ghahramani 2016, §4.2; Merity et al.
  /// 2018, §4.3), the same in all lanes and time steps. A decoder that shares the embedding's matrix sees it whole.
  public var embeddingDropout: Double
  /// α of activation regularisation (Merity et al. 2017): the gradient gets that of α times the mean square of the top
  /// layer's outputs after dropout, over lanes, units and the steps whose losses are differentiated.
  public var activation: Double
  /// β of temporal activation regularisation (the same): likewise β times the mean square of the difference between the
  /// top layer's outputs before dropout at neighbouring ones of these steps.
  public var temporalActivation: Double

  /// Probabilities are in [0, 1), α and β at least 0.
  public init(
    inputDropout: Double = 0, hiddenDropout: Double = 0, outputDropout: Double = 0, weightDrop: Double = 0,
    embeddingDropout: Double = 0, activation: Double = 0, temporalActivation: Double = 0
  ) {
    self.inputDropout = inputDropout
    self.hiddenDropout = hiddenDropout
    self.outputDropout = outputDropout
    self.weightDrop = weightDrop
    self.embeddingDropout = embeddingDropout
    self.activation = activation
    self.temporalActivation = temporalActivation
  }

  /// Name and value of what is on, in the words of the command's flags.
  public var named: [(name: String, value: Double)] {
    [
      ("input dropout", inputDropout), ("hidden dropout", hiddenDropout), ("output dropout", outputDropout),
      ("weight drop", weightDrop), ("embedding dropout", embeddingDropout), ("AR", activation),
      ("TAR", temporalActivation),
    ].filter { $0.1 > 0 }
  }

  /// Whether layer 0 may read from a table of projected symbols: not with a mask for each lane.
  var allowsTable: Bool { inputDropout == 0 }

  func requireSound() {
    precondition(
      [inputDropout, hiddenDropout, outputDropout, weightDrop, embeddingDropout].allSatisfy { (0..<1).contains($0) }
        && activation >= 0 && temporalActivation >= 0,
      "probabilities of dropping are in [0, 1), and AR and TAR at least 0: \(named)")
  }
}
