import Tokenization

/// Token healing, for prompts that end inside a token (Lundberg 2023, "The art of prompt design: prompt boundaries and
/// token healing"): a prompt "the harb" is cut otherwise than the text "the harbour" that it begins, and what a model
/// learnt of the one says little of the other. So the last tokens of the prompt are taken back, and the first draws are
/// held to tokens that spell what was taken back, and may go on beyond it.
public struct PromptHealing: Sendable {
  /// The prompt without the tokens that were taken back.
  public let prompt: [Int32]
  /// The bytes that the first draws spell; empty where the prompt ends with a token that no other goes on from.
  public let rest: [UInt8]
  /// By place in ``rest``: the tokens that may come there, after which the rest can still be spelt.
  private let allowed: [[Int32]]
  /// Bytes of the rest that are spelt.
  private var place = 0

  /// Tokens that are taken back at most.
  static let most = 8

  /// Looks for the most tokens at the prompt's end whose bytes a longer token begins with. Time is the vocabulary, times
  /// the bytes of the rest.
  ///
  /// - Parameter special: Tokens that are no text.
  public init(_ prompt: [Int32], _ tokenizer: any Tokenizer, special: [Int32] = []) {
    let tokens = prompt.isEmpty ? [] : Self.tokens(tokenizer, special)
    var (rest, taken): ([UInt8], Int) = ([], 0)
    for count in stride(from: min(Self.most, prompt.count), to: 0, by: -1) {
      let bytes = Array(prompt.suffix(count).map { tokenizer.bytes(of: $0) }.joined())
      guard !prompt.suffix(count).contains(where: { $0 == tokenizer.unknownID }) else { continue }
      guard tokens.contains(where: { $0.bytes.count > bytes.count && $0.bytes.starts(with: bytes) }) else { continue }
      (rest, taken) = (bytes, count)
      break
    }
    self.prompt = prompt.dropLast(taken)
    self.rest = rest
    allowed = Self.allowed(rest, tokens)
  }

  /// What is left of a healing: bytes that the next draws spell.
  init(left rest: [UInt8], _ tokenizer: any Tokenizer, special: [Int32]) {
    prompt = []
    self.rest = rest
    allowed = rest.isEmpty ? [] : Self.allowed(rest, Self.tokens(tokenizer, special))
  }

  /// The bytes that are still to be spelt.
  var left: [UInt8] { Array(rest.dropFirst(place)) }

  private static func tokens(_ tokenizer: any Tokenizer, _ special: [Int32]) -> [(id: Int32, bytes: [UInt8])] {
    (0..<Int32(tokenizer.vocabularySize)).lazy.filter { $0 != tokenizer.unknownID && !special.contains($0) }
      .map { (id: $0, bytes: tokenizer.bytes(of: $0)) }.filter { !$0.bytes.isEmpty }
  }

  private static func allowed(_ rest: [UInt8], _ tokens: [(id: Int32, bytes: [UInt8])]) -> [[Int32]] {
    var allowed = [[Int32]](repeating: [], count: rest.count)
    for start in rest.indices.reversed() {
      let left = rest[start...]
      allowed[start] = tokens.filter { token in
        if token.bytes.count >= left.count { return token.bytes.starts(with: left) }
        return left.starts(with: token.bytes) && !allowed[start + token.bytes.count].isEmpty
      }.map(\.id)
    }
    return allowed
  }

  /// Whether the next draw is free.
  public var isDone: Bool { place >= rest.count }

  /// Leaves the next draw only tokens that spell the rest, or its beginning.
  public func constrain(_ logits: inout [Double]) {
    guard !isDone else { return }
    var constrained = [Double](repeating: -.infinity, count: logits.count)
    for id in allowed[place] { constrained[Int(id)] = logits[Int(id)] }
    logits = constrained
  }

  /// Takes note of a token that was drawn, of `count` bytes.
  public mutating func take(_ count: Int) { place += count }
}
