/// Bytes that are not the JSON they should be.
public struct JSONError: Error, CustomStringConvertible, Equatable {
  public let message: String
  /// The byte where it went wrong.
  public let offset: Int

  public var description: String { "\(message) at byte \(offset)" }
}

extension JSON {
  /// Parses JSON (RFC 8259), strictly: UTF-8, no duplicate keys, numbers that fit, bounded depth.
  ///
  /// - Throws: ``JSONError`` with the byte offset.
  public init(parsing bytes: some Collection<UInt8>, maximumDepth: Int = 64) throws {
    var parser = JSONParser(bytes: Array(bytes), maximumDepth: maximumDepth)
    self = try parser.document()
  }
}

private struct JSONParser {
  let bytes: [UInt8]
  let maximumDepth: Int
  var position = 0

  init(bytes: [UInt8], maximumDepth: Int) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  func failure(_ message: String, at offset: Int? = nil) -> JSONError {
    JSONError(message: message, offset: offset ?? position)
  }

  var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func document() throws -> JSON {
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw failure("something follows the JSON value") }
    return value
  }

  mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  mutating func take(_ byte: Character) -> Bool {
    guard current == byte.asciiValue else { return false }
    position += 1
    return true
  }

  mutating func value(depth: Int) throws -> JSON {
    guard depth < maximumDepth else { throw failure("more than \(maximumDepth) levels") }
    skipSpace()
    switch current {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case nil: throw failure("the JSON ends early")
    case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): return try number()
    default: throw failure("not a JSON value")
    }
  }

  mutating func word(_ word: String, _ value: JSON) throws -> JSON {
    guard bytes[position...].starts(with: word.utf8) else { throw failure("not a JSON value") }
    position += word.utf8.count
    return value
  }

  mutating func array(depth: Int) throws -> JSON {
    position += 1
    var values: [JSON] = []
    skipSpace()
    if take("]") { return .array([]) }
    while true {
      values.append(try value(depth: depth + 1))
      skipSpace()
      if take("]") { return .array(values) }
      guard take(",") else { throw failure("a comma or ] is missing") }
    }
  }

  mutating func object(depth: Int) throws -> JSON {
    position += 1
    var members: [JSON.Member] = []
    var keys: Set<[UInt8]> = []
    skipSpace()
    if take("}") { return .object([]) }
    while true {
      skipSpace()
      let start = position
      guard current == UInt8(ascii: "\"") else { throw failure("a key is missing") }
      let key = try string()
      guard keys.insert(Array(key.utf8)).inserted else { throw failure("the key \"\(key)\" stands twice", at: start) }
      skipSpace()
      guard take(":") else { throw failure("a colon is missing") }
      members.append(JSON.Member(key, try value(depth: depth + 1)))
      skipSpace()
      if take("}") { return .object(members) }
      guard take(",") else { throw failure("a comma or } is missing") }
    }
  }

  mutating func number() throws -> JSON {
    let start = position
    _ = take("-")
    let whole = digits()
    guard whole.count > 0, whole.count == 1 || bytes[whole.lowerBound] != UInt8(ascii: "0") else {
      throw failure("not a JSON number", at: start)
    }
    var isInteger = true
    if take(".") {
      isInteger = false
      guard !digits().isEmpty else { throw failure("not a JSON number", at: start) }
    }
    if take("e") || take("E") {
      isInteger = false
      if !take("+") { _ = take("-") }
      guard !digits().isEmpty else { throw failure("not a JSON number", at: start) }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let value = Int(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else { throw failure("a number out of range", at: start) }
    return .number(value)
  }

  mutating func digits() -> Range<Int> {
    let start = position
    while let byte = current, isDigit(byte) { position += 1 }
    return start..<position
  }

  func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  mutating func string() throws -> String {
    position += 1
    var out: [UInt8] = []
    let opening = position
    while let byte = current {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: out, as: UTF8.self) else {
          throw failure("invalid UTF-8 in a string", at: opening)
        }
        return text
      case UInt8(ascii: "\\"): out += Array(String(try escape()).utf8)
      case 0..<0x20: throw failure("a control character in a string", at: position - 1)
      default: out.append(byte)
      }
    }
    throw failure("a string does not end", at: opening)
  }

  mutating func escape() throws -> Unicode.Scalar {
    let start = position - 1
    guard let byte = current else { throw failure("the JSON ends early") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let first = try hexadecimal()
      if let scalar = Unicode.Scalar(first) { return scalar }
      guard (0xD800..<0xDC00).contains(first), take("\\"), take("u") else {
        throw failure("half a surrogate pair", at: start)
      }
      let second = try hexadecimal()
      guard (0xDC00..<0xE000).contains(second),
        let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
      else { throw failure("half a surrogate pair", at: start) }
      return scalar
    default: throw failure("an unknown escape", at: start)
    }
  }

  mutating func hexadecimal() throws -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw failure("four hexadecimal digits are missing")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
