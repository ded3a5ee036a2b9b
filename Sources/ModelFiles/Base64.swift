/// Bytes as text of 64 signs (RFC 4648, section 4).
public enum Base64 {
  private static let signs = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  public static func encoded(_ bytes: some Collection<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var (bits, count): (UInt32, Int) = (0, 0)
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(signs[Int(bits >> UInt32(count) & 63)])
      }
    }
    if count > 0 { text.append(signs[Int(bits << UInt32(6 - count) & 63)]) }
    while text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes; nil where the text is not what ``encoded(_:)`` writes.
  public static func decoded(_ text: String) -> [UInt8]? {
    var values = [UInt8](repeating: 64, count: 256)
    for (value, sign) in signs.enumerated() { values[Int(sign)] = UInt8(value) }
    let text = Array(text.utf8)
    let signs = text.prefix { $0 != UInt8(ascii: "=") }
    guard text.count % 4 == 0, text.count - signs.count <= 2,
      text[signs.count...].allSatisfy({ $0 == UInt8(ascii: "=") })
    else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var (bits, count): (UInt32, Int) = (0, 0)
    for sign in signs {
      guard values[Int(sign)] < 64 else { return nil }
      bits = bits << 6 | UInt32(values[Int(sign)])
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    // What is left over of the last sign is zero.
    return bits & (1 << UInt32(count) - 1) == 0 ? bytes : nil
  }
}
