import LanguageModeling

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Generator {
  /// A text that is followed, or one that has ended.
  private struct Beam {
    var lane: WritingLane
    var written = WrittenText()
    /// Σ of what the processors leave of the log-probabilities, in nats.
    var score = 0.0

    func score(_ settings: BeamSettings) -> Double { score / pow(Double(written.tokens.count), settings.lengthPenalty) }
  }

  /// A beam that may go on with a token.
  private struct Candidate {
    let beam: Int
    let token: Int
    let score: Double
  }

  /// The likeliest texts that a beam search finds, the best first by log-probability / length^α, at most `width`.
  ///
  /// At each place the 2 · width best continuations of all beams are looked at, of equals those of the first beam and the
  /// lowest id first: the best `width` that go on are followed, and those among the best `width` that end (with a stop
  /// string, a sentence or the end of text) are kept. The search ends when `width` texts have ended and none that is followed
  /// scores better now, as in Hugging Face transformers without early stopping; nothing in it is random.
  func search(after prompt: [Int32], _ beams: BeamSettings) throws -> [WrittenText] {
    try settings.validate()
    guard settings.length > 0 else { return [WrittenText()] }
    let reader = model.makeReader(lanes: beams.width, steps: readingSteps(beams.width), threads: threads)
    let healing = healing(prompt)
    let chain = try chain(after: healing.prompt)
    var live = [Beam(lane: lane(0, chain, healing, afterPrompt: !prompt.isEmpty))]
    var ended: [Beam] = []
    var logits = read(healing.prompt, reader)
    while true {
      let parents = try follow(&live, &ended, logits, beams)
      guard !live.isEmpty, !isOver(live, ended, beams) else { break }
      reader.gather(lanes: parents + [Int](repeating: 0, count: beams.width - parents.count))
      let tokens = live.map { $0.written.tokens.last ?? start }
      logits = reader.logits(after: tokens + [Int32](repeating: start, count: beams.width - tokens.count))
    }
    return Self.best(beams.width, of: ended, beams).map(\.written)
  }

  /// Goes one token further; the beams that the followed ones come from.
  private func follow(
    _ live: inout [Beam], _ ended: inout [Beam], _ logits: [Double], _ beams: BeamSettings
  ) throws -> [Int] {
    guard logits.allSatisfy(\.isFinite) else { throw PredictionsNotFinite() }
    let vocabulary = tokenizer.vocabularySize
    var (next, parents) = ([Beam](), [Int]())
    for (rank, candidate) in try candidates(&live, logits, count: 2 * beams.width).enumerated()
    where next.count < beams.width {
      var beam = live[candidate.beam]
      beam.score = candidate.score
      let logits = logits[candidate.beam * vocabulary..<(candidate.beam + 1) * vocabulary]
      beam.written.append(beam.lane.take(beam.lane.choice(Int32(candidate.token), logits)))
      if beam.lane.finishReason == nil || beam.lane.finishReason == .length {
        next.append(beam)
        parents.append(candidate.beam)
      } else if rank < beams.width {
        ended.append(beam)
      }
    }
    ended = Self.best(beams.width, of: ended, beams)
    live = next.filter { $0.lane.finishReason == nil }
    if live.isEmpty { ended += next }
    return live.isEmpty ? [] : parents
  }

  /// The best continuations of all beams, the best first.
  private func candidates(_ live: inout [Beam], _ logits: [Double], count: Int) throws -> [Candidate] {
    let vocabulary = tokenizer.vocabularySize
    var candidates: [Candidate] = []
    for index in live.indices {
      let predicted = logits[index * vocabulary..<(index + 1) * vocabulary]
      let logSum = Distribution.logSum(predicted)
      var scores = predicted.map { $0 - logSum }
      live[index].lane.leaveOutImpossible(&scores)
      try live[index].lane.chain.process(&scores)
      for token in Distribution.top(count, of: scores) {
        candidates.append(Candidate(beam: index, token: token, score: live[index].score + scores[token]))
      }
    }
    return Distribution.rank(candidates.enumerated().map { ($0.offset, $0.element.score) }).prefix(count).map {
      candidates[$0]
    }
  }

  private func isOver(_ live: [Beam], _ ended: [Beam], _ beams: BeamSettings) -> Bool {
    guard ended.count >= beams.width, let worst = ended.last, let best = live.first else { return false }
    return worst.score(beams) >= best.score(beams)
  }

  private static func best(_ count: Int, of ended: [Beam], _ beams: BeamSettings) -> [Beam] {
    rank(ended, beams).prefix(count).map { ended[$0] }
  }

  private static func rank(_ ended: [Beam], _ beams: BeamSettings) -> [Int] {
    Distribution.rank(ended.enumerated().map { ($0.offset, $0.element.score(beams)) })
  }
}
