import Compute
import Tokenization

/// One text that is being written: what it remembers besides the reader's state.
struct WritingLane: Sendable {
  let sample: Int
  var chain: ProcessorChain
  /// Tokens drawn so far, those of earlier stretches of the text too.
  private(set) var count: Int
  private let last: Int
  private(set) var finishReason: FinishReason?
  private let settings: GenerationSettings
  /// What never comes: `<unk>`, and what begins a document.
  private let impossible: [Int]
  private let end: Int32?
  private let tokenizer: any Tokenizer
  private var healing: PromptHealing
  private var decoder: StreamingDecoder
  private var stops: StopStrings
  private var sentence: SentenceEnd?
  /// −log₂ p of tokens whose text is not whole yet.
  private var waitingBits: Double?

  /// - Parameters:
  ///   - chain: Knows the prompt, as far as it was not taken back.
  ///   - healing: What was taken back of the prompt.
  ///   - drawn: Tokens drawn in earlier stretches of the text.
  ///   - bytes: The last bytes of the text so far, where an earlier stretch may have ended inside a character.
  init(
    sample: Int, _ settings: GenerationSettings, chain: ProcessorChain, tokenizer: any Tokenizer,
    documents: DocumentSymbols?, healing: PromptHealing, afterPrompt: Bool, drawn: Int = 0, after bytes: [UInt8] = []
  ) {
    count = drawn
    last = drawn + settings.length
    self.sample = sample
    self.chain = chain
    self.settings = settings
    impossible = [tokenizer.unknownID, documents?.start].compactMap { $0.map(Int.init) }
    end = settings.end ?? documents?.end
    self.tokenizer = tokenizer
    self.healing = healing
    decoder = StreamingDecoder(tokenizer, goesOn: afterPrompt)
    decoder.goOn(after: bytes)
    decoder.leaveOut(healing.rest.count)
    stops = StopStrings(settings.stops.map { tokenizer.normalization.normalize($0) })
    sentence = settings.endsWithSentence ? SentenceEnd() : nil
  }

  /// What is still to be spelt of a prompt's end.
  var rest: [UInt8] { healing.left }

  /// A token that is chosen to be the next, and what the model says of it.
  struct Choice: Sendable {
    let token: Int32
    var logProbability: Double?
    var alternatives: [Alternative] = []
  }

  /// Draws the next token.
  ///
  /// - Parameters:
  ///   - logits: What the model predicts, `[V]`.
  ///   - seed: The draw is a function of the seed, the text's number and the place alone.
  /// - Throws: ``InvalidSampling`` where no symbol is left.
  mutating func draw(_ logits: ArraySlice<Double>, seed: UInt64) throws -> Choice {
    var random = CounterRandom(seed: seed, purpose: .sampling, step: count, lane: sample)
    guard !impossible.isEmpty || !healing.isDone else {
      return choice(Int32(try chain.draw(logits, using: &random)), logits)
    }
    var possible = Array(logits)
    leaveOutImpossible(&possible)
    return choice(Int32(try chain.draw(possible[...], using: &random)), logits)
  }

  /// Leaves only what may come next: no ``impossible`` one, and what spells the rest of a prompt first.
  ///
  /// - Parameter logits: Or their logarithms as probabilities, `[V]`.
  func leaveOutImpossible(_ logits: inout [Double]) {
    for token in impossible { logits[token] = -.infinity }
    healing.constrain(&logits)
  }

  /// What the model says of a token, where somebody asked.
  ///
  /// - Parameter logits: What the model predicts, `[V]`.
  func choice(_ token: Int32, _ logits: ArraySlice<Double>) -> Choice {
    var choice = Choice(token: token)
    guard settings.keepsProbabilities || settings.alternatives > 0 else { return choice }
    let logSum = Distribution.logSum(logits)
    func probability(_ symbol: Int) -> Double { logits[logits.startIndex + symbol] - logSum }
    choice.logProbability = probability(Int(token))
    choice.alternatives = Distribution.top(settings.alternatives, of: logits).map {
      Alternative(token: Int32($0), logProbability: probability($0))
    }
    return choice
  }

  /// Writes a token.
  mutating func take(_ choice: Choice) -> WrittenToken {
    chain.accept(choice.token)
    if !healing.isDone { healing.take(tokenizer.bytes(of: choice.token).count) }
    count += 1
    let pieces = write(choice.token, choice.logProbability)
    return WrittenToken(
      sample: sample, token: choice.token, logProbability: choice.logProbability, alternatives: choice.alternatives,
      pieces: pieces, finishReason: finishReason)
  }

  /// The text that can be written with a token; settles whether it is the last.
  private mutating func write(_ token: Int32, _ logProbability: Double?) -> [TextPiece] {
    guard token != end else { return finish(.eos) }
    if let logProbability { waitingBits = (waitingBits ?? 0) + Distribution.bits(-logProbability) }
    let text = decoder.take(token)
    guard !text.isEmpty else { return count == last ? finish(.length) : [] }
    let end = sentence?.end(in: text)
    let (pieces, hasStopped) = stops.take(TextPiece(text: end ?? text, bits: waitingBits))
    waitingBits = nil
    if hasStopped {
      finishReason = .stop
      return pieces
    }
    if end != nil { return pieces + finish(.sentence) }
    return count == last ? pieces + finish(.length) : pieces
  }

  private mutating func finish(_ reason: FinishReason) -> [TextPiece] {
    finishReason = reason
    return stops.finish()
  }
}
