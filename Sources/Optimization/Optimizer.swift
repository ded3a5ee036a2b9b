import Compute

/// Makes updates of parameters from gradients, with a memory of the gradients before.
///
/// An optimiser is a value: a copy goes on by itself. What it remembers is ``state`` and ``updates``, and nothing else: an
/// optimiser of the same constants with the same two goes on to the bit.
public protocol Optimizer<Real>: Sendable {
  associatedtype Real: KernelReal
  /// Updates made.
  var updates: Int { get set }
  /// What is remembered of the gradients, by PyTorch's names, in a fixed order. What is set has the same names and layout.
  var state: [NamedParameters<Real>] { get set }
  /// One update of `parameters`. The caller answers for the gradient being finite.
  mutating func update(
    _ parameters: inout ParameterSet<Real>, gradients: ParameterSet<Real>, learningRate: Double)
}

/// Numbers of the parameters' layout, and what they are called in a checkpoint.
public struct NamedParameters<Real: KernelReal>: Sendable {
  public let name: String
  public var values: ParameterSet<Real>

  /// Numbers under a name.
  public init(_ name: String, _ values: ParameterSet<Real>) {
    self.name = name
    self.values = values
  }
}

extension Array {
  /// The values, in the order of `names`, which are to be those of the list.
  func values<Real>(named names: String..., layout: ParameterLayout) -> [ParameterSet<Real>]
  where Element == NamedParameters<Real> {
    precondition(map(\.name) == names, "a state of \(map(\.name)) for an optimiser that remembers \(names)")
    precondition(allSatisfy { $0.values.layout == layout }, "a state of other tensors than the optimiser's")
    return map(\.values)
  }
}

/// What one call of a loop goes over: all tensors as one vector, or, where only some of them decay, one tensor.
struct Stretch {
  fileprivate let slot: ParameterLayout.Slot?
  /// Whether weight decay is for it.
  let decays: Bool

  /// The fewest stretches that cover a layout, such that each decays or does not: matrices do, biases do not.
  static func covering(_ layout: ParameterLayout, weightDecay: Double) -> [Stretch] {
    guard weightDecay > 0 else { return [Stretch(slot: nil, decays: false)] }
    return layout.slots.map { Stretch(slot: $0, decays: layout[$0].isMatrix) }
  }
}

extension ParameterSet {
  subscript(stretch: Stretch) -> Rows<Real> { stretch.slot.map { self[$0] } ?? flat }
  mutating func writable(_ stretch: Stretch) -> Rows<Real> { stretch.slot.map { writable($0) } ?? writableFlat() }
}
