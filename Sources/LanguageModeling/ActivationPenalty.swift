import Compute
import Recurrence

/// Activation and temporal activation regularisation (Merity et al. 2017) in one group of lanes: their gradients at the
/// top layer's outputs. See ``Regularization``.
///
/// The pairs of neighbouring steps are gone through from the last to the first, across blocks and segments: what a pair
/// leaves at a step of the block before waits for it. So the bits do not depend on how a window is cut.
final class ActivationPenalty<K: Kernels>: @unchecked Sendable {  // a thread takes a group whole
  private let activation, temporal: Double
  private let lanes: Int
  /// Lanes of all groups times H: elements of a step.
  private let width: Int
  /// Gradient at the outputs of the step before those that were gone through, `[B, H]`.
  private let waiting: Rows<K.Real>
  private var scored = 0..<0

  /// Nil where neither is on.
  init?(_ regularization: Regularization, lanes: Int, allLanes: Int, hiddenSize: Int) {
    guard regularization.activation > 0 || regularization.temporalActivation > 0 else { return nil }
    activation = regularization.activation
    temporal = regularization.temporalActivation
    self.lanes = lanes
    width = allLanes * hiddenSize
    waiting = Rows(lanes, hiddenSize)
  }

  /// Begins the way back through a window whose losses are differentiated at the steps `scored`.
  func begin(scored: Range<Int>) {
    self.scored = scored
    waiting.clear()
  }

  /// Adds the gradient of AR at some of the scored steps' outputs after dropout, `[n·B, H]`.
  func addActivation(_ dropped: Rows<K.Operand>, to dOutputs: Rows<K.Real>, on kernels: K) {
    guard activation > 0 else { return }
    kernels.addScaled(dropped, by: K.Real(2 * activation / Double(scored.count * width)), to: dOutputs)
  }

  /// Adds the gradient of TAR at the outputs of a block, `[n·B, H]`.
  ///
  /// - Parameters:
  ///   - steps: Those of the block that are scored, its newest.
  ///   - hidden: The hidden state before each of `steps` and after the last, `[(n+1)·B, H]`.
  ///   - dOutputs: Of `steps`, `[n·B, H]`.
  func addTemporal(_ steps: Range<Int>, _ hidden: Rows<K.Operand>, to dOutputs: Rows<K.Real>, on kernels: K) {
    guard temporal > 0, scored.count > 1, !steps.isEmpty else { return }
    let factor = K.Real(2 * temporal / Double((scored.count - 1) * width))
    func rows(_ place: Int) -> Range<Int> { place * lanes..<(place + 1) * lanes }
    K.Real.add(waiting, to: dOutputs[rows(steps.count - 1)])
    waiting.clear()
    for step in steps.reversed() where step > scored.lowerBound {
      let place = step - steps.lowerBound
      kernels.addDifference(
        hidden[rows(place + 1)], hidden[rows(place)], by: factor, to: dOutputs[rows(place)],
        from: place > 0 ? dOutputs[rows(place - 1)] : waiting)
    }
  }
}
