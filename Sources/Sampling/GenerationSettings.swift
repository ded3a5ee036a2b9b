/// What is written: how long, how symbols are chosen, where it ends.
public struct GenerationSettings: Sendable {
  /// The most tokens that are drawn after the prompt.
  public var length = 500
  /// How symbols are chosen.
  public var sampling = SamplingSettings()
  /// A text ends before the first of these that comes, counted from the end of the prompt.
  public var stops: [String] = []
  /// Whether a text ends with its first sentence.
  public var endsWithSentence = false
  /// The token that ends a text, where the vocabulary has one.
  public var end: Int32?
  /// Whether each token comes with its log-probability.
  public var keepsProbabilities = false
  /// How many of the likeliest tokens are told at each place.
  public var alternatives = 0
  /// Beams of a search for the likeliest text; nil draws.
  public var beams: BeamSettings?

  /// Up to 500 tokens at temperature 0.8.
  public init() {}

  /// - Throws: ``InvalidSampling`` that names the setting.
  public func validate() throws {
    try require((0...1_000_000_000).contains(length), "length is \(length); it must be 0 to 1,000,000,000")
    try require(!stops.contains(""), "stop is an empty text; every text would end at its beginning")
    try require(
      (0...1000).contains(alternatives), "top-alternatives is \(alternatives); it must be 0 to 1,000 symbols")
    try sampling.validate()
    try beams?.validate()
    try require(
      beams == nil || !sampling.truncates, "beams draws nothing; leave out what truncates, such as top-k")
  }
}

/// A search that follows several texts at once, the likeliest.
public struct BeamSettings: Sendable, Equatable {
  /// Texts that are followed.
  public var width: Int
  /// α: texts are compared by log-probability / length^α, so that above 0 favours long texts.
  public var lengthPenalty: Double

  public init(width: Int, lengthPenalty: Double = 1) {
    self.width = width
    self.lengthPenalty = lengthPenalty
  }

  func validate() throws {
    try require((1...1000).contains(width), "beams is \(width); it must be 1 to 1,000")
    try require(lengthPenalty.isFinite, "length-penalty is \(lengthPenalty); it must be a number")
  }
}

/// Why a text ends where it does.
public enum FinishReason: String, Sendable {
  /// It has as many tokens as were asked for.
  case length
  /// A stop string came.
  case stop
  /// The token that ends texts came.
  case eos
  /// Its first sentence has ended.
  case sentence
}

/// A token that might have come, with the natural logarithm of the model's probability.
public struct Alternative: Sendable, Equatable {
  public let token: Int32
  public let logProbability: Double
}

/// A token as it is written.
public struct WrittenToken: Sendable {
  /// The number of the text, from 0 on.
  public let sample: Int
  public let token: Int32
  /// The natural logarithm of the probability that the model gives the token, before any processor; nil where nobody asked.
  public let logProbability: Double?
  /// The likeliest tokens at this place, the likeliest first, of equals the lowest id.
  public let alternatives: [Alternative]
  /// The text that can be written now: none where a character is not whole yet or a stop string may have begun, and that
  /// of several tokens where it has not.
  public let pieces: [TextPiece]
  /// Why the text ends with this token; nil where it goes on.
  public let finishReason: FinishReason?

  /// The text that can be written now.
  public var text: String { pieces.count == 1 ? pieces[0].text : pieces.map(\.text).joined() }
}

/// A text that was written, without its prompt.
public struct WrittenText: Sendable {
  /// What was written: up to a stop string, or to the end of the sentence. Bytes at the end that are no whole character are
  /// left out.
  public var text: String { pieces.map(\.text).joined() }
  /// The text in the pieces that came with the tokens.
  public internal(set) var pieces: [TextPiece] = []
  /// All tokens that were drawn, those of a stop string too.
  public internal(set) var tokens: [Int32] = []
  /// Of each token, where ``GenerationSettings/keepsProbabilities``.
  public internal(set) var logProbabilities: [Double] = []
  /// At the place of each token, where ``GenerationSettings/alternatives``.
  public internal(set) var alternatives: [[Alternative]] = []
  public internal(set) var finishReason = FinishReason.length

  mutating func append(_ written: WrittenToken) {
    pieces += written.pieces
    tokens.append(written.token)
    if let logProbability = written.logProbability { logProbabilities.append(logProbability) }
    if !written.alternatives.isEmpty { alternatives.append(written.alternatives) }
    if let reason = written.finishReason { finishReason = reason }
  }
}
