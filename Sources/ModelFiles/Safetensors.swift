/// Element types of tensors in files.
public enum TensorType: String, Sendable, CaseIterable {
  case f16 = "F16"
  case bf16 = "BF16"
  case f32 = "F32"
  case f64 = "F64"
  case i32 = "I32"
  case i64 = "I64"

  /// Bytes of an element.
  public var width: Int {
    switch self {
    case .f16, .bf16: 2
    case .f32, .i32: 4
    case .f64, .i64: 8
    }
  }
}

/// A tensor as a file has it: little-endian elements, row-major.
public struct StoredTensor: Sendable, Equatable {
  public let type: TensorType
  public let shape: [Int]
  public let bytes: [UInt8]

  public init(type: TensorType, shape: [Int], bytes: [UInt8]) {
    precondition(
      bytes.count == shape.reduce(1, *) * type.width, "\(bytes.count) bytes for a tensor \(shape) of \(type.rawValue)")
    self.type = type
    self.shape = shape
    self.bytes = bytes
  }

  public init(_ values: [Float], shape: [Int]) {
    self.init(type: .f32, shape: shape, bytes: littleEndian(values.map(\.bitPattern)))
  }

  public init(_ values: [Double], shape: [Int]) {
    self.init(type: .f64, shape: shape, bytes: littleEndian(values.map(\.bitPattern)))
  }

  public var count: Int { shape.reduce(1, *) }

  /// The elements in Double: exact for every floating-point type.
  public var doubles: [Double] {
    switch type {
    case .f16: integers(UInt16.self).map(Self.half)
    case .bf16: integers(UInt16.self).map { Double(Float(bitPattern: UInt32($0) << 16)) }
    case .f32: integers(UInt32.self).map { Double(Float(bitPattern: $0)) }
    case .f64: integers(UInt64.self).map { Double(bitPattern: $0) }
    case .i32: integers(UInt32.self).map { Double(Int32(bitPattern: $0)) }
    case .i64: integers(UInt64.self).map { Double(Int64(bitPattern: $0)) }
    }
  }

  private func integers<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type) -> [Value] {
    bytes.withUnsafeBytes { buffer in
      (0..<count).map {
        Value(littleEndian: buffer.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Value>.size, as: Value.self))
      }
    }
  }

  /// IEEE 754 binary16; written out, since `Float16` is not on every platform.
  private static func half(_ bits: UInt16) -> Double {
    let sign: Double = bits & 0x8000 == 0 ? 1 : -1
    let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023))
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction * 0x1p-10)
    }
  }
}

private func littleEndian<Value: FixedWidthInteger>(_ values: [Value]) -> [UInt8] {
  values.map(\.littleEndian).withUnsafeBytes { Array($0) }
}

/// The safetensors format: eight bytes of header length, a JSON header, the tensors' bytes without a gap.
public struct Safetensors: Sendable {
  public struct Entry: Sendable, Equatable {
    public let name: String
    public let tensor: StoredTensor

    public init(_ name: String, _ tensor: StoredTensor) {
      self.name = name
      self.tensor = tensor
    }
  }

  /// In the order of the file's bytes.
  public let entries: [Entry]
  public let metadata: [String: String]

  public init(_ entries: [Entry], metadata: [String: String] = ["format": "pt"]) {
    self.entries = entries
    self.metadata = metadata
  }

  public subscript(name: String) -> StoredTensor? {
    entries.first { $0.name.utf8.elementsEqual(name.utf8) }?.tensor
  }

  /// The file's bytes: metadata by key, tensors in the given order, the header padded with spaces to eight bytes.
  public func serialized() -> [UInt8] {
    var members = [
      JSON.Member("__metadata__", .object(metadata.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }))
    ]
    var offset = 0
    for entry in entries {
      let end = offset + entry.tensor.bytes.count
      members.append(
        .init(
          entry.name,
          [
            "dtype": .string(entry.tensor.type.rawValue), "shape": .array(entry.tensor.shape.map { .integer($0) }),
            "data_offsets": [.integer(offset), .integer(end)],
          ]))
      offset = end
    }
    var header = Array(JSON.object(members).text().utf8)
    header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
    var out = littleEndian([UInt64(header.count)])
    out.reserveCapacity(8 + header.count + offset)
    out += header
    for entry in entries { out += entry.tensor.bytes }
    return out
  }
}
