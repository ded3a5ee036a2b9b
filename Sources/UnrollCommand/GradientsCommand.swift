import ArgumentParser
import Compute
import Evaluation
import LanguageModeling
import ModelFiles
import Recurrence
import Tokenization

/// `unroll gradients`.
struct GradientsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gradients",
    abstract: "Show how gradients flow back through a model on a text.",
    discussion: """
      Reads the beginning of each lane in Double, exactly, and follows the losses' gradients back: how fast they vanish \
      or explode, where the recurrent weights' gradient comes from, and what truncated BPTT keeps of it. The model is a \
      trained one, or one with fresh weights of a cell and size, its vocabulary the text's.

      Example: unroll gradients --model letters-model letters.txt
      """)

  @Argument(help: "A text file; - is standard input.")
  var text: String

  @Option(name: .shortAndLong, help: "The folder of a trained model.")
  var model: String?

  @OptionGroup(title: "Fresh weights") var fresh: FreshOptions
  @OptionGroup var encoding: EncodingOptions

  @Option(help: "Steps that gradients are followed back.")
  var lags = 100

  @Option(help: "Steps of the window; more than lags. The default is twice the lags.")
  var steps: Int?

  @Option(help: "Parallel streams, which begin evenly spread over the text.")
  var lanes = 4

  @Option(help: "text for people, json for programs, html for a page with charts, svg for its first chart.")
  var format: Format = .text

  @Option(name: .shortAndLong, help: "The file to write; standard output without it.")
  var output: String?

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, html, svg }

  struct FreshOptions: ParsableArguments {
    @Option(help: "Recurrent cell: lstm, gru or rnn.")
    var cell: RecurrentCell?
    @Option(help: "What a plain rnn does with its sums: tanh or relu. The default is tanh.")
    var nonlinearity: Nonlinearity?
    @OptionGroup var norm: LayerNormOption
    @Option(help: "What the forget biases of an LSTM add up to. The default is 1.")
    var forgetBias: Double?
    @Option(help: "Recurrent layers. The default is 1.")
    var layers: Int?
    @Option(help: "Hidden units of each layer. The default is 128.")
    var hiddenSize: Int?
    @Option(help: "Size of a symbol's embedding; the default is the hidden size, at most 128.")
    var embeddingSize: Int?
    @Option(help: "Seed of the weights. The default is 1.")
    var seed: UInt64?

    func validate() throws {
      try require(
        nonlinearity == nil || cell == .rnn || cell == nil,
        "--nonlinearity is for --cell rnn; other cells have their own.")
      try require(
        forgetBias == nil || cell == .lstm || cell == nil,
        "--forget-bias is for --cell lstm; other cells have no forget gate.")
      try require(forgetBias?.isFinite ?? true, "--forget-bias is not finite.")
      try norm.validate(with: cell)
    }

    /// The flags that were given and say what a trained model already is.
    var given: [String] {
      [
        cell.map { _ in "--cell" }, nonlinearity.map { _ in "--nonlinearity" }, forgetBias.map { _ in "--forget-bias" },
        norm.layerNorm == nil ? nil : "--layer-norm",
        layers.map { _ in "--layers" }, hiddenSize.map { _ in "--hidden-size" },
        embeddingSize.map { _ in "--embedding-size" }, seed.map { _ in "--seed" },
      ].compactMap { $0 }
    }
  }

  func validate() throws {
    try requireDistinctInputs([text])
    if let model {
      try requirePath(model, "--model")
      try require(fresh.given.isEmpty, "\(fresh.given.first ?? "") is for fresh weights; leave it out with --model.")
    } else {
      try require(fresh.cell != nil, "Give --model DIR, or --cell lstm, gru or rnn for fresh weights.")
    }
    if let output { try requirePath(output, "--output") }
    try require((1...100_000).contains(lags), "--lags is \(lags); it must be 1 to 100,000.")
    try require(
      (lags + 1...1_000_000).contains(steps ?? 2 * lags),
      "--lags \(lags) reach beyond a window of --steps \(steps ?? 2 * lags); give at least \(lags + 1) and at most 1,000,000 steps."
    )
    try require((1...10_000).contains(lanes), "--lanes is \(lanes); it must be 1 to 10,000.")
  }

  func run() throws {
    try reportingErrors {
      let (model, ids) = try loaded()
      var settings = GradientFlow.Settings()
      (settings.lags, settings.steps, settings.lanes) = (lags, steps ?? 2 * lags, lanes)
      settings.seed = fresh.seed ?? 1
      let flow = try InText.named(text) { try GradientFlow(of: model, on: ids, settings) }
      let content =
        switch format {
        case .text: flow.text
        case .json: flow.json.text(indented: true) + "\n"
        case .html: flow.html
        case .svg: flow.chart.svg
        }
      try write(content)
    }
  }

  private func write(_ content: String) throws {
    guard let output else {
      _ = try Terminal.write(content)
      return
    }
    try Files.writeDurably(Array(content.utf8), to: output)
  }

  private func complain(of unknown: [UnknownSymbol]) {
    guard !unknown.isEmpty else { return }
    let named = unknown.countedNames
    Terminal.complain(
      "Left out, unknown to the model: \(named)" + (unknown.count > 5 ? " and \(unknown.count - 5) other symbols" : ""))
  }

  /// The model in Double, and the text in its symbols; symbols that it does not know are left out.
  private func loaded() throws -> (any LanguageModel, [Int32]) {
    if let model {
      let loaded = try ModelFolder(model).load(precision: .float64)
      let text = try encoding.text(of: [text]).text
      let encoded = try loaded.tokenizer.encode(text, unknown: .skip)
      complain(of: encoded.unknown)
      return (loaded.model, encoded.ids)
    }
    let text = try encoding.text(of: [text]).text
    let tokenizer = CharacterTokenizerTrainer(normalization: .nfc, minimumFrequency: 1).train(text)
    let hiddenSize = fresh.hiddenSize ?? 128
    let configuration = try ModelConfiguration(
      cell: fresh.norm.applied(to: fresh.cell ?? .lstm), nonlinearity: fresh.nonlinearity ?? .tanh,
      vocabularySize: tokenizer.vocabularySize,
      embeddingSize: fresh.embeddingSize ?? min(128, hiddenSize), hiddenSize: hiddenSize, layers: fresh.layers ?? 1)
    let ids = try tokenizer.encode(text, unknown: .fail).ids
    return (configuration.freshModel(seed: fresh.seed ?? 1, forgetBias: fresh.forgetBias ?? 1), ids)
  }
}
