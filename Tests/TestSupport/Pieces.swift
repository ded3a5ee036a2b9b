extension RandomAccessCollection where Index == Int {
  /// The collection cut into pieces of `count` elements.
  public func pieces(of count: Int) -> [SubSequence] {
    stride(from: startIndex, to: endIndex, by: count).map { self[$0..<Swift.min($0 + count, endIndex)] }
  }
}

/// A gzip member (RFC 1952) that holds bytes as they are, in stored blocks.
public func gzipMember(_ content: [UInt8]) -> [UInt8] {
  var member: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
  func append(_ number: UInt32, _ bytes: Int) {
    for byte in 0..<bytes { member.append(UInt8(truncatingIfNeeded: number >> (8 * UInt32(byte)))) }
  }
  for block in content.pieces(of: 65_535) {
    member.append(0)
    append(UInt32(block.count), 2)
    append(~UInt32(block.count), 2)
    member += block
  }
  member.append(1)
  append(0, 2)
  append(~0, 2)
  append(checksum(content), 4)
  append(UInt32(content.count), 4)
  return member
}

/// CRC-32 bit by bit.
private func checksum(_ bytes: [UInt8]) -> UInt32 {
  var sum: UInt32 = ~0
  for byte in bytes {
    sum ^= UInt32(byte)
    for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
  }
  return ~sum
}
