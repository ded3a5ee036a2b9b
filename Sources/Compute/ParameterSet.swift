/// The names and shapes of a model's tensors: what clipping, optimisers, checkpoints and gradient checks walk.
public struct ParameterLayout: Sendable, Equatable {
  /// One tensor's place.
  public struct Entry: Sendable, Equatable {
    /// The name in `model.safetensors`.
    public let name: String
    /// One or two sizes.
    public let shape: [Int]
    let offset: Int

    /// Elements of the tensor.
    public var count: Int { shape.reduce(1, *) }
    /// Whether the tensor has two sizes; weight decay is for those.
    public var isMatrix: Bool { shape.count > 1 }
  }

  /// A tensor's place in a layout, as the layer that added it remembers it.
  public struct Slot: Sendable, Equatable {
    let index: Int
  }

  /// The tensors in the order in which they were added.
  public private(set) var entries: [Entry] = []
  /// Elements in memory: every tensor begins at a multiple of 16, the gaps stay zero.
  private(set) var storageCount = 0

  /// A layout without tensors.
  public init() {}

  /// The number of parameters.
  public var count: Int { entries.reduce(0) { $0 + $1.count } }

  /// Adds a tensor. Sizes come from a validated configuration.
  public mutating func add(_ name: String, _ shape: Int...) -> Slot {
    precondition(!entries.contains { $0.name == name }, "two tensors are named \(name)")
    precondition((1...2).contains(shape.count), "tensor \(name) has \(shape.count) sizes; layouts hold one or two")
    let entry = Entry(name: name, shape: shape, offset: storageCount)
    entries.append(entry)
    storageCount += (entry.count + 15) / 16 * 16
    return Slot(index: entries.count - 1)
  }

  /// The places of all tensors, in the order of ``entries``.
  public var slots: [Slot] { entries.indices.map(Slot.init) }

  /// Where a tensor's elements are in ``ParameterSet/flat``.
  public func elements(of slot: Slot) -> Range<Int> { self[slot].offset..<self[slot].offset + self[slot].count }

  /// The tensor at a place.
  public subscript(slot: Slot) -> Entry { entries[slot.index] }
}

/// All tensors of a model in one block of memory; a value. Weights, gradients and moments are all of this type.
public struct ParameterSet<Real: KernelReal>: Sendable {
  /// The names and shapes.
  public let layout: ParameterLayout
  /// Counts the values that share a storage; views hold the storage itself, so that they do not count.
  private final class Owner: Sendable {
    let storage: Storage<Real>
    init(_ storage: Storage<Real>) { self.storage = storage }
  }
  private var owner: Owner
  private var storage: Storage<Real> { owner.storage }

  /// Zeros.
  public init(_ layout: ParameterLayout) {
    self.layout = layout
    self.owner = Owner(Storage(count: layout.storageCount))
  }

  /// The tensor as `[rows, columns]`, a vector as `[1, n]`: to read. (To write, take ``writable(_:)``.)
  public subscript(slot: ParameterLayout.Slot) -> Rows<Real> { view(of: layout[slot]) }

  /// The tensor to write into. The view writes through to this value: do not keep it beyond the value's next copy.
  public mutating func writable(_ slot: ParameterLayout.Slot) -> Rows<Real> {
    makeUnique()
    return view(of: layout[slot])
  }

  /// All elements as one vector, gaps of zeros included: to read.
  public var flat: Rows<Real> { Rows(storage: storage, offset: 0, rows: 1, columns: storage.count) }

  /// All elements as one vector to write into; gaps must stay zero.
  public mutating func writableFlat() -> Rows<Real> {
    makeUnique()
    return flat
  }

  private func view(of entry: ParameterLayout.Entry) -> Rows<Real> {
    let columns = entry.shape[entry.shape.count - 1]
    return Rows(
      storage: storage, offset: entry.offset, rows: entry.isMatrix ? entry.shape[0] : 1, columns: columns)
  }

  private mutating func makeUnique() {
    guard !isKnownUniquelyReferenced(&owner) else { return }
    let copy = Storage<Real>(count: storage.count)
    copy.base.update(from: storage.base, count: storage.count)
    owner = Owner(copy)
  }
}
