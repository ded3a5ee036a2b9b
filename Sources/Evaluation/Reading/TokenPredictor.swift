import LanguageModeling
import Tokenization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What says how likely the tokens of a stream are, as they come.
protocol TokenPredictor: AnyObject {
  /// A stream begins; its first token is that of the next call.
  func begin()
  /// Reads tokens, of which the first was the last of the call before, and predicts each after the first.
  ///
  /// - Parameter tokens: Two at least, and no more than ``TextReading/windowLength`` after the first.
  func predict(_ tokens: ArraySlice<Int32>) -> [(surprisal: Double, details: ScoredToken.Details?)]
}

/// A network, which reads a stream in one lane.
final class NetworkPredictor: TokenPredictor {
  private let model: any LanguageModel
  private let detail: PredictionDetail?
  private let threads: Int
  private var reader: (any LanguageModelReader)?

  init(_ reading: TextReading) { (model, detail, threads) = (reading.model, reading.detail, reading.threads) }

  func begin() { reader?.reset() }

  func predict(_ tokens: ArraySlice<Int32>) -> [(surprisal: Double, details: ScoredToken.Details?)] {
    let reader = reader(steps: tokens.count - 1)
    let window = TokenWindow(
      steps: tokens.count - 1, lanes: 1, inputs: Array(tokens.dropLast()), targets: Array(tokens.dropFirst()))
    guard let detail else { return reader.losses(window).map { ($0, nil) } }
    let predictions = reader.predictions(window, detail)
    return predictions.surprisals.enumerated().map { ($1, .init(predictions, $0)) }
  }

  /// A short first text needs no room for more; what follows it may.
  private func reader(steps: Int) -> any LanguageModelReader {
    if let reader, reader.steps >= steps { return reader }
    let new = model.makeReader(lanes: 1, steps: steps, threads: threads)
    if let reader { new.restore(reader.state(ofLane: 0)) }
    reader = new
    return new
  }
}

/// Counts of n-grams, or what else needs but few symbols before one.
final class HistoryPredictor: TokenPredictor {
  private let length: Int
  private let start: Int32?
  private let probability: (_ before: ArraySlice<Int32>, _ isWhole: Bool, Int32) -> Double
  private var history: [Int32] = []
  private var isWhole = true
  private var hasBegun = false

  /// - Parameters:
  ///   - length: Symbols before one that are looked at.
  ///   - start: The symbol that begins documents; nothing is remembered across it.
  ///   - isWhole: Told whether the symbols before are all of their text or document.
  init(
    length: Int, start: Int32?, _ probability: @escaping (_ before: ArraySlice<Int32>, _ isWhole: Bool, Int32) -> Double
  ) {
    (self.length, self.start, self.probability) = (length, start, probability)
  }

  convenience init(_ model: NGramModel, start: Int32?) {
    self.init(length: model.order, start: start) { model.probability(of: $2, after: $0, isWhole: $1) }
  }

  func begin() { (history, isWhole, hasBegun) = ([], true, false) }

  func predict(_ tokens: ArraySlice<Int32>) -> [(surprisal: Double, details: ScoredToken.Details?)] {
    if !hasBegun, let first = tokens.first { remember(first) }
    hasBegun = true
    return tokens.dropFirst().map { token in
      let surprisal = token == start ? 0 : -log(probability(history[...], isWhole, token))
      remember(token)
      return (surprisal, nil)
    }
  }

  private func remember(_ token: Int32) {
    guard token != start else {
      (history, isWhole) = ([], true)
      return
    }
    history.append(token)
    if history.count > length {
      history.removeFirst()
      isWhole = false
    }
  }
}
