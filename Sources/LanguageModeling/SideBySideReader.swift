import Compute
import Recurrence
import Synchronization
import Tokenization

/// The reader of a recurrent model whose threads have lanes of their own: a reader for each of them.
///
/// They never wait for each other inside a window, and hand each other nothing from cache to cache; but each reads all of
/// the weights. With few lanes, or weights that no near cache holds, threads that share the units of all lanes
/// (``NetworkReader``) are faster.
final class SideBySideReader<Layer: RecurrentLayer>: LanguageModelReader, @unchecked Sendable
where Layer.K: ReadingKernels {
  // Sendable: each thread has its own part.
  typealias Single = NetworkReader<Layer>

  let lanes, steps: Int
  let workers: Workers
  /// One thread's reader, and its lanes.
  private let parts: [(reader: Single, lanes: Range<Int>)]
  private var paces: [Int: Pace] = [:]

  /// Whether it is the faster one: with a lane for every million parameters in each thread, the work on a weight outweighs
  /// its way to the processor. Measured with two layers of 128 to 1,024 units, in all precisions, on two threads.
  static func suits(_ configuration: ModelConfiguration, lanes: Int, threads: Int) -> Bool {
    threads > 1 && lanes / threads >= max(1, configuration.parameterCount / 1_000_000)
  }

  init(_ network: Network<Layer>, _ packed: PackedNetwork<Layer>, lanes: Int, steps: Int, threads: Int) {
    self.lanes = lanes
    self.steps = steps
    workers = Workers(threads: threads)
    parts = (0..<threads).map { index in
      let part = lanes * index / threads..<lanes * (index + 1) / threads
      return (NetworkReader(network, packed, lanes: part.count, steps: steps, threads: 1), part)
    }
  }

  var times: PhaseTimes? {
    get {
      parts.reduce(nil) { sum, part in
        guard let times = part.reader.times else { return sum }
        var all = sum ?? PhaseTimes()
        all += times
        return all
      }
    }
    set {
      for (index, part) in parts.enumerated() {
        part.reader.times = index == 0 ? newValue : newValue.map { _ in .init() }
      }
    }
  }

  func reset() {
    for part in parts { part.reader.reset() }
  }

  // MARK: Reading

  func losses(_ window: TokenWindow) -> [Double] {
    let losses = read(steps: window.steps) { $0.losses(window, lanes: $1) }
    return merged(losses, steps: window.steps)
  }

  func predictions(_ window: TokenWindow, _ detail: PredictionDetail) -> Predictions {
    let predictions = read(steps: window.steps) { $0.predictions(window, lanes: $1, detail) }
    func merge<Element>(_ values: KeyPath<Predictions, [Element]>) -> [Element] {
      merged(predictions.map { $0[keyPath: values] }, steps: window.steps)
    }
    return Predictions(
      surprisals: merge(\.surprisals), entropies: merge(\.entropies), ranks: merge(\.ranks),
      alternatives: merge(\.alternatives), alternativeSurprisals: merge(\.alternativeSurprisals),
      totals: merge(\.totals))
  }

  func logits(after symbols: [Int32]) -> [Double] {
    read(symbols) { reader, _, symbols in reader.logits(after: symbols) }.flatMap { $0 }
  }

  func forEachLane(after symbols: [Int32], _ use: @Sendable (Int, ArraySlice<Double>) -> Void) {
    // Each thread uses what it has computed.
    _ = read(symbols) { reader, lanes, symbols in
      reader.forEachLane(after: symbols) { use(lanes.lowerBound + $0, $1) }
    }
  }

  /// Hands each reader its lanes of `symbols [T, B]`.
  private func read<Answer: Sendable>(
    _ symbols: [Int32], _ ask: @Sendable (Single, Range<Int>, [Int32]) -> Answer
  ) -> [Answer] {
    requireSteps(symbols)
    return read(steps: symbols.count / lanes) { reader, part in
      let rows = stride(from: 0, to: symbols.count, by: lanes)
      return ask(reader, part, rows.flatMap { symbols[$0 + part.lowerBound..<$0 + part.upperBound] })
    }
  }

  var stepsKept: Int { parts.map(\.reader.stepsKept).min() ?? 0 }

  func outputs(steps: Int) -> Rows<Float> {
    let outputs = parts.map { $0.reader.outputs(steps: steps) }
    return Rows(steps * lanes, outputs[0].columns, merged(outputs.map(\.elements), steps: steps))
  }

  /// What each thread's reader answers, by one thread or by all: whatever is faster.
  private func read<Answer: Sendable>(
    steps: Int, _ ask: @Sendable (Single, Range<Int>) -> Answer
  ) -> [Answer] {
    var pace = paces[steps] ?? Pace(threads: workers.threads)
    let answers = Mutex([Answer?](repeating: nil, count: parts.count))
    let start = ContinuousClock.now
    @Sendable func answer(_ index: Int) {
      let answer = ask(parts[index].reader, parts[index].lanes)
      answers.withLock { $0[index] = answer }
    }
    if pace.choose() == 1 {
      for index in parts.indices { answer(index) }
    } else {
      workers.run(parts.count) { answer($0) }
    }
    pace.note(seconds: (ContinuousClock.now - start) / .seconds(1))
    paces[steps] = pace
    return answers.withLock { $0.compactMap { $0 } }
  }

  /// `[T, lanes of a part, …]` of each part as `[T, B, …]`.
  private func merged<Element>(_ values: [[Element]], steps: Int) -> [Element] {
    var all: [Element] = []
    all.reserveCapacity(values.reduce(0) { $0 + $1.count })
    for step in 0..<steps {
      for part in values { all += part[part.count * step / steps..<part.count * (step + 1) / steps] }
    }
    return all
  }

  // MARK: States

  func gather(lanes sources: [Int]) {
    requireGathered(sources)
    let states = parts.map(\.reader.carried)
    let all = parts[0].reader.network.zeroState(lanes: lanes)
    for (state, part) in zip(states, parts) {
      for (layer, old) in zip(all, state) { layer.replace(lanes: part.lanes, with: old) }
    }
    for part in parts { part.reader.gather(lanes: sources[part.lanes], of: all) }
  }

  func state(ofLane lane: Int) -> ReaderState {
    precondition((0..<lanes).contains(lane), "the state of lane \(lane) of \(lanes)")
    let index = parts.firstIndex { $0.lanes.contains(lane) } ?? 0
    return parts[index].reader.state(ofLane: lane - parts[index].lanes.lowerBound)
  }

  func restore(_ state: ReaderState) {
    for part in parts { part.reader.restore(state) }
  }
}
