/// UnicodeText: strict UTF-8 and normalization forms.

/// Bytes that are not UTF-8.
public struct InvalidUTF8: Error, Equatable, CustomStringConvertible {
  /// The first byte of the first invalid sequence.
  public let offset: Int

  public var description: String { "invalid UTF-8 at byte \(offset)" }
}

/// Text from bytes that must be UTF-8 (Unicode 16, D92): no overlong forms, surrogates or truncated sequences. Nothing
/// is changed or left out: a byte-order mark, NUL and CRLF stay as they are.
public func decodeUTF8(_ bytes: [UInt8]) throws(InvalidUTF8) -> String {
  if let text = String(validating: bytes, as: UTF8.self) { return text }
  throw InvalidUTF8(offset: firstInvalidOffset(bytes))
}

private func firstInvalidOffset(_ bytes: [UInt8]) -> Int {
  var parser = Unicode.UTF8.ForwardParser()
  var iterator = bytes.makeIterator()
  var offset = 0
  while true {
    switch parser.parseScalar(from: &iterator) {
    case .valid(let scalar): offset += scalar.count
    case .error: return offset
    case .emptyInput: return offset
    }
  }
}
