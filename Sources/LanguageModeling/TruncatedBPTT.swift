import Compute
import Recurrence
import Tokenization

/// Truncated backpropagation through time (Williams & Peng 1990; Sutskever 2013, §2.8.6); see ``Truncation``.
///
/// A stream of text runs in B lanes. Window after window of k1 steps, the network is unrolled from the state that was
/// carried to it, the losses are differentiated back through the last k2 steps and no further, and a state is carried on:
/// its value, not its gradient.
///
/// Lanes are cut into groups of a size that depends on B alone. A thread takes whole groups; their gradients are summed
/// in the order of groups. So the bits are the same for any number of threads.
public final class TruncatedBPTT<Layer: RecurrentLayer> {
  public typealias K = Layer.K

  /// The network that is trained.
  public let network: Network<Layer>
  /// B: parallel streams.
  public let lanes: Int
  /// k1 and k2.
  public let truncation: Truncation
  /// The gradient of the mean of the last window's differentiated losses (nats per token); clipping may change it in
  /// place.
  public var gradients: ParameterSet<K.Real> {
    get { groups[0].gradients }
    _modify { yield &groups[0].gradients }
  }

  /// Whether the next window begins a stream. Where the initial state is trained, it starts from that, whatever
  /// ``states`` hold, and its gradient reaches that; so who sets ``states`` to go on sets this to false.
  public var beginsStream = true

  /// How the training is regularised.
  public let regularization: Regularization

  private let seed: UInt64
  private let dropped: DroppedWeights<Layer>?
  private let hasTable: Bool
  /// The threads that take the groups of lanes: free for other work between two steps.
  public let workers: Workers
  let groups: [LaneGroup<Layer>]
  private let packingKernels: K
  private var packed: PackedNetwork<Layer>?

  /// - Parameters:
  ///   - lanes: B, at least 1.
  ///   - truncation: k1, k2 and what is recomputed.
  ///   - seed: Of what the regularisers drop.
  public init(
    _ network: Network<Layer>, lanes: Int, _ truncation: Truncation, workers: Workers,
    regularization: Regularization = .init(), seed: UInt64 = 0
  ) {
    precondition(lanes >= 1, "truncated BPTT wants at least one lane, not \(lanes)")
    regularization.requireSound()
    self.network = network
    self.lanes = lanes
    self.truncation = truncation
    self.workers = workers
    packingKernels = K(packingOn: workers)
    self.regularization = regularization
    self.seed = seed
    dropped = DroppedWeights(network, regularization)
    let hasTable =
      regularization.allowsTable && truncation.unrolledSteps * lanes >= network.configuration.vocabularySize
    self.hasTable = hasTable
    groups = laneGroups(lanes).map {
      LaneGroup(network, truncation, lanes: $0, of: lanes, hasTable: hasTable, regularization)
    }
  }

  /// Chunks: k2 = k1.
  public convenience init(_ network: Network<Layer>, lanes: Int, k1: Int, workers: Workers) {
    self.init(network, lanes: lanes, Truncation(k1: k1), workers: workers)
  }

  /// One window: forward, loss and backward of all lanes, the last state carried. ``gradients`` is overwritten.
  ///
  /// - Parameters:
  ///   - window: `[T, B]` with T ≤ k1.
  ///   - parameters: The weights, as the last update left them.
  ///   - number: The update's place in the training: what is dropped is a function of it.
  /// - Returns: The sum of the losses in nats of all positions of the window, each counted once; those whose target
  ///   begins a document are left out, as they are in the gradient.
  public func step(_ window: TokenWindow, parameters: ParameterSet<K.Real>, number: Int = 0) -> Double {
    precondition(
      window.lanes == lanes && (1...truncation.k1).contains(window.steps),
      "a window [\(window.steps), \(window.lanes)] in a training of \(lanes) lanes and k1 \(truncation.k1)")
    dropped?.draw(from: parameters, seed: seed, step: number, workers: workers)
    let packed = network.pack(
      parameters, forTraining: true, rows: hasTable ? truncation.unrolledSteps * lanes : 0, dropped: dropped,
      reusing: packed, on: packingKernels)
    self.packed = packed
    let differentiated = window.predicted(last: truncation.k2, except: network.documentStart)
    let scale = K.Real(1 / Double(max(1, differentiated)))
    let (groups, beginsStream, unrolled) = (groups, beginsStream, groups[0].history + window.steps)
    let seed = seed
    workers.run(groups.count) { index in
      groups[index].dropout?.draw(seed: seed, step: number, lanes: groups[index].lanes)
      groups[index].step(window, scale: scale, beginsStream: beginsStream, packed)
    }
    // A window that is unrolled again from the stream's beginning starts from the initial state as it then is.
    self.beginsStream = beginsStream && groups[0].history == unrolled
    // In the order of groups, into the first one's.
    let sum = gradients.writableFlat()
    for group in groups.dropFirst() {
      let part = group.gradients.flat
      workers.forEachPiece(of: 0..<sum.count) { K.Real.add(part.piece($0), to: sum.piece($0)) }
    }
    dropped?.backward(&gradients, workers: workers)
    return groups.reduce(0) { $0 + $1.lossSum }
  }

  /// Where the threads' time went, all of them together, where the kernels take it.
  public var times: PhaseTimes? {
    guard var times = packingKernels.times else { return nil }
    for group in groups { times += group.times ?? PhaseTimes() }
    return times
  }

  /// What the last window was to the network as it then was: the surprisal of each target, −ln p in nats, `[T·B]`, 0 where
  /// it begins a document, and the top layer's hidden states, `[T·B, H]`.
  ///
  /// - Precondition: All lanes are one group, and windows are unrolled whole and once: k2 ≤ k1, nothing recomputed.
  public func read(lastSteps steps: Int) -> (losses: [Double], outputs: Rows<Float>) {
    precondition(
      groups.count == 1 && truncation.k2 <= truncation.k1 && truncation.segment == truncation.k1,
      "single losses are told of one group of lanes that is unrolled whole and once")
    return groups[0].read(steps)
  }

  /// Begins a new stream: the zero state in every lane, or the trained initial one.
  public func resetState() {
    beginsStream = true
    for group in groups { group.resetState() }
  }

  /// Unrolls the next window from the carried state, without steps before it.
  func forgetHistory() {
    for group in groups { group.forgetHistory() }
  }

  /// Begins each lane anew from the zero state with a probability: a function of seed, step and lane.
  ///
  /// - Precondition: k2 ≤ k1: what is unrolled again cannot be forgotten.
  public func dropState(probability: Double, seed: UInt64, step: Int) {
    precondition(truncation.k2 <= truncation.k1, "states are dropped only where no window is unrolled twice")
    for group in groups {
      for lane in group.lanes {
        var random = CounterRandom(seed: seed, purpose: .stateDrop, step: step, lane: lane)
        if random.uniform() < probability { group.clearState(ofLane: lane - group.lanes.lowerBound) }
      }
    }
  }

  /// The carried state of each group of lanes, group after group: layers of `[group's lanes, H]`.
  public var states: [[LayerState<K.Operand, K.Real>]] { groups.map(\.state) }

  /// The gradient at the state that the last window started from, likewise.
  public var stateGradients: [[LayerState<K.Real, K.Real>]] { groups.map(\.stateGradient) }
}

/// Lanes in groups of at most 32, an even number of them where there are lanes enough, sizes as equal as can be.
public func laneGroups(_ lanes: Int) -> [Range<Int>] {
  let count = lanes < 8 ? 1 : 2 * ((lanes + 63) / 64)
  return (0..<count).map { $0 * lanes / count..<($0 + 1) * lanes / count }
}
