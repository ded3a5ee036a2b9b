import LanguageModeling
import Tokenization

/// What one predictor makes of every character of some texts, as they come.
final class CharacterLosses {
  /// In the predictor's own tokens.
  var score: Score { tally.score }
  let reading: RunningReading
  let queue = Queue()
  private let tally = Tally()

  /// Characters that were read and are not compared yet: nats, NaN where none was scored, and bytes.
  final class Queue {
    fileprivate(set) var losses: [Double] = []
    fileprivate(set) var widths: [UInt8] = []

    func removeFirst(_ count: Int) {
      losses.removeFirst(count)
      widths.removeFirst(count)
    }
  }

  private final class Tally: ReadingFollower {
    var score = Score()
    func begin(_ index: Int) {}
    func add(_ token: ScoredToken, in text: PassingText) { if let loss = token.surprisal { score.add(loss) } }
    func advance(to place: Int, in text: PassingText) -> Int { place }
    func end(_ text: PassingText) {}
  }

  /// - Throws: ``ConfigurationError`` for documents where the model knows none.
  init(_ predictor: Comparison.Predictor) throws {
    let queue = queue
    let collector = UnitCollector(.character, predictor.reading.tokenizer) {
      queue.losses.append($0.surprisal ?? .nan)
      queue.widths.append(UInt8($0.text.utf8.count))
    }
    reading = try RunningReading(predictor.reading, by: predictor.predictor(), followers: [tally, collector])
  }
}
