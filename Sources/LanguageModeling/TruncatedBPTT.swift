import Compute
import Recurrence
import Tokenization

/// Truncated backpropagation through time (Williams & Peng 1990; Sutskever 2013, §2.8.6), k2 = k1.
///
/// A stream of text runs in B lanes. Window after window, the network is unrolled over the window's k1 steps from the
/// state that the last window left, the losses of all steps are differentiated back through the window and no further,
/// and the last state is carried: its value, not its gradient.
///
/// Lanes are cut into groups of a size that depends on B alone. A thread takes whole groups; their gradients are summed
/// in the order of groups. So the bits are the same for any number of threads.
public final class TruncatedBPTT<Layer: RecurrentLayer> {
  public typealias K = Layer.K

  /// The network that is trained.
  public let network: Network<Layer>
  /// B: parallel streams.
  public let lanes: Int
  /// Steps between two updates, which are also the steps that a gradient flows back.
  public let k1: Int
  /// The gradient of the last window's mean loss (nats per token); clipping may change it in place.
  public var gradients: ParameterSet<K.Real> {
    get { groups[0].gradients }
    _modify { yield &groups[0].gradients }
  }

  /// Whether the next window begins a stream. Where the initial state is trained, it starts from that, whatever
  /// ``states`` hold, and its gradient reaches that; so who sets ``states`` to go on sets this to false.
  public var beginsStream = true

  private let workers: Workers
  private let groups: [LaneGroup<Layer>]
  private let packingKernels = K()
  private var packed: PackedNetwork<Layer>?

  /// - Parameters:
  ///   - lanes: B, at least 1.
  ///   - k1: At least 1.
  public init(_ network: Network<Layer>, lanes: Int, k1: Int, workers: Workers) {
    precondition(lanes >= 1 && k1 >= 1, "truncated BPTT wants lanes and k1 of at least 1, not \(lanes) and \(k1)")
    self.network = network
    self.lanes = lanes
    self.k1 = k1
    self.workers = workers
    let groups = laneGroups(lanes)
    let hasTable = Self.readsTable(network, lanes: lanes, k1: k1)
    self.groups = groups.map { LaneGroup(network, steps: k1, lanes: $0, hasTable: hasTable) }
  }

  private static func readsTable(_ network: Network<Layer>, lanes: Int, k1: Int) -> Bool {
    k1 * lanes >= network.configuration.vocabularySize
  }

  /// One window: forward, loss and backward of all lanes, the last state carried. ``gradients`` is overwritten.
  ///
  /// - Parameters:
  ///   - window: `[T, B]` with T ≤ k1.
  ///   - parameters: The weights, as the last update left them.
  /// - Returns: The sum of all positions' losses in nats; their mean is what is differentiated.
  public func step(_ window: TokenWindow, parameters: ParameterSet<K.Real>) -> Double {
    precondition(
      window.lanes == lanes && (1...k1).contains(window.steps),
      "a window [\(window.steps), \(window.lanes)] in a training of \(lanes) lanes and k1 \(k1)")
    let packed = network.pack(
      parameters, forTraining: true, rows: k1 * lanes, reusing: packed, on: packingKernels)
    self.packed = packed
    let scale = K.Real(1 / Double(window.steps * lanes))
    let (groups, beginsStream) = (groups, beginsStream)
    workers.run(groups.count) { index in
      groups[index].step(window, scale: scale, beginsStream: beginsStream, packed)
    }
    self.beginsStream = false
    // In the order of groups, into the first one's.
    for group in groups.dropFirst() { K.Real.add(group.gradients.flat, to: gradients.writableFlat()) }
    return groups.reduce(0) { $0 + $1.lossSum }
  }

  /// Where the threads' time went, all of them together, where the kernels take it.
  public var times: PhaseTimes? {
    guard var times = packingKernels.times else { return nil }
    for group in groups { times += group.times ?? PhaseTimes() }
    return times
  }

  /// Begins a new stream: the zero state in every lane, or the trained initial one.
  public func resetState() {
    beginsStream = true
    for group in groups { group.resetState() }
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
