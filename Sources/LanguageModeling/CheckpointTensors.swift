import Compute
import ModelFiles
import Recurrence

/// Why the tensors of a checkpoint are not those of the run that reads them.
public struct CheckpointDamage: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

// Bits go to disk and back as they are: what is resumed is what was.

extension Rows {
  /// The matrix as a file has it.
  func stored(shape: [Int]) -> StoredTensor { StoredTensor(type: Self.storedType, shape: shape, bytes: bytes) }

  private static var storedType: TensorType {
    switch MemoryLayout<Element>.stride {
    case 2: .bf16
    case 8: .f64
    default: Element.self == Int32.self ? .i32 : .f32
    }
  }

  /// Overwrites with a tensor of a file.
  ///
  /// - Throws: ``CheckpointDamage`` where it is missing, or has another shape or type.
  func copy(_ name: String, of tensors: Safetensors, shape: [Int]) throws {
    guard let tensor = tensors[name] else { throw CheckpointDamage("it has no tensor \(name)") }
    guard tensor.shape == shape, tensor.type == Self.storedType else {
      throw CheckpointDamage(
        "its tensor \(name) is \(tensor.type.rawValue) \(tensor.shape), not \(Self.storedType.rawValue) \(shape)")
    }
    copy(bytes: tensor.bytes)
  }
}

extension ParameterSet {
  /// All tensors, their names behind a prefix.
  public func stored(_ prefix: String) -> [Safetensors.Entry] {
    layout.slots.map { .init(prefix + layout[$0].name, self[$0].stored(shape: layout[$0].shape)) }
  }

  /// Overwrites with what ``stored(_:)`` gave.
  ///
  /// - Throws: ``CheckpointDamage`` where a tensor is missing, of another shape or type, or not finite.
  public mutating func take(_ prefix: String, of tensors: Safetensors) throws {
    for slot in layout.slots {
      try writable(slot).copy(prefix + layout[slot].name, of: tensors, shape: layout[slot].shape)
    }
    guard Real.sumOfSquares(flat).isFinite else {
      throw CheckpointDamage("its \(prefix)… holds numbers that are not finite")
    }
  }
}

extension TruncatedBPTT {
  /// A carried state as tensors, their names behind a prefix.
  public func stored(_ state: CarriedState<K>, _ prefix: String) -> [Safetensors.Entry] {
    state.groups.enumerated().flatMap { index, group in
      let name = "\(prefix)\(index)."
      let layers = group.layers.enumerated().flatMap { layer, state in
        [
          Safetensors.Entry(
            "\(name)hidden.\(layer)", state.hidden.stored(shape: [state.hidden.rows, state.hidden.columns]))
        ]
          + (state.cell.map { [.init("\(name)cell.\(layer)", $0.stored(shape: [$0.rows, $0.columns]))] } ?? [])
      }
      return layers + [
        .init("\(name)symbols", group.symbols.stored(shape: [group.symbols.rows])),
        .init("\(name)targets", group.targets.stored(shape: [group.targets.rows])),
      ]
    }
  }

  /// The carried state that ``stored(_:_:)`` made tensors of.
  ///
  /// - Parameter beginsStream: Whether the state is the beginning of a stream.
  /// - Throws: ``CheckpointDamage`` where a tensor is missing, or has a shape or numbers that cannot be.
  public func carriedState(
    _ prefix: String, of tensors: Safetensors, beginsStream: Bool
  ) throws -> CarriedState<K> {
    let fresh = carriedState()
    let groups = try fresh.groups.enumerated().map { index, group in
      let name = "\(prefix)\(index)."
      for (layer, state) in group.layers.enumerated() {
        let shape = [state.hidden.rows, state.hidden.columns]
        try state.hidden.copy("\(name)hidden.\(layer)", of: tensors, shape: shape)
        try state.cell?.copy("\(name)cell.\(layer)", of: tensors, shape: shape)
      }
      let (lanes, steps) = (group.layers[0].hidden.rows, tensors["\(name)symbols"]?.count ?? 0)
      guard steps % lanes == 0, steps / lanes <= max(0, truncation.k2 - truncation.k1) else {
        throw CheckpointDamage("its \(name)symbols are \(steps), which are no steps of \(lanes) lanes")
      }
      return CarriedState<K>.Group(
        layers: group.layers, symbols: try symbols("\(name)symbols", steps, of: tensors),
        targets: try symbols("\(name)targets", steps, of: tensors))
    }
    return CarriedState(groups: groups, beginsStream: beginsStream)
  }

  private func symbols(_ name: String, _ count: Int, of tensors: Safetensors) throws -> Rows<Int32> {
    let rows = Rows<Int32>(count, 1)
    try rows.copy(name, of: tensors, shape: [count])
    guard rows.elements.allSatisfy({ (0..<Int32(network.configuration.vocabularySize)).contains($0) }) else {
      throw CheckpointDamage("its \(name) are no symbols of the vocabulary")
    }
    return rows
  }
}
