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
  /// One update of `parameters`. The caller answers for the gradient being finite. The number of threads does not change
  /// a bit.
  mutating func update(
    _ parameters: inout ParameterSet<Real>, gradients: ParameterSet<Real>, learningRate: Double, on workers: Workers)
}

extension Optimizer {
  /// One update on one thread.
  public mutating func update(
    _ parameters: inout ParameterSet<Real>, gradients: ParameterSet<Real>, learningRate: Double
  ) {
    update(&parameters, gradients: gradients, learningRate: learningRate, on: Workers(threads: 1))
  }
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

/// What one call of a loop goes over: some elements of all tensors' vector, which all decay or do not.
struct Stretch: Sendable {
  let elements: Range<Int>
  /// Whether weight decay is for them.
  let decays: Bool

  /// Calls `work` for stretches that cover all parameters: matrices decay, biases do not.
  static func forEach<Real>(
    of parameters: ParameterSet<Real>, weightDecay: Double, on workers: Workers, _ work: @Sendable (Stretch) -> Void
  ) {
    let layout = parameters.layout
    let parts =
      weightDecay > 0
      ? layout.slots.map { Stretch(elements: layout.elements(of: $0), decays: layout[$0].isMatrix) }
      : [Stretch(elements: 0..<parameters.flat.count, decays: false)]
    let stretches = parts.flatMap { part in
      Workers.pieces(of: part.elements).map { Stretch(elements: $0, decays: part.decays) }
    }
    workers.run(stretches.count) { work(stretches[$0]) }
  }
}

extension Rows {
  subscript(stretch: Stretch) -> Rows { piece(stretch.elements) }
}
