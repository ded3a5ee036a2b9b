import ArgumentParser
import Evaluation

extension TextUnit: ExpressibleByArgument {}

/// `--by` and what goes with it.
struct UnitOptions: ParsableArguments {
  @Option(
    help: """
      Tell the surprisal of each token, character, word, line or file, with the rank of what came and the entropy of the \
      prediction, as text, csv or jsonl.
      """)
  var by: TextUnit?

  @Option(help: "Only the N most surprising units, by bits for each character. The default unit is then the line.")
  var top: Int?

  @Flag(help: "Add up the probabilities of every prediction, and say how far from 1 the sums are at most.")
  var verify = false

  var isEmpty: Bool { by == nil && top == nil && !verify }

  /// The unit of rows, where such are to be written.
  func unit(for format: PerplexityCommand.Format) -> TextUnit? {
    by ?? (top != nil ? .line : format == .csv || format == .jsonl ? .token : nil)
  }

  func validate() throws {
    if let top { try require((1...100_000).contains(top), "--top is \(top); it must be 1 to 100,000.") }
  }
}

/// `--baseline` and `--baseline-corpus`.
struct BaselineOptions: ParsableArguments {
  @Option(
    help: """
      Compare with ngram:N, interpolated modified Kneser–Ney of order 1 to 6, counted on --baseline-corpus. May be given \
      again.
      """)
  var baseline: [NGramArgument] = []

  @Option(help: "The text that n-grams are counted on: best what the model was trained on.")
  var baselineCorpus: String?

  func validate() throws {
    if let baselineCorpus { try requirePath(baselineCorpus, "--baseline-corpus") }
    try require(
      baseline.isEmpty || baselineCorpus != nil, "--baseline wants --baseline-corpus FILE, the text to count.")
    try require(
      baselineCorpus == nil || !baseline.isEmpty, "--baseline-corpus is for --baseline, such as --baseline ngram:5.")
  }
}

/// `ngram:N`.
struct NGramArgument: ExpressibleByArgument {
  let order: Int

  init?(argument: String) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "ngram", let order = Int(parts[1]), NGramModel.orders.contains(order) else {
      return nil
    }
    self.order = order
  }
}
