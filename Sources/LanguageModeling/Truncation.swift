/// How far losses and gradients reach: TBPTT(k1, k2) (Williams & Peng 1990).
///
/// After every k1 steps the losses of these steps are differentiated through the last k2 steps, the state before them
/// held constant.
///
/// - k2 = k1: chunks. k1 = k2 = the whole stream: full BPTT.
/// - k2 > k1: the last k2 steps are unrolled again at each update, from the state at their beginning, with the weights of
///   the moment. The loss and the next window's state come from there, so the gradient is that of a real function.
/// - k2 < k1: only the last k2 steps of a chunk enter the gradient; the losses before them are counted, not differentiated.
public struct Truncation: Sendable, Equatable {
  /// Steps between two updates.
  public let k1: Int
  /// Steps that a gradient flows back.
  public let k2: Int
  /// Steps whose activations are kept at once. Where there are more, each segment's first state is kept and the rest
  /// computed again on the way back: T steps then take O(segment + T / segment) memory and a third more time.
  public let segment: Int

  /// - Parameters:
  ///   - k2: By default k1.
  ///   - recompute: The segment's length; by default everything is kept.
  public init(k1: Int, k2: Int? = nil, recompute: Int? = nil) {
    let k2 = k2 ?? k1
    precondition(k1 >= 1 && k2 >= 1 && recompute ?? 1 >= 1, "TBPTT wants k1, k2 and segments of at least 1")
    self.k1 = k1
    self.k2 = k2
    segment = min(recompute ?? max(k1, k2), max(k1, k2))
  }

  /// The longest stretch that is unrolled.
  var unrolledSteps: Int { max(k1, k2) }

  /// Of the `steps` just unrolled, those that are unrolled again with the next window.
  func kept(of steps: Int) -> Int { max(0, min(steps, k2 - k1)) }
}
