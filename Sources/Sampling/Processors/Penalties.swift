/// How often each symbol occurs in a text, or in its last symbols.
struct SymbolCounts: Sendable {
  private(set) var counts: [Int]
  /// The symbols of the window, oldest first from `oldest` on; none are kept where all the text counts.
  private var recent: [Int32] = []
  private var oldest = 0
  private let window: Int?

  /// - Parameter window: How many symbols count; nil is all.
  init(vocabularySize: Int, window: Int?) throws {
    try require((window ?? 1) >= 1, "penalty-window is \(window ?? 0); it must be 1 or more symbols")
    counts = [Int](repeating: 0, count: vocabularySize)
    self.window = window
  }

  mutating func accept(_ token: Int32) {
    counts[Int(token)] += 1
    guard let window else { return }
    if recent.count < window {
      recent.append(token)
    } else {
      counts[Int(recent[oldest])] -= 1
      recent[oldest] = token
      oldest = (oldest + 1) % window
    }
  }
}

/// Makes symbols that the text has already less likely (Keskar et al. 2019, "CTRL"): a logit above 0 is divided by the
/// penalty and one below 0 multiplied, as in Hugging Face transformers. The prompt counts too.
public struct RepetitionPenalty: LogitProcessor {
  public let penalty: Double
  private var seen: SymbolCounts

  /// - Parameters:
  ///   - penalty: 1 changes nothing, below 1 rewards.
  ///   - window: How many of the last symbols count; nil is all.
  /// - Throws: ``InvalidSampling`` where the penalty is not a number above 0 or the window is below 1.
  public init(_ penalty: Double, window: Int? = nil, vocabularySize: Int) throws {
    try require(
      penalty > 0 && penalty.isFinite, "repetition-penalty is \(penalty); it must be a number above 0, such as 1.2")
    self.penalty = penalty
    seen = try SymbolCounts(vocabularySize: vocabularySize, window: window)
  }

  public mutating func process(_ logits: inout [Double]) {
    for symbol in logits.indices where seen.counts[symbol] > 0 {
      if logits[symbol] > 0 { logits[symbol] /= penalty } else { logits[symbol] *= penalty }
    }
  }

  public mutating func accept(_ token: Int32) { seen.accept(token) }
}

/// Takes from the logit of each symbol that the text has already: once `presence`, and `frequency` for each occurrence (the
/// two penalties of OpenAI's interface, over a window as in llama.cpp). The prompt counts too.
public struct OccurrencePenalty: LogitProcessor {
  public let presence, frequency: Double
  private var seen: SymbolCounts

  /// - Parameters:
  ///   - presence: In nats; below 0 rewards.
  ///   - frequency: In nats an occurrence; below 0 rewards.
  ///   - window: How many of the last symbols count; nil is all.
  /// - Throws: ``InvalidSampling`` where a penalty is not a number or the window is below 1.
  public init(presence: Double, frequency: Double, window: Int? = nil, vocabularySize: Int) throws {
    for (name, value) in [("presence", presence), ("frequency", frequency)] {
      try require(value.isFinite, "\(name)-penalty is \(value); it must be a number")
    }
    self.presence = presence
    self.frequency = frequency
    seen = try SymbolCounts(vocabularySize: vocabularySize, window: window)
  }

  public mutating func process(_ logits: inout [Double]) {
    for symbol in logits.indices where seen.counts[symbol] > 0 {
      logits[symbol] -= presence + frequency * Double(seen.counts[symbol])
    }
  }

  public mutating func accept(_ token: Int32) { seen.accept(token) }
}
