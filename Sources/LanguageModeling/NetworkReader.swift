import Compute
import Recurrence
import Synchronization
import Tokenization

/// The reader of a recurrent model.
///
/// Threads share every window: each computes its part of the units of a layer, step after step, so that together they
/// read the weights once a step for all lanes. What a thread does in a window of some length is recorded once and played
/// for every such window. The state is what the window's records start from.
final class NetworkReader<Layer: RecurrentLayer>: LanguageModelReader, @unchecked Sendable  // its threads take turns
where Layer.K: ReadingKernels {
  typealias K = Layer.K

  let lanes, steps: Int
  let workers: Workers
  var times: PhaseTimes?
  /// The longest stretch of a window that is unrolled at once.
  private let segment: Int
  let network: Network<Layer>
  private let packed: PackedNetwork<Layer>
  private let unrolled: UnrolledNetwork<Layer>
  private let logits: Rows<K.Real>
  /// The state that texts begin from.
  private let beginning: [LayerState<K.Operand, K.Real>]
  /// What was last asked of predictions, and their memory.
  private var detail: (wanted: PredictionDetail, rows: PredictionRows)?
  private let decoderScratch: [SoftmaxDecoder<K>.Scratch]
  /// What is done in windows of some length, up to their losses or up to the logits of the last step.
  private var pieces: [Purpose: Piece] = [:]

  /// Few steps of many texts leave their activations in a near cache; but the next layer's weights must not push out the
  /// last one's.
  private static func segmentRows(_ configuration: ModelConfiguration, lanes: Int) -> Int {
    let isSmall = configuration.parameterCount * MemoryLayout<K.Operand>.stride <= 12 << 20
    return lanes > 1 && isSmall ? 64 : 512
  }

  private enum Purpose: Hashable {
    case losses(steps: Int)
    case logits(steps: Int)
    case predictions(steps: Int)
  }

  /// The tapes of one thread that does it alone, and of all that do it together.
  private final class Piece {
    let alone: Tape
    let together: [Tape]
    var pace: Pace

    init(alone: Tape, together: [Tape]) {
      self.alone = alone
      self.together = together
      pace = Pace(threads: together.count)
    }
  }

  init(_ network: Network<Layer>, _ packed: PackedNetwork<Layer>, lanes: Int, steps: Int, threads: Int) {
    self.lanes = lanes
    self.steps = steps
    self.network = network
    self.packed = packed
    let segment = min(steps, max(1, Self.segmentRows(network.configuration, lanes: lanes) / lanes))
    self.segment = segment
    unrolled = UnrolledNetwork(
      network, steps: steps, segment: segment, lanes: lanes, hasTable: network.configuration.readsFromTable,
      forTraining: false)
    beginning = network.zeroState(lanes: lanes)
    packed.begin(beginning)
    logits = Rows(lanes, network.configuration.vocabularySize)
    workers = Workers(threads: threads)
    decoderScratch = (0..<threads).map { _ in .init(network.decoder, rows: segment * lanes, forTraining: false) }
    reset()
  }

  func reset() {
    unrolled.begin(from: beginning)
  }

  func losses(_ window: TokenWindow) -> [Double] { losses(window, lanes: 0..<lanes) }

  /// Of some lanes of a window, as many as this reader has.
  func losses(_ window: TokenWindow, lanes: Range<Int>) -> [Double] {
    unrolled.take(window, lanes: lanes)
    play(.losses(steps: window.steps))
    return unrolled.losses[0..<window.steps * lanes.count].elements
  }

  func predictions(_ window: TokenWindow, _ detail: PredictionDetail) -> Predictions {
    predictions(window, lanes: 0..<lanes, detail)
  }

  /// Of some lanes of a window, as many as this reader has.
  func predictions(_ window: TokenWindow, lanes: Range<Int>, _ detail: PredictionDetail) -> Predictions {
    let rows = prepare(detail)
    unrolled.take(window, lanes: lanes)
    play(.predictions(steps: window.steps))
    return Predictions(rows[0..<window.steps * lanes.count])
  }

  private func prepare(_ wanted: PredictionDetail) -> PredictionRows {
    if let detail, detail.wanted == wanted { return detail.rows }
    // Other memory: what was recorded with the old no longer holds.
    pieces = pieces.filter { if case .predictions = $0.key { false } else { true } }
    let alternatives = min(wanted.alternatives, network.configuration.vocabularySize)
    let rows = PredictionRows(steps * lanes, alternatives: alternatives, verifying: wanted.isVerifying)
    detail = (wanted, rows)
    return rows
  }

  func logits(after symbols: [Int32]) -> [Double] {
    requireSteps(symbols)
    unrolled.take(symbols)
    play(.logits(steps: symbols.count / lanes))
    return K.Real.doubles(logits)
  }

  func forEachLane(after symbols: [Int32], _ use: @Sendable (Int, ArraySlice<Double>) -> Void) {
    let (logits, vocabulary) = (logits(after: symbols), network.configuration.vocabularySize)
    @Sendable func useOne(_ lane: Int) { use(lane, logits[lane * vocabulary..<(lane + 1) * vocabulary]) }
    if logits.count >= Self.logitsOfOneThread { return workers.run(lanes, useOne) }
    for lane in 0..<lanes { useOne(lane) }
  }

  /// Fewer are used by one thread: to meet would take longer.
  private static var logitsOfOneThread: Int { 1 << 11 }

  func gather(lanes sources: [Int]) {
    requireGathered(sources)
    gather(lanes: sources[...], of: carried)
  }

  /// What the next window starts from.
  var carried: [LayerState<K.Operand, K.Real>] {
    let state = network.zeroState(lanes: lanes)
    unrolled.copyState(after: 0, into: state)
    return state
  }

  /// Makes lanes of some state what the next window starts from.
  func gather(lanes sources: ArraySlice<Int>, of state: [LayerState<K.Operand, K.Real>]) {
    let gathered = network.zeroState(lanes: lanes)
    for (new, old) in zip(gathered, state) { new.gather(lanes: sources, of: old) }
    unrolled.begin(from: gathered)
  }

  func state(ofLane lane: Int) -> ReaderState {
    precondition((0..<lanes).contains(lane), "the state of lane \(lane) of \(lanes)")
    return ReaderState(
      layers: unrolled.records.map { record in
        let row = lane..<lane + 1
        return .init(
          hidden: K.Real.doubles(widened(record.hidden[row], on: K())),
          cell: record.cell.map { K.Real.doubles($0[row]) })
      })
  }

  func restore(_ state: ReaderState) {
    let oneLane = network.zeroState(lanes: 1)
    precondition(state.fits(network.configuration), "the state of another model is restored")
    let kernels = K()
    for (layer, values) in zip(oneLane, state.layers) {
      let hidden = Rows<K.Real>(1, layer.hidden.columns)
      K.Real.copy(values.hidden, to: hidden)
      kernels.narrow(hidden, into: layer.hidden)
      if let cell = layer.cell { K.Real.copy(values.cell ?? [], to: cell) }
    }
    kernels.tape.play()
    let all = network.zeroState(lanes: lanes)
    for (layer, lane) in zip(all, oneLane) { layer.fill(with: lane) }
    unrolled.begin(from: all)
  }

  var stepsKept: Int { segment }

  func outputs(steps: Int) -> Rows<Float> {
    precondition((1...segment).contains(steps), "the outputs of \(steps) steps, where \(segment) are kept")
    return widened(unrolled.outputs(steps), on: K()).floats
  }

  // MARK: Tapes

  private func play(_ purpose: Purpose) {
    let piece = pieces[purpose] ?? make(purpose)
    let (threads, start) = (piece.pace.choose(), ContinuousClock.now)
    if times != nil {
      playTakingTimes(piece, threads: threads)
    } else if threads == 1 {
      piece.alone.play()
    } else {
      let tapes = piece.together
      workers.together { tapes[$0.index].play() }
    }
    piece.pace.note(seconds: (ContinuousClock.now - start) / .seconds(1))
  }

  private func playTakingTimes(_ piece: Piece, threads: Int) {
    let spent = Mutex(times ?? PhaseTimes())
    @Sendable func play(_ tape: Tape) {
      var times = PhaseTimes()
      tape.play(times: &times)
      spent.withLock { $0 += times }
    }
    let tapes = piece.together
    if threads == 1 { play(piece.alone) } else { workers.together { play(tapes[$0.index]) } }
    times = spent.withLock { $0 }
  }

  private func make(_ purpose: Purpose) -> Piece {
    let alone = record(purpose, .whole)
    let piece = Piece(
      alone: alone, together: workers.threads == 1 ? [alone] : workers.shares.map { record(purpose, $0) })
    pieces[purpose] = piece
    return piece
  }

  private func record(_ purpose: Purpose, _ share: Share) -> Tape {
    unrolled.kernels.tape = Tape()
    switch purpose {
    case .losses(let steps): recordLosses(steps: steps, share)
    case .logits(let steps): recordLogits(steps: steps, share)
    case .predictions(let steps): if let detail { recordPredictions(steps: steps, share, into: detail.rows) }
    }
    return unrolled.kernels.tape
  }

  private func recordLosses(steps: Int, _ share: Share) {
    forEachSegment(of: steps, share) { segment in
      let (part, start) = (share.rows(of: segment.count * lanes), segment.lowerBound * lanes)
      let rows = start + part.lowerBound..<start + part.upperBound
      network.decoder.losses(
        unrolled.outputs(segment.count)[part], targets: unrolled.targets[rows], packed.decoder,
        scratch: decoderScratch[share.index], into: unrolled.losses[rows], on: unrolled.kernels)
    }
  }

  private func recordPredictions(steps: Int, _ share: Share, into details: PredictionRows) {
    forEachSegment(of: steps, share) { segment in
      let (part, start) = (share.rows(of: segment.count * lanes), segment.lowerBound * lanes)
      let rows = start + part.lowerBound..<start + part.upperBound
      network.decoder.describe(
        unrolled.outputs(segment.count)[part], targets: unrolled.targets[rows], packed.decoder,
        scratch: decoderScratch[share.index], into: details[rows], on: unrolled.kernels)
    }
  }

  private func recordLogits(steps: Int, _ share: Share) {
    forEachSegment(of: steps, share) { segment in
      guard segment.upperBound == steps else { return }
      let last = (segment.count - 1) * lanes..<segment.count * lanes
      network.decoder.logits(
        unrolled.outputs(segment.count)[last], packed.decoder, into: logits,
        symbols: share.part(of: logits.columns), on: unrolled.kernels)
    }
  }

  /// Steps through a window in segments whose activations stay in the cache, and has each one's outputs used before they
  /// are overwritten.
  private func forEachSegment(of steps: Int, _ share: Share, _ use: (Range<Int>) -> Void) {
    if network.documentStart != nil {
      if share.index == 0 { unrolled.restart(before: 0..<min(segment, steps), packed) }
      unrolled.kernels.meet(share)
    }
    for start in stride(from: 0, to: steps, by: segment) {
      let part = start..<min(start + segment, steps)
      unrolled.forward(part, packed, share: share)
      use(part)
      unrolled.carry(after: part.count, share: share)
      guard part.upperBound < steps else { continue }
      unrolled.kernels.meet(share)
      guard network.documentStart != nil else { continue }
      let next = part.upperBound..<min(part.upperBound + segment, steps)
      if share.index == 0 { unrolled.restart(before: next, packed) }
      unrolled.kernels.meet(share)
    }
  }
}

extension LanguageModelReader {
  func requireSteps(_ symbols: [Int32]) {
    precondition(!symbols.isEmpty && symbols.count % lanes == 0, "\(symbols.count) symbols for \(lanes) lanes")
  }

  func requireGathered(_ sources: [Int]) {
    precondition(
      sources.count == lanes && sources.allSatisfy((0..<lanes).contains),
      "\(sources.count) lanes gathered, of 0 to \(sources.max() ?? 0), in a reader of \(lanes)")
  }
}

extension Network where Layer.K: ReadingKernels {
  /// Packs the weights for readers.
  func packForReading(_ parameters: ParameterSet<K.Real>) -> PackedNetwork<Layer> {
    let kernels = K()
    let packed = pack(
      parameters, forTraining: false, rows: configuration.readsFromTable ? configuration.vocabularySize : 0,
      reusing: nil, on: kernels
    )
    kernels.tape.play()
    return packed
  }
}
