/// Evaluation: how well a model predicts a text.

import LanguageModeling
import Tokenization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The sum of surprisals over scored tokens.
public struct Score: Sendable, Equatable {
  /// Σ −ln p in nats.
  public var nats = 0.0
  /// Σ (−ln p)², for the spread.
  public var squaredNats = 0.0
  /// Tokens scored.
  public var tokens = 0

  /// Nothing scored yet.
  public init() {}

  mutating func add(_ loss: Double) {
    nats += loss
    squaredNats += loss * loss
    tokens += 1
  }

  /// Both scores together.
  public static func + (a: Score, b: Score) -> Score {
    var sum = a
    sum.nats += b.nats
    sum.squaredNats += b.squaredNats
    sum.tokens += b.tokens
    return sum
  }

  /// Nats per token.
  public var mean: Double { nats / Double(tokens) }
  /// Σ −log₂ p.
  public var bits: Double { nats / log(2) }
}

/// Scores streams of tokens: each token after the first, given all before it.
public struct Scorer: Sendable {
  /// The model that predicts.
  public let model: any LanguageModel
  /// Tokens read at once.
  public var windowLength = 512
  /// Threads that may share the work; the result is the same to the bit for any number.
  public var threads = 1

  /// A scorer of texts by `model`.
  public init(_ model: any LanguageModel, threads: Int = 1) {
    self.model = model
    self.threads = threads
  }

  /// The symbol that begins documents, where the model knows them: no loss is made of predicting it.
  var unpredicted: Int32? { model.configuration.documents?.start }

  /// Reads one stream from the zero state, exactly. The first token is not scored: it starts the stream.
  public func score(_ tokens: [Int32]) -> Score { score(TokenStream(tokens)) }

  /// Reads one stream from the zero state, exactly. The first token is not scored: it starts the stream.
  public func score(_ tokens: TokenStream) -> Score {
    var score = Score()
    forEachSurprisal(tokens) { if tokens[$0] != unpredicted { score.add($1) } }
    return score
  }

  /// Scores the same tokens in lanes side by side, for speed.
  ///
  /// Lane b reads n + `warmUp` tokens from b·n on and scores the last n of them, lane 0 all: every token after the first
  /// is scored once, and what lies further back than the warm-up is forgotten (in a model that has learnt, that is
  /// within 1e-4 nats per token of ``score(_:)``).
  public func scoreInLanes(_ tokens: [Int32], lanes: Int, warmUp: Int) -> Score {
    scoreInLanes(TokenStream(tokens), lanes: lanes, warmUp: warmUp)
  }

  /// The same of tokens that may be in a file.
  public func scoreInLanes(_ tokens: TokenStream, lanes: Int, warmUp: Int) -> Score {
    let targets = tokens.count - 1
    guard lanes > 1, targets >= 2 * (lanes + warmUp) else { return score(tokens) }
    let length = (targets - warmUp + lanes - 1) / lanes
    let reader = model.makeReader(lanes: lanes, steps: 64, threads: threads)
    var score = Score()
    for start in stride(from: 0, to: length + warmUp, by: reader.steps) {
      let steps = min(reader.steps, length + warmUp - start)
      var inputs = [Int32](repeating: 0, count: steps * lanes)
      var outputs = inputs
      var counts = [Bool](repeating: false, count: steps * lanes)
      for t in 0..<steps {
        for lane in 0..<lanes {
          let place = lane * length + start + t
          guard place < targets else { continue }  // the last lane may end early
          inputs[t * lanes + lane] = tokens[place]
          outputs[t * lanes + lane] = tokens[place + 1]
          counts[t * lanes + lane] = (lane == 0 || start + t >= warmUp) && tokens[place + 1] != unpredicted
        }
      }
      let losses = reader.losses(TokenWindow(steps: steps, lanes: lanes, inputs: inputs, targets: outputs))
      for (loss, isCounted) in zip(losses, counts) where isCounted { score.add(loss) }
    }
    return score
  }
}
