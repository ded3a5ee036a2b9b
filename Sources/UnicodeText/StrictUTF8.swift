/// UnicodeText: strict UTF-8, normalization with offsets, and grapheme clusters.

/// Bytes that are not UTF-8.
public struct InvalidUTF8: Error, Equatable, CustomStringConvertible {
  /// What is done about them.
  public enum Policy: String, Sendable, CaseIterable {
    /// They are an error.
    case refuse = "fail"
    /// Every maximal subpart of an invalid sequence becomes one U+FFFD (Unicode 16, section 3.9, "U+FFFD Substitution
    /// of Maximal Subparts"): E1 80 is one, C0 80 are two.
    case replace
  }

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

/// Text from bytes, every maximal subpart of an invalid sequence being U+FFFD, and how many there were.
public func decodeUTF8Replacing(_ bytes: [UInt8]) -> (text: String, replacements: Int) {
  if let text = String(validating: bytes, as: UTF8.self) { return (text, 0) }
  var stream = NormalizerStream(Normalizer(), invalid: .replace)
  var valid: [UInt8] = []
  valid.reserveCapacity(bytes.count)
  bytes.withUnsafeBufferPointer { stream.append(valid: $0, to: &valid) }
  return (String(decoding: valid, as: UTF8.self), stream.replacements)
}

private func firstInvalidOffset(_ bytes: [UInt8]) -> Int {
  bytes.withUnsafeBufferPointer { bytes in
    var place = 0
    while place < bytes.count, case .scalar(_, let length) = UTF8Sequence(bytes, at: place) { place += length }
    return place
  }
}
