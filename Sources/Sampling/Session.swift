import LanguageModeling
import Tokenization

/// A text between two stretches of writing: what it takes to go on with it as if it had never been left.
public struct TextState: Sendable, Equatable {
  /// The text: what was handed in and what was drawn.
  public internal(set) var tokens: [Int32] = []
  /// Tokens that the recurrent state has not read.
  var unread: [Int32] = []
  /// After all tokens before ``unread``; nil at the beginning.
  var recurrent: ReaderState?
  /// Draws made: the place of the next one in the random stream.
  public internal(set) var draws = 0
  /// Tokens at the end that were handed in since the last draw.
  var handedIn = 0
  /// What is still to be spelt of a prompt's end, see ``PromptHealing``.
  var rest: [UInt8] = []
  var mirostatBound: Double?
}

/// One text that is written in stretches, each going on from the recurrent state in which the last one ended, so that the
/// length of the text costs nothing. A text written in several stretches is to the bit that written in one.
public final class Session {
  public let model: any LanguageModel
  public let tokenizer: any Tokenizer
  /// The token that starts a text without a prompt.
  public let start: Int32
  /// How symbols are chosen and where a stretch ends. Its length is that of the stretch.
  public var settings: GenerationSettings
  /// The same seed draws the same symbols; a new one begins its random stream anew.
  public var seed: UInt64 { didSet { state.draws = 0 } }
  /// The text so far.
  public private(set) var state: TextState

  private let reader: any LanguageModelReader
  private var past: [TextState] = []

  /// Changes that can be taken back.
  public static let undoDepth = 100

  /// A session without text, or one that goes on with a text.
  public init(
    model: any LanguageModel, tokenizer: any Tokenizer, start: Int32, settings: GenerationSettings, seed: UInt64,
    threads: Int = 1, state: TextState? = nil
  ) {
    self.model = model
    self.tokenizer = tokenizer
    self.start = start
    self.settings = settings
    self.seed = seed
    reader = model.makeReader(lanes: 1, steps: 64, threads: threads)
    var beginning = TextState()
    if let documents = model.configuration.documents { beginning.unread = [documents.start] }
    self.state = state ?? beginning
  }

  /// The text so far.
  public var text: String { tokenizer.decode(state.tokens) }

  // MARK: Changes

  /// Hands in text to go on from. In a model of documents, text after the end of one begins another.
  public func append(_ tokens: [Int32]) {
    guard !tokens.isEmpty else { return }
    remember()
    beginDocument()
    state.tokens += tokens
    state.unread += tokens
    state.handedIn += tokens.count
  }

  /// Writes on: at most ``GenerationSettings/length`` tokens.
  ///
  /// - Parameter emit: Gets each token as in ``Generator/write(after:samples:emit:)``; returning false ends the stretch.
  /// - Throws: `PredictionsNotFinite`, ``InvalidSampling``, and what `emit` throws; the text is then what it was.
  public func write(emit: (WrittenToken) throws -> Bool) throws {
    try settings.validate()
    precondition(settings.beams == nil, "what a beam search finds is not drawn symbol by symbol")
    guard settings.length > 0 else { return readAhead() }
    remember()
    do { try draw(emit) } catch {
      state = past.removeLast()
      throw error
    }
  }

  /// The same as one text.
  public func write() throws -> WrittenText {
    var text = WrittenText()
    try write {
      text.append($0)
      return true
    }
    return text
  }

  /// Takes back the last change of the text, if there is one. Draws are not taken back: what is written next is another
  /// text.
  public func undo() -> Bool {
    guard let last = past.popLast() else { return false }
    let draws = state.draws
    state = last
    state.draws = draws
    return true
  }

  /// Goes on with another text, which can be taken back.
  public func replace(by other: TextState) {
    remember()
    state = other
  }

  /// What may come next, the likeliest first, of equals the lowest id, with the model's own probabilities.
  ///
  /// - Throws: `PredictionsNotFinite`.
  public func alternatives(_ count: Int) throws -> [Alternative] {
    let logits = read(unread, from: state.recurrent)
    guard logits.allSatisfy(\.isFinite) else { throw PredictionsNotFinite() }
    let logSum = Distribution.logSum(logits)
    return Distribution.top(count, of: logits).map {
      Alternative(token: Int32($0), logProbability: logits[$0] - logSum)
    }
  }

  private func remember() {
    past.append(state)
    if past.count > Self.undoDepth { past.removeFirst() }
  }

  // MARK: Writing

  private func draw(_ emit: (WrittenToken) throws -> Bool) throws {
    beginDocument()
    var lane = try makeLane()
    readAllButLast()
    var logits = read(state.unread, from: state.recurrent)
    var goesOn = true
    while goesOn {
      guard logits.allSatisfy(\.isFinite) else { throw PredictionsNotFinite() }
      let choice = try lane.draw(logits[...], seed: seed)
      let written = lane.take(choice)
      state.tokens.append(choice.token)
      state.unread = [choice.token]
      goesOn = try emit(written) && written.finishReason == nil
      if goesOn { logits = reader.logits(after: state.unread) }
    }
    state.recurrent = reader.state(ofLane: 0)
    (state.draws, state.rest, state.mirostatBound) = (lane.count, lane.rest, lane.chain.mirostatBound)
  }

  /// What draws, as the text so far has left it.
  private func makeLane() throws -> WritingLane {
    let special = model.configuration.documents.map { [$0.start, $0.end] } ?? []
    var healing = PromptHealing(left: state.rest, tokenizer, special: special)
    if state.handedIn > 0 {
      let handedIn = Array(state.tokens.suffix(state.handedIn))
      healing = PromptHealing(handedIn, tokenizer, special: special)
      state.tokens.removeLast(handedIn.count - healing.prompt.count)
      state.unread.removeLast(handedIn.count - healing.prompt.count)
      state.handedIn = 0
    }
    var chain = try ProcessorChain(settings.sampling, tokenizer: tokenizer)
    if !chain.isEmpty { for token in state.tokens { chain.accept(token) } }
    chain.mirostatBound = state.mirostatBound
    let bytes = state.tokens.suffix(16).flatMap { tokenizer.bytes(of: $0) } + healing.rest
    return WritingLane(
      sample: 0, settings, chain: chain, tokenizer: tokenizer, documents: model.configuration.documents,
      healing: healing, afterPrompt: !bytes.isEmpty, drawn: state.draws, after: bytes)
  }

  /// Between the end of a document and what follows stands the beginning of the next.
  private func beginDocument() {
    guard let documents = model.configuration.documents, state.unread.last == documents.end else { return }
    state.unread.append(documents.start)
  }

  // MARK: Reading

  /// What the model reads before the next draw; a text without a beginning starts after ``start``.
  private var unread: [Int32] {
    state.unread.isEmpty && state.recurrent == nil ? [start] : state.unread
  }

  /// Reads what a draw would not take back, so that going on costs nothing.
  private func readAhead() { read(upTo: max(0, state.unread.count - PromptHealing.most - 1)) }

  private func readAllButLast() {
    state.unread = unread
    read(upTo: state.unread.count - 1)
  }

  private func read(upTo count: Int) {
    guard count > 0 else { return }
    _ = read(Array(state.unread[..<count]), from: state.recurrent)
    state.recurrent = reader.state(ofLane: 0)
    state.unread.removeFirst(count)
  }

  /// Reads tokens, at least one; the logits of what follows them.
  private func read(_ tokens: [Int32], from recurrent: ReaderState?) -> [Double] {
    if let recurrent { reader.restore(recurrent) } else { reader.reset() }
    var logits: [Double] = []
    for begin in stride(from: 0, to: tokens.count, by: reader.steps) {
      logits = reader.logits(after: Array(tokens[begin..<min(begin + reader.steps, tokens.count)]))
    }
    return logits
  }
}
