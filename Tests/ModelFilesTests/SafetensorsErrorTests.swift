import ModelFiles
import TestSupport
import Testing

/// One file by hand for each way of being wrong.
@Suite struct SafetensorsErrorTests {
  private static func entry(_ type: String = "F32", shape: String = "[1]", offsets: String = "[0,4]") -> [UInt8] {
    handMade(#"{"w":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}}"#, data: [0, 0, 0, 0])
  }
  private static let notOffsets = "its data_offsets are not two offsets in order"
  private static let notSizes = "its shape holds something else than sizes"

  @Test(
    arguments: [
      ([], SafetensorsError.tooShort(bytes: 0)),
      ([1, 0, 0, 0, 0, 0, 0, 0, 0x7B], .tooShort(bytes: 9)),
      ([0x01, 0xE1, 0xF5, 0x05, 0, 0, 0, 0, 0x7B, 0x7D], .headerTooLarge(length: 100_000_001)),
      ([255, 255, 255, 255, 255, 255, 255, 255, 0x7B, 0x7D], .headerTooLarge(length: .max)),
      ([0x00, 0xE1, 0xF5, 0x05, 0, 0, 0, 0, 0x7B, 0x7D], .headerBeyondEnd(length: 100_000_000, bytes: 10)),
      ([3, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D], .headerBeyondEnd(length: 3, bytes: 10)),
      (handMade("[]"), .headerNotAnObject),
      (handMade(" {}"), .headerNotAnObject),
      (handMade("{}x"), .headerNotJSON("something follows the JSON value at byte 2")),
      (handMade("", data: Array("{}".utf8)), .headerNotJSON("the JSON ends early at byte 0")),
      (
        handMade(#"{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}"#), .headerNotJSON("more than 8 levels at byte 40")
      ),
      (handMade(#"{"w":1,"w":2}"#), .headerNotJSON("the key \"w\" stands twice at byte 7")),
      (handMade(#"{"__metadata__":[]}"#), .metadataNotStrings),
      (handMade(#"{"__metadata__":{"a":1}}"#), .metadataNotStrings),
      (handMade(#"{"__metadata__":null}"#), .metadataNotStrings),
      (handMade(#"{"w":[]}"#), .invalidEntry(name: "w", what: "its entry is not an object")),
      (handMade(#"{"w":{"shape":[],"data_offsets":[0,0]}}"#), .invalidEntry(name: "w", what: "it has no dtype")),
      (
        handMade(#"{"w":{"dtype":32,"shape":[],"data_offsets":[0,0]}}"#),
        .invalidEntry(name: "w", what: "it has no dtype")
      ),
      (
        handMade(#"{"w":{"dtype":"F32","data_offsets":[0,4]}}"#, data: [0, 0, 0, 0]),
        .invalidEntry(name: "w", what: "it has no shape")
      ),
      (
        handMade(#"{"w":{"dtype":"F32","shape":[1]}}"#, data: [0, 0, 0, 0]), .invalidEntry(name: "w", what: notOffsets)
      ),
      (entry(shape: "[-1]"), .invalidEntry(name: "w", what: notSizes)),
      (entry(shape: "[1.0]"), .invalidEntry(name: "w", what: notSizes)),
      (entry(shape: "[\"1\"]"), .invalidEntry(name: "w", what: notSizes)),
      (entry(shape: "[9223372036854775808]"), .invalidEntry(name: "w", what: notSizes)),
      (entry(offsets: "[4,0]"), .invalidEntry(name: "w", what: notOffsets)),
      (entry(offsets: "[-4,0]"), .invalidEntry(name: "w", what: notOffsets)),
      (entry(offsets: "[0,4,4]"), .invalidEntry(name: "w", what: notOffsets)),
      (entry(offsets: "[0,4.0]"), .invalidEntry(name: "w", what: notOffsets)),
      (entry("F8_E5M2"), .unknownType(name: "w", type: "F8_E5M2")),
      (entry("f32"), .unknownType(name: "w", type: "f32")),
      (entry(shape: "[4611686018427387904,4]"), .sizeOverflow(name: "w")),
      (entry(shape: "[9223372036854775807]"), .sizeOverflow(name: "w")),
      (entry(shape: "[2]"), .wrongSize(name: "w", expected: 8, got: 4)),
      (entry(shape: "[0]"), .wrongSize(name: "w", expected: 0, got: 4)),
      (entry("F64"), .wrongSize(name: "w", expected: 8, got: 4)),
      (entry(offsets: "[1,5]"), .notContiguous(name: "w", expected: 0, got: 1)),
      (
        entry(offsets: "[9223372036854775803,9223372036854775807]"),
        .notContiguous(name: "w", expected: 0, got: .max - 4)
      ),
      (
        handMade(
          #"{"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F16","shape":[1],"data_offsets":[2,4]}}"#,
          data: [0, 0, 0, 0]), .notContiguous(name: "w", expected: 4, got: 2)
      ),
      (handMade("{}", data: [0]), .doesNotCover(data: 1, used: 0)),
      (entry() + [0], .doesNotCover(data: 5, used: 4)),
      (entry().dropLast(1), .doesNotCover(data: 3, used: 4)),
    ] as [([UInt8], SafetensorsError)])
  func refuses(_ bytes: [UInt8], _ expected: SafetensorsError) {
    #expect(throws: expected) { try Safetensors(parsing: bytes) }
    #expect(!expected.description.contains("\n"))
  }

  @Test func acceptsTheSmallestFiles() throws {
    #expect(try Safetensors(parsing: handMade("{}")).entries.isEmpty)
    #expect(try Safetensors(parsing: handMade("{}      ")).entries.isEmpty)
    #expect(try Safetensors(parsing: Self.entry(shape: "[]"))["w"]?.shape == [])
  }

  private static let small = Safetensors([
    .init("a", StoredTensor([1, 2] as [Float], shape: [2])),
    .init("b", StoredTensor(type: .bf16, shape: [1, 1], bytes: [0x80, 0x3F])),
  ]).serialized()

  /// What parses after a change must hold together: shapes that fit their bytes, and nothing beyond the file.
  private func parseOrThrow(_ bytes: [UInt8]) throws -> Bool {
    do {
      let file = try Safetensors(parsing: bytes)
      #expect(file.entries.allSatisfy { $0.tensor.doubles.count * $0.tensor.type.width == $0.tensor.bytes.count })
      #expect(file.entries.reduce(0) { $0 + $1.tensor.bytes.count } <= bytes.count - 8)
      return true
    } catch is SafetensorsError {
      return false
    }
  }

  /// Every value of every byte of the length and the header.
  @Test(arguments: small.indices.dropLast(10))
  func survivesAnyByte(_ index: Int) throws {
    var accepted = 0
    for value in UInt8.min...UInt8.max {
      var bytes = Self.small
      bytes[index] = value
      if try parseOrThrow(bytes) { accepted += 1 }
    }
    #expect(accepted >= 1, "the file itself is among them")
  }

  @Test func survivesTruncation() throws {
    for count in Self.small.indices {
      #expect(try !parseOrThrow(Array(Self.small[..<count])), "\(count) bytes of \(Self.small.count)")
    }
  }

  @Test func survivesRemovedAndDoubledBytes() throws {
    for index in 8..<Self.small.count - 10 {
      var (shorter, longer) = (Self.small, Self.small)
      shorter.remove(at: index)
      longer.insert(longer[index], at: index)
      // The length is of the file before: header and data are out of step, so the data cannot be covered.
      #expect(try !parseOrThrow(shorter))
      #expect(try !parseOrThrow(longer))
    }
  }
}
