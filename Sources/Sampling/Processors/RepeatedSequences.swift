#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What "don't repeat yourself" (DRY) takes from logits.
public struct RepeatedSequenceSettings: Sendable, Equatable {
  /// What is taken from a symbol that would repeat a sequence just longer than is allowed, in nats; 0 is off.
  public var multiplier = 0.0
  /// How fast that grows with each symbol that the sequence is longer.
  public var base = 1.75
  /// The longest sequence that may be repeated freely.
  public var allowedLength = 2
  /// How many of the last symbols are looked at.
  public var window = 4096
  /// Texts that no repetition reaches across.
  public var breakers = ["\n", ":", "\"", "*"]

  public init() {}
}

/// Makes symbols less likely that would go on with a sequence that the text has already ("DRY", by p-e-w; as in llama.cpp):
/// one that would repeat n symbols and itself loses multiplier · base^(n − allowed length), where n is at least that.
///
/// The prompt counts too. A sequence ends where a breaker does: only what follows the last one can be repeated.
public struct RepeatedSequencePenalty: LogitProcessor {
  public let settings: RepeatedSequenceSettings
  private var tokens: [Int32] = []
  /// Symbols since the end of the last breaker.
  private var sinceBreaker = 0
  private var breakers: CompletedStrings

  /// - Parameter bytes: Of each symbol of the vocabulary.
  /// - Throws: ``InvalidSampling`` where a number is out of its range or a breaker is empty.
  public init(_ settings: RepeatedSequenceSettings, bytes: [[UInt8]]) throws {
    let (multiplier, base) = (settings.multiplier, settings.base)
    try require(
      multiplier >= 0 && multiplier.isFinite, "dry-multiplier is \(multiplier); it must be 0 or a number above it")
    try require(base >= 1 && base.isFinite, "dry-base is \(base); it must be a number of 1 or more, such as 1.75")
    try require(
      settings.allowedLength >= 1, "dry-allowed-length is \(settings.allowedLength); it must be 1 or more symbols")
    try require(settings.window >= 2, "dry-window is \(settings.window); it must be 2 or more symbols")
    try require(!settings.breakers.contains(""), "dry-breaker is an empty text; leave it out")
    self.settings = settings
    breakers = CompletedStrings(settings.breakers.map { Array($0.utf8) }, bytes: bytes)
  }

  public mutating func accept(_ token: Int32) {
    sinceBreaker = breakers.accept(token) ? 0 : sinceBreaker + 1
    tokens.append(token)
    if tokens.count >= 2 * settings.window { tokens.removeFirst(tokens.count - settings.window) }
  }

  public mutating func process(_ logits: inout [Double]) {
    for (token, length) in repeats() {
      let penalty = settings.multiplier * pow(settings.base, Double(length - settings.allowedLength))
      // However long the repetition, the symbol stays possible.
      logits[Int(token)] -= min(penalty, 1e100)
    }
  }

  /// The symbols that would go on with a repetition, and how many symbols it has already: at least the allowed length.
  package func repeats() -> [Int32: Int] {
    let recent = Array(tokens.suffix(settings.window).reversed())
    let longest = min(sinceBreaker, recent.count)
    guard longest >= settings.allowedLength else { return [:] }
    var repeats: [Int32: Int] = [:]
    for (place, match) in Self.matches(recent).enumerated().dropFirst() {
      let length = min(match, longest)
      guard length >= settings.allowedLength else { continue }
      repeats[recent[place - 1]] = max(repeats[recent[place - 1]] ?? 0, length)
    }
    return repeats
  }

  /// For each place, how many symbols from there on are those of the beginning: the Z function (Gusfield 1997, §1.3), in
  /// linear time. The first is 0.
  package static func matches(_ symbols: [Int32]) -> [Int] {
    var matches = [Int](repeating: 0, count: symbols.count)
    var box = 0..<0
    for place in symbols.indices.dropFirst() {
      var length = place < box.upperBound ? min(box.upperBound - place, matches[place - box.lowerBound]) : 0
      while place + length < symbols.count && symbols[length] == symbols[place + length] { length += 1 }
      matches[place] = length
      if place + length > box.upperBound { box = place..<place + length }
    }
    return matches
  }
}
