import LanguageModeling
import Tokenization

/// Told how many tokens of how many are read.
typealias ReadingProgress = @Sendable (_ done: Int, _ all: Int) -> Void

extension Scorer {
  /// Reads one stream from the zero state, exactly, and hands over the surprisal in nats of each token after the first.
  func forEachSurprisal(
    _ tokens: TokenStream, _ progress: ReadingProgress? = nil, _ use: (_ place: Int, Double) throws -> Void
  ) rethrows {
    try forEachWindow(tokens, progress) { start, reader, window in
      for (t, loss) in reader.losses(window).enumerated() { try use(start + t, loss) }
    }
  }

  /// Windows one after another, each with the place of its first target.
  private func forEachWindow(
    _ tokens: TokenStream, _ progress: ReadingProgress?,
    _ use: (Int, any LanguageModelReader, TokenWindow) throws -> Void
  ) rethrows {
    guard tokens.count > 1 else { return }
    let reader = model.makeReader(lanes: 1, steps: min(windowLength, tokens.count - 1), threads: threads)
    for start in stride(from: 0, to: tokens.count - 1, by: reader.steps) {
      let end = min(start + reader.steps, tokens.count - 1)
      let window = TokenWindow(
        steps: end - start, lanes: 1, inputs: Array(tokens.part(start..<end)),
        targets: Array(tokens.part(start + 1..<end + 1)))
      try use(start + 1, reader, window)
      progress?(end, tokens.count - 1)
    }
  }
}

extension ScoredToken.Details {
  /// What was predicted at one place of a window.
  init(_ predictions: Predictions, _ place: Int) {
    let count = predictions.surprisals.isEmpty ? 0 : predictions.alternatives.count / predictions.surprisals.count
    rank = Int(predictions.ranks[place])
    entropy = predictions.entropies[place]
    alternatives = (place * count..<(place + 1) * count).map {
      (predictions.alternatives[$0], predictions.alternativeSurprisals[$0])
    }
    total = predictions.totals.isEmpty ? nil : predictions.totals[place]
  }
}
