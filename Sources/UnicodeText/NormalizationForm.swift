import CUTF8Proc

/// A Unicode normalization form (UAX #15), or none.
public enum NormalizationForm: String, Sendable, CaseIterable {
  case none, nfc, nfd, nfkc, nfkd

  /// The text in this form, by libutf8proc's tables. Time is linear in the text (times a logarithm in long
  /// runs of combining marks).
  public func normalize(_ text: String) -> String {
    guard self != .none else { return text }
    var text = text
    return text.withUTF8 { bytes in
      if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
      var out: [UInt8] = []
      out.reserveCapacity(bytes.count + bytes.count / 8)
      for piece in Self.pieces(bytes) { append(piece, to: &out) }
      return String(decoding: out, as: UTF8.self)
    }
  }

  /// Cuts after line feeds, so that working memory stays small, and before every U+11A7, which libutf8proc 2.8 loses
  /// after a Hangul syllable. No form joins a line feed to what follows, or U+11A7 to what precedes.
  private static func pieces(_ bytes: UnsafeBufferPointer<UInt8>) -> [Slice<UnsafeBufferPointer<UInt8>>] {
    let size = 1 << 18
    var pieces: [Slice<UnsafeBufferPointer<UInt8>>] = []
    var start = 0
    while start < bytes.count {
      var end = min(start + size, bytes.count)
      while end < bytes.count && bytes[end - 1] != UInt8(ascii: "\n") { end += 1 }
      for jamo in start + 1..<max(start + 1, end - 2) where isLostJamo(bytes, jamo) {
        pieces.append(bytes[start..<jamo])
        start = jamo
      }
      pieces.append(bytes[start..<end])
      start = end
    }
    return pieces
  }

  private static func isLostJamo(_ bytes: UnsafeBufferPointer<UInt8>, _ offset: Int) -> Bool {
    bytes[offset] == 0xE1 && bytes[offset + 1] == 0x86 && bytes[offset + 2] == 0xA7
  }

  private func append(_ piece: Slice<UnsafeBufferPointer<UInt8>>, to out: inout [UInt8]) {
    if piece.allSatisfy({ $0 < 0x80 }) {
      out += piece
      return
    }
    let sorted = Self.sortingMarks(String(decoding: piece, as: UTF8.self))
    var mapped: UnsafeMutablePointer<UInt8>?
    let count = utf8proc_map(sorted, sorted.count, &mapped, options)
    defer { free(mapped) }
    guard count >= 0, let mapped else {
      preconditionFailure("libutf8proc refused valid UTF-8: \(String(cString: utf8proc_errmsg(count)))")
    }
    out += UnsafeBufferPointer(start: mapped, count: count)
  }

  /// The text with long runs of combining marks in canonical order (UAX #15, stable by combining class), which changes no
  /// normal form: libutf8proc 2.8 orders a run in quadratic time, but one that is in order already in linear time.
  private static func sortingMarks(_ text: String) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count)
    var run: [(scalar: Unicode.Scalar, combiningClass: Int16)] = []
    func append(_ scalar: Unicode.Scalar) {
      if let bytes = UTF8.encode(scalar) { out.append(contentsOf: bytes) }
    }
    func flush() {
      // Stable: Swift's sort keeps the order of equals.
      if run.count > 16 { run.sort { $0.combiningClass < $1.combiningClass } }
      for mark in run { append(mark.scalar) }
      run.removeAll(keepingCapacity: true)
    }
    for scalar in text.unicodeScalars {
      let combiningClass = utf8proc_get_property(Int32(scalar.value)).pointee.combining_class
      if combiningClass != 0 {
        run.append((scalar, combiningClass))
      } else {
        flush()
        append(scalar)
      }
    }
    flush()
    return out
  }

  private var options: utf8proc_option_t {
    let flags: [utf8proc_option_t] =
      switch self {
      case .none: []
      case .nfc: [UTF8PROC_STABLE, UTF8PROC_COMPOSE]
      case .nfd: [UTF8PROC_STABLE, UTF8PROC_DECOMPOSE]
      case .nfkc: [UTF8PROC_STABLE, UTF8PROC_COMPOSE, UTF8PROC_COMPAT]
      case .nfkd: [UTF8PROC_STABLE, UTF8PROC_DECOMPOSE, UTF8PROC_COMPAT]
      }
    return utf8proc_option_t(flags.reduce(0) { $0 | $1.rawValue })
  }
}
