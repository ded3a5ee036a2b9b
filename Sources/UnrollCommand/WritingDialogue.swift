import LanguageModeling
import ModelFiles
import Reports
import Sampling
import Tokenization

/// What is said and done in `unroll write`.
struct WritingDialogue {
  static let help = """
    A line of text is read on by the model, with its line feed (without it where the line ends with \\); an empty line \
    has the model write on. A line that begins with / is a command, with // it is text that begins with /.

      (empty line)      write on
      /more N           write on, N symbols
      /again            take back what was written last and write something else
      /alternatives N   the N likeliest next symbols with their probabilities
      /undo             take back the last text, yours or the model's
      /text             show the whole text
      /temperature X    how daring: 0 takes the likeliest symbol each time
      /seed N           begin the draws anew with a seed
      /save FILE        keep the text with the model's state
      /load FILE        go on with a kept text
      /help             this
      /quit             end, as Ctrl-D does; Ctrl-C stops the writing only
    """

  private let kept: KeptSession
  private var input = LineInput()
  private var isOpen = true
  /// Whether the last change of the text is the model's.
  private var hasWritten = false
  /// Whether the last symbol on the terminal was a line feed.
  private var isAtLineStart = true

  private var session: Session { kept.session }

  init(_ kept: KeptSession) { self.kept = kept }

  /// Goes on until /quit or the end of the input.
  mutating func run() throws {
    say("/help says what can be done; an empty line has the model write.")
    if !session.state.tokens.isEmpty { showEnd() }
    while isOpen {
      if LineInput.isTerminal { Terminal.writeError(isAtLineStart ? "> " : "\n> ") }
      isAtLineStart = true
      switch input.next() {
      case .end:
        if LineInput.isTerminal { Terminal.writeError("\n") }
        return
      case .interrupted:
        _ = Interruption.take()
        say("\nCtrl-C stops the writing; /quit or Ctrl-D ends the session.")
      case .line(let line):
        do { try take(line) } catch let error where Self.isForgivable(error) { say("Error: \(error)") }
      }
    }
  }

  /// Errors after which the session goes on: those of what was typed.
  private static func isForgivable(_ error: any Error) -> Bool {
    if let file = error as? FileError { return file.path != "standard output" }
    return error is InvalidSampling || error is UnknownSymbolsError || error is InvalidCommand
  }

  private func say(_ line: String) { Terminal.complain(line) }

  // MARK: Lines

  private mutating func take(_ line: String) throws {
    if line.isEmpty { return try write(session.settings.length) }
    guard line.hasPrefix("/"), !line.hasPrefix("//") else { return try append(line) }
    let parts = line.split(separator: " ", maxSplits: 1)
    try command(String(parts[0]), parts.count > 1 ? parts[1].trimmingSpaces : "")
  }

  private mutating func append(_ line: String) throws {
    let text = line.hasPrefix("//") ? String(line.dropFirst()) : line
    let whole = text.hasSuffix("\\") ? String(text.dropLast()) : text + "\n"
    session.append(try session.tokenizer.encode(whole, unknown: .fail).ids)
    hasWritten = false
  }

  private mutating func command(_ name: String, _ argument: String) throws {
    switch name {
    case "/more": try write(argument.isEmpty ? session.settings.length : number(argument, of: name))
    case "/again": try again()
    case "/alternatives": try showAlternatives(argument.isEmpty ? 10 : number(argument, of: name))
    case "/undo": try undo()
    case "/text": try show(session.text)
    case "/temperature": try setTemperature(argument)
    case "/seed":
      guard let seed = UInt64(argument) else { throw InvalidCommand("/seed wants a number, such as /seed 7") }
      session.seed = seed
    case "/save", "/load": try keep(name, argument)
    case "/help": say(Self.help)
    case "/quit": isOpen = false
    default: throw InvalidCommand("there is no command \(name); /help lists them, and // begins text with a /")
    }
  }

  private func number(_ argument: String, of name: String) throws -> Int {
    guard let number = Int(argument), (1...1_000_000_000).contains(number) else {
      throw InvalidCommand("\(name) wants a number above 0, such as \(name) 100")
    }
    return number
  }

  // MARK: Commands

  private mutating func write(_ length: Int) throws {
    let usual = session.settings.length
    session.settings.length = length
    defer { session.settings.length = usual }
    _ = Interruption.take()
    try session.write { written in
      guard try show(written.text) else { return false }
      return !Interruption.take()
    }
    hasWritten = true
  }

  private mutating func again() throws {
    guard hasWritten, session.undo() else { throw InvalidCommand("nothing was written last; an empty line writes") }
    try write(session.settings.length)
  }

  private mutating func undo() throws {
    guard session.undo() else { throw InvalidCommand("there is nothing to take back") }
    hasWritten = false
    showEnd()
  }

  /// The last words, so that a person sees where the text is.
  private func showEnd() {
    let text = session.text
    let end = text.suffix(60)
    say("the text now ends: \(end.count < text.count ? "…" : "")\(end.debugDescription)")
  }

  private mutating func showAlternatives(_ count: Int) throws {
    for alternative in try session.alternatives(min(count, session.tokenizer.vocabularySize)) {
      let text = session.tokenizer.text(of: alternative.token).debugDescription
      try show("\(decimal(alternative.probability, places: 4))  \(text)\n")
    }
  }

  private func setTemperature(_ argument: String) throws {
    guard !argument.isEmpty else { return say("temperature \(session.settings.sampling.temperature)") }
    var settings = session.settings.sampling
    guard let value = Double(argument) else {
      throw InvalidCommand("/temperature wants a number, such as /temperature 0.7")
    }
    settings.temperature = value
    try settings.validate()
    session.settings.sampling = settings
  }

  private mutating func keep(_ name: String, _ path: String) throws {
    guard !path.isEmpty else { throw InvalidCommand("\(name) wants the name of a file") }
    if name == "/save" {
      try kept.save(to: path)
      say("saved \(path)")
    } else {
      try kept.load(path)
      hasWritten = false
      showEnd()
    }
  }

  /// Writes to standard output; false where nobody reads it any more, which ends the session.
  @discardableResult
  private mutating func show(_ text: String) throws -> Bool {
    guard !text.isEmpty else { return true }
    isOpen = try Terminal.write(text) && isOpen
    isAtLineStart = text.unicodeScalars.last == "\n"
    return isOpen
  }
}

/// A line that is no command.
private struct InvalidCommand: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

extension Substring {
  fileprivate var trimmingSpaces: String {
    guard let first = firstIndex(where: { $0 != " " }), let last = lastIndex(where: { $0 != " " }) else { return "" }
    return String(self[first...last])
  }
}
