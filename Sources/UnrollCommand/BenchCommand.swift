import ArgumentParser
import Benchmarking
import LanguageModeling
import Training

/// `unroll bench`.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure how fast this machine trains, writes or scores.",
    discussion: """
      Works on a model with random weights, in the very code of train, generate and perplexity, and measures the \
      machine's best matrix product in the same run.

      Example: unroll bench train --hidden-size 512 --lanes 64 --k1 100
      """)

  enum Task: String, ExpressibleByArgument, CaseIterable { case train, generate, perplexity, tokenizer }

  @Argument(help: "train, generate (draws included), perplexity, or tokenizer (encoding a text).")
  var task: Task

  @OptionGroup var cell: CellOptions
  @Option(help: "Recurrent layers.") var layers = 2
  @Option(help: "Hidden units of each layer, and the embedding's size.") var hiddenSize = 128
  @Option(help: "Parallel streams in training (64), texts written or scored at once (1).") var lanes: Int?
  @Option(help: "Steps of a window.") var k1 = 100
  @Option(help: "Symbols of the vocabulary.") var vocabularySize = 65
  @Option(help: "Seconds to measure.") var seconds = 5.0
  @Option(help: "For tokenizer: a tokenizer.json, or the folder of a model.") var tokenizer: String?
  @Option(help: "For tokenizer: the text to encode.") var text: String?
  @Flag(help: "Say where the time goes, phase by phase.") var profile = false
  @Flag(help: "One JSON object.") var json = false
  @OptionGroup(title: "Running") var compute: ComputeOptions
  @OptionGroup var encoding: EncodingOptions

  func validate() throws {
    try require((1...1_000_000).contains(lanes ?? 1), "--lanes is \(lanes ?? 0); it must be 1 to 1,000,000.")
    try require((1...10_000_000).contains(k1), "--k1 is \(k1); it must be 1 to 10,000,000.")
    try require(
      (task == .tokenizer) == (tokenizer != nil) && (tokenizer == nil) == (text == nil),
      "--tokenizer and --text are for bench tokenizer, which wants both.")
    try require(seconds > 0 && seconds <= 3600, "--seconds is \(seconds); it must be above 0 and at most 3600.")
  }

  func run() throws {
    try reportingErrors {
      if task == .tokenizer { return try benchTokenizer() }
      var configuration = BenchmarkConfiguration(
        model: try ModelConfiguration(
          cell: cell.chosen, nonlinearity: cell.nonlinearity ?? .tanh, vocabularySize: vocabularySize,
          embeddingSize: hiddenSize, hiddenSize: hiddenSize, layers: layers),
        lanes: lanes ?? (task == .train ? 64 : 1), k1: k1,
        precision: compute.precision.precision(automatic: task == .perplexity ? .float32 : .fastest),
        threads: compute.threadCount, seconds: seconds)
      configuration.profiles = profile
      try configuration.precision.requireSupport()
      let result =
        switch task {
        case .train: try Benchmarks.train(configuration)
        case .generate: try Benchmarks.generate(configuration)
        case .perplexity, .tokenizer: Benchmarks.score(configuration)
        }
      _ = try Terminal.write(json ? result.json.text() + "\n" : result.text)
    }
  }

  private func benchTokenizer() throws {
    let tokenizer = try TokenizerChoice.read(self.tokenizer ?? "")
    let corpus = try encoding.text(of: [text ?? ""])
    let result = try TokenizerBenchmark(tokenizer, text: corpus.text, seconds: seconds)
    _ = try Terminal.write(json ? result.json.text() + "\n" : result.text)
  }
}
