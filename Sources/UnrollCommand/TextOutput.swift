import Sampling

/// Writes texts to standard output: the first as its symbols come, the others, which come at the same time, each after the
/// one before it has ended.
struct TextOutput {
  let prompt: String
  let echoes: Bool
  let samples: Int
  private let colours: SurprisalColours?

  init(prompt: String, echoes: Bool, samples: Int, showsProbabilities: Bool) {
    self.prompt = prompt
    self.echoes = echoes
    self.samples = samples
    colours = showsProbabilities && Terminal.outputIsTerminal && Terminal.wantsColours ? SurprisalColours() : nil
    if showsProbabilities {
      Terminal.complain(colours?.legend(coloured: Terminal.errorIsTerminal) ?? SurprisalColours.unavailable)
    }
  }

  /// Writes texts that are finished.
  func write(_ texts: [WrittenText]) throws {
    for (index, text) in texts.enumerated() {
      guard try begin(index), try write(text.pieces), try end(index, text.text) else {
        return
      }
    }
  }

  /// Writes texts as they come.
  ///
  /// - Parameter work: Calls back with each token.
  func write(_ work: ((WrittenToken) throws -> Bool) throws -> Void) throws {
    var queue = TextQueue()
    guard try begin(0) else { return }
    var isOpen = true
    try work { written in
      if let pieces = queue.passing(written) {
        isOpen = try write(pieces)
        return isOpen
      }
      for part in queue.add(written) {
        switch part {
        case .text(let pieces): isOpen = try isOpen && write(pieces)
        case .end(let sample, let last):
          isOpen = try isOpen && end(sample, last)
          if sample + 1 < samples { isOpen = try isOpen && begin(sample + 1) }
        }
      }
      return isOpen
    }
    if !queue.hasBegun, isOpen { try writeEmptyTexts() }
  }

  /// Nothing was asked for: the prompts alone.
  private func writeEmptyTexts() throws {
    for index in 0..<samples where try index == 0 || begin(index) { _ = try end(index, "") }
  }

  private func begin(_ index: Int) throws -> Bool {
    try Terminal.write((index > 0 ? "---\n" : "") + (echoes ? prompt : ""))
  }

  /// One text is written to the byte, with a line feed on a terminal only; each of several ends with a line feed.
  private func end(_ index: Int, _ last: String) throws -> Bool {
    let text = last.isEmpty && echoes ? prompt : last
    let lacksLineFeed = text.unicodeScalars.last != "\n"
    return try Terminal.write(samples > 1 ? lacksLineFeed ? "\n" : "" : Terminal.outputIsTerminal ? "\n" : "")
  }

  private func write(_ pieces: [TextPiece]) throws -> Bool {
    for piece in pieces { guard try Terminal.write(colours?.paint(piece) ?? piece.text) else { return false } }
    return true
  }
}

/// Puts the symbols of texts that are written side by side into the order in which the texts are read.
struct TextQueue {
  enum Part {
    case text([TextPiece])
    /// A text has ended; its last piece, empty where nothing was written.
    case end(sample: Int, last: String)
  }

  private var current = 0
  private var last = ""
  /// Of texts that are not at their turn.
  private var waiting: [Int: (pieces: [TextPiece], hasEnded: Bool)] = [:]
  private(set) var hasBegun = false

  /// What can be written at once, where a symbol is of the text whose turn it is and does not end it; nil is for
  /// ``add(_:)``.
  mutating func passing(_ written: WrittenToken) -> [TextPiece]? {
    guard written.sample == current, written.finishReason == nil else { return nil }
    hasBegun = true
    if let piece = written.pieces.last { last = piece.text }
    return written.pieces
  }

  /// Takes the next symbol of some text; what can be written now.
  mutating func add(_ written: WrittenToken) -> [Part] {
    hasBegun = true
    guard written.sample == current else {
      waiting[written.sample, default: ([], false)].pieces += written.pieces
      if written.finishReason != nil { waiting[written.sample]?.hasEnded = true }
      return []
    }
    var parts = [text(written.pieces)]
    guard written.finishReason != nil else { return parts }
    parts.append(end())
    while let next = waiting.removeValue(forKey: current) {
      parts.append(text(next.pieces))
      guard next.hasEnded else { break }
      parts.append(end())
    }
    return parts
  }

  private mutating func text(_ pieces: [TextPiece]) -> Part {
    if let piece = pieces.last { last = piece.text }
    return .text(pieces)
  }

  private mutating func end() -> Part {
    defer {
      current += 1
      last = ""
    }
    return .end(sample: current, last: last)
  }
}

/// Colours for surprisal in bits: the more surprising, the warmer.
struct SurprisalColours {
  static let unavailable =
    "Warning: --show-probabilities colours the text on a terminal without NO_COLOR only; --json has the numbers"

  /// Upper bounds in bits, and backgrounds of the 256-colour palette; the last is for all above.
  private static let classes: [(bound: Double, name: String, background: Int?)] = [
    (1, "under 1", nil), (2, "1–2", 193), (4, "2–4", 229), (7, "4–7", 216), (.infinity, "over 7", 203),
  ]

  /// A line that shows the colours.
  func legend(coloured: Bool) -> String {
    "bits of surprisal: "
      + Self.classes.map { Self.paint(" \($0.name) ", coloured ? $0.background : nil) }.joined(separator: " ")
  }

  func paint(_ piece: TextPiece) -> String {
    guard let bits = piece.bits, let found = Self.classes.first(where: { bits < $0.bound }) else { return piece.text }
    // A line feed's background would reach over the rest of the line.
    return piece.text.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.isEmpty ? "" : Self.paint(String($0), found.background)
    }.joined(separator: "\n")
  }

  private static func paint(_ text: String, _ background: Int?) -> String {
    background.map { "\u{1B}[30;48;5;\($0)m\(text)\u{1B}[0m" } ?? text
  }
}
