/// Adds to the logits of chosen symbols, as the logit bias of OpenAI's interface and the sequence bias of Hugging Face
/// transformers do.
///
/// A text of one symbol counts everywhere. Of a longer one the last symbol gets the bias, where the text so far ends with
/// those before it. −∞ bans.
public struct LogitBias: LogitProcessor {
  /// Symbols in order, and what is added to the last one's logit, in nats.
  public struct Entry: Sendable, Equatable {
    public let tokens: [Int32]
    public let bias: Double

    public init(tokens: [Int32], bias: Double) {
      self.tokens = tokens
      self.bias = bias
    }
  }

  private let entries: [Entry]
  private let longest: Int
  private var recent: [Int32] = []

  /// - Throws: ``InvalidSampling`` where a text is empty, or a bias is not a number (−∞ may be).
  public init(_ entries: [Entry]) throws {
    for entry in entries {
      try require(!entry.tokens.isEmpty, "logit-bias has a text without symbols")
      try require(
        entry.bias < .infinity, "logit-bias is \(entry.bias); it must be a number, such as +1.5 or -3, or -inf")
    }
    self.entries = entries
    longest = entries.map(\.tokens.count).max() ?? 0
  }

  public mutating func process(_ logits: inout [Double]) {
    for entry in entries {
      let before = entry.tokens.dropLast()
      guard let last = entry.tokens.last, recent.suffix(before.count) == before[...] else { continue }
      logits[Int(last)] += entry.bias
    }
  }

  public mutating func accept(_ token: Int32) {
    guard longest > 1 else { return }
    recent.append(token)
    if recent.count >= longest { recent.removeFirst(recent.count - longest + 1) }
  }
}

/// Makes symbols impossible that would complete a banned string, also one whose beginning has come in symbols before or in
/// the prompt.
public struct BannedStrings: LogitProcessor {
  private var strings: CompletedStrings

  /// - Parameters:
  ///   - strings: In the normalization of the vocabulary.
  ///   - bytes: Of each symbol of the vocabulary.
  /// - Throws: ``InvalidSampling`` where a string is empty.
  public init(_ strings: [String], bytes: [[UInt8]]) throws {
    try require(!strings.contains(""), "ban is an empty text; every text would be banned")
    self.strings = CompletedStrings(strings.map { Array($0.utf8) }, bytes: bytes)
  }

  public mutating func process(_ logits: inout [Double]) {
    strings.forEachCompleting { logits[Int($0)] = -.infinity }
  }

  public mutating func accept(_ token: Int32) { _ = strings.accept(token) }
}
