import Compute
import ModelFiles
import TestSupport
import Testing

@Suite struct SafetensorsTests {
  @Test(arguments: [
    ("bf16", TensorType.bf16, 99_727_710_148_492_263_424), ("f16", .f16, 65504), ("f64", .f64, 1e20),
  ])
  func readsPyTorchsTypes(_ name: String, _ type: TensorType, _ large: Double) throws {
    let tensor = try Golden("lstm-mixed-dtypes/\(name).safetensors")["x"]
    #expect(tensor.type == type)
    #expect(tensor.shape == [2, 3])
    #expect(tensor.doubles == [0.5, -1.25, 3, large, 0, -0.0078125])
  }

  @Test func readsPyTorchsMetadataAndShapes() throws {
    let file = try Golden("lstm-training-adam.safetensors").file
    #expect(file.metadata["format"] == "pt")
    #expect(file.metadata["optimizer"] == "adam")
    #expect(file["losses"]?.shape == [20])
    #expect(file["losses"]?.type == .f64)
    #expect(file["no such tensor"] == nil)
  }

  @Test(arguments: [
    "lstm-forward-backward", "lstm-deep-forward-backward", "lstm-training-adam", "lstm-training-adamw",
    "lstm-mixed-dtypes/bf16", "lstm-mixed-dtypes/f16", "lstm-mixed-dtypes/f64",
  ])
  func keepsPyTorchsTensors(_ name: String) throws {
    let file = try Golden("\(name).safetensors").file
    let again = try Safetensors(parsing: file.serialized())
    #expect(again.entries == file.entries)
    #expect(again.metadata == file.metadata)
  }

  /// Every value of binary16, by the definition of the format.
  @Test func readsEveryHalf() {
    let patterns = (0...UInt16.max).map { $0 }
    let bytes = patterns.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    let values = StoredTensor(type: .f16, shape: [1 << 16], bytes: bytes).doubles
    for (pattern, value) in zip(patterns, values) {
      let expected = Double(Float16(bitPattern: pattern))
      guard value.bitPattern != expected.bitPattern, !(value.isNaN && expected.isNaN) else { continue }
      Issue.record("\(pattern) is \(value), not \(expected)")
    }
  }

  @Test(arguments: [
    (StoredTensor([0.1, -2, .infinity] as [Float], shape: [3]), [Double(Float(0.1)), -2, .infinity]),
    (StoredTensor([0.1, .leastNonzeroMagnitude] as [Double], shape: [2, 1]), [0.1, .leastNonzeroMagnitude]),
    (StoredTensor(type: .i32, shape: [2], bytes: [255, 255, 255, 255, 0, 0, 0, 128]), [-1, -2_147_483_648]),
    (StoredTensor(type: .i64, shape: [1], bytes: [254, 255, 255, 255, 255, 255, 255, 255]), [-2]),
    (StoredTensor(type: .bf16, shape: [2], bytes: [0x80, 0x3F, 0x00, 0xC0]), [1, -2]),
    (StoredTensor([] as [Float], shape: [0, 7]), []),
  ])
  func convertsToDouble(_ tensor: StoredTensor, _ expected: [Double]) {
    #expect(tensor.doubles == expected)
  }

  /// The layout of the format, written out by hand.
  @Test func writesTheFormat() {
    let file = Safetensors([.init("w", StoredTensor([1, 2] as [Float], shape: [1, 2]))])
    let header =
      #"{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#
    let padding = String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    #expect(
      file.serialized() == [UInt8(header.utf8.count + padding.count), 0, 0, 0, 0, 0, 0, 0]
        + Array((header + padding).utf8)
        + [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40])
  }

  @Test func tellsCanonicallyEquivalentNamesApart() throws {
    let file = Safetensors([
      .init("\u{E9}", StoredTensor([1] as [Float], shape: [1])),
      .init("e\u{301}", StoredTensor([2] as [Float], shape: [1])),
    ])
    let again = try Safetensors(parsing: file.serialized())
    #expect(again["\u{E9}"]?.doubles == [1])
    #expect(again["e\u{301}"]?.doubles == [2])
  }

  /// Tensors may stand in the header in any order; entries are in the order of the data.
  @Test func ordersEntriesByTheirData() throws {
    let file = try Safetensors(
      parsing: handMade(
        #"{"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        data: [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40]))
    #expect(file.entries.map(\.name) == ["a", "b"])
    #expect(file["a"]?.doubles == [1])
    #expect(file["b"]?.doubles == [2])
    #expect(file.metadata.isEmpty)
  }

  /// Any tensors: what is written reads the same, and is written again as the same bytes.
  @Test(arguments: 0..<200)
  func roundTripsByteForByte(_ seed: Int) throws {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    let entries = (0..<Int.random(in: 0..<6, using: &random)).map { index in
      let shape = (0..<Int.random(in: 0..<4, using: &random)).map { _ in Int.random(in: 0..<5, using: &random) }
      let type = TensorType.allCases.randomElement(using: &random) ?? .f32
      let bytes = (0..<shape.reduce(1, *) * type.width).map { _ in UInt8.random(in: 0...255, using: &random) }
      return Safetensors.Entry(
        "\(index)" + randomText(4, using: &random), StoredTensor(type: type, shape: shape, bytes: bytes))
    }
    let metadata = ["format": "pt", "note": randomText(8, using: &random)]
    let bytes = Safetensors(entries, metadata: metadata).serialized()
    let parsed = try Safetensors(parsing: bytes)
    #expect(parsed.entries.map { Array($0.name.utf8) } == entries.map { Array($0.name.utf8) })
    #expect(parsed.entries.map(\.tensor) == entries.map(\.tensor))
    #expect(parsed.metadata == metadata)
    #expect(parsed.serialized() == bytes)
    #expect(bytes[..<8].first.map { $0 % 8 } == 0)
  }
}

/// A file of a header and data as given, without any padding.
func handMade(_ header: String, data: [UInt8] = []) -> [UInt8] {
  let length = UInt64(header.utf8.count)
  return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) } + Array(header.utf8) + data
}
