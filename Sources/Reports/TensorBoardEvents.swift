/// Records of a TensorBoard event file: `events.out.tfevents.…`, a TFRecord stream of `Event` messages.
///
/// A record is the length of its message, the length's checksum, the message and its checksum (CRC-32C, masked); the
/// messages are protocol buffers (`tensorflow/core/util/event.proto`, `summary.proto`, `tensor.proto`).
public struct TensorBoardEvents: Sendable {
  /// When an event happened, in seconds since 1970.
  public typealias Time = Double

  /// The bytes to append to the file; it begins with the record that names the format.
  public static func beginning(at time: Time) -> [UInt8] {
    record(time: time, step: 0) { $0.field(3, Array("brain.Event:2".utf8)) }
  }

  /// A run is taken up again: what older files say of later steps is void.
  public static func restart(after step: Int, at time: Time) -> [UInt8] {
    record(time: time, step: step + 1) { event in event.message(7) { $0.field(1, UInt64(1)) } }
  }

  /// Numbers of one step, by their tags.
  public static func scalars(_ values: [(tag: String, value: Double)], step: Int, at time: Time) -> [UInt8] {
    record(time: time, step: step) { event in
      event.message(5) { summary in
        for (tag, value) in values {
          summary.message(1) {
            $0.field(1, Array(tag.utf8))
            $0.field(2, Float(value))
          }
        }
      }
    }
  }

  /// A text of one step, which TensorBoard shows as Markdown: it stands in a code block.
  public static func text(_ text: String, tag: String, step: Int, at time: Time) -> [UInt8] {
    let indented = text.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }
    return record(time: time, step: step) { event in
      event.message(5) { summary in
        summary.message(1) { value in
          value.field(1, Array(tag.utf8))
          value.message(9) { metadata in
            metadata.message(1) { $0.field(1, Array("text".utf8)) }
            metadata.field(4, UInt64(2))  // the data are a tensor
          }
          value.message(8) { tensor in
            tensor.field(1, UInt64(7))  // of strings
            tensor.message(2) { shape in shape.message(2) { $0.field(1, UInt64(1)) } }
            tensor.field(8, Array(indented.joined(separator: "\n").utf8))
          }
        }
      }
    }
  }

  private static func record(time: Time, step: Int, _ fill: (inout ProtocolBuffer) -> Void) -> [UInt8] {
    var event = ProtocolBuffer()
    event.field(1, time)
    if step > 0 { event.field(2, UInt64(step)) }
    fill(&event)
    let length = littleEndian(UInt64(event.bytes.count))
    return length + littleEndian(maskedChecksum(length)) + event.bytes + littleEndian(maskedChecksum(event.bytes))
  }

  private static func maskedChecksum(_ bytes: [UInt8]) -> UInt32 {
    let checksum = crc32c(bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}

/// The Castagnoli checksum (RFC 3720, appendix B.4).
package func crc32c(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(~0) { checksum, byte in
    (0..<8).reduce(checksum ^ UInt32(byte)) { sum, _ in sum >> 1 ^ (sum & 1 == 1 ? 0x82F6_3B78 : 0) }
  }
}

/// A message in the making, field after field.
private struct ProtocolBuffer {
  var bytes: [UInt8] = []

  mutating func field(_ number: Int, _ value: UInt64) {
    variableLength(UInt64(number << 3))
    variableLength(value)
  }

  mutating func field(_ number: Int, _ value: Double) {
    variableLength(UInt64(number << 3 | 1))
    bytes += littleEndian(value.bitPattern)
  }

  mutating func field(_ number: Int, _ value: Float) {
    variableLength(UInt64(number << 3 | 5))
    bytes += littleEndian(value.bitPattern)
  }

  mutating func field(_ number: Int, _ value: [UInt8]) {
    variableLength(UInt64(number << 3 | 2))
    variableLength(UInt64(value.count))
    bytes += value
  }

  mutating func message(_ number: Int, _ fill: (inout ProtocolBuffer) -> Void) {
    var inner = ProtocolBuffer()
    fill(&inner)
    field(number, inner.bytes)
  }

  private mutating func variableLength(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

private func littleEndian<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
  (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
}
