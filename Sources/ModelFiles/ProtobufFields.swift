/// Bytes that are not the Protocol Buffers message they should be.
public struct ProtobufError: Error, CustomStringConvertible, Equatable {
  public let message: String
  /// The byte where it went wrong, counted from the beginning of the message.
  public let offset: Int

  public var description: String { "\(message) at byte \(offset)" }
}

/// The fields of a Protocol Buffers message, one after another (protobuf.dev, "Encoding"). Nothing is copied, and a
/// length that reaches beyond the message is an error before anything is done with it.
public struct ProtobufFields {
  public enum Value: Equatable {
    case integer(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    /// Text, bytes or a message.
    case bytes(ArraySlice<UInt8>)
  }

  private let bytes: ArraySlice<UInt8>
  private var place: Int

  public init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    place = bytes.startIndex
  }

  /// The number and the value of the next field; nil at the end.
  public mutating func next() throws(ProtobufError) -> (number: Int, value: Value)? {
    guard place < bytes.endIndex else { return nil }
    let start = place
    let tag = try variable()
    guard tag >> 3 != 0, tag >> 3 < 1 << 29 else { throw failure("a field without a number", at: start) }
    let number = Int(tag >> 3)
    switch tag & 7 {
    case 0: return (number, .integer(try variable()))
    case 1: return (number, .fixed64(try fixed(8)))
    case 2:
      let length = try variable()
      guard length <= UInt64(bytes.endIndex - place) else {
        throw failure("a field longer than its message", at: start)
      }
      defer { place += Int(length) }
      return (number, .bytes(bytes[place..<place + Int(length)]))
    case 5: return (number, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
    default: throw failure("a field of a kind that is none", at: start)
    }
  }

  private func failure(_ message: String, at place: Int) -> ProtobufError {
    ProtobufError(message: message, offset: place - bytes.startIndex)
  }

  /// Seven bits a byte, the lowest first.
  private mutating func variable() throws(ProtobufError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      guard place < bytes.endIndex else { throw failure("the message ends early", at: place) }
      let byte = bytes[place]
      guard shift < 63 || byte <= 1 else { break }
      place += 1
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw failure("a number of more than 64 bits", at: place)
  }

  private mutating func fixed(_ count: Int) throws(ProtobufError) -> UInt64 {
    guard bytes.endIndex - place >= count else { throw failure("the message ends early", at: place) }
    defer { place += count }
    return (0..<count).reduce(0) { $0 | UInt64(bytes[place + $1]) << UInt64(8 * $1) }
  }
}
