/// Checks UTF-8 that comes in pieces (Unicode 16, D92), and cuts it where scalars end. What is not UTF-8 is refused, or
/// each maximal subpart of it becomes U+FFFD; nothing else is changed or left out.
public struct UTF8Checker: Sendable {
  /// The beginning of a scalar that the last piece ended within.
  private var partial: [UInt8] = []
  /// Bytes before `partial`.
  private var position = 0

  private let policy: InvalidUTF8.Policy
  /// How many sequences have become U+FFFD.
  public private(set) var replacements = 0

  public init(_ policy: InvalidUTF8.Policy = .refuse) { self.policy = policy }

  /// Takes the next bytes, and gives those that are whole scalars together with what was held back.
  ///
  /// - Throws: ``InvalidUTF8`` with the offset from the beginning of the text; nothing must be appended after that.
  public mutating func append(_ bytes: [UInt8]) throws(InvalidUTF8) -> [UInt8] {
    var whole = partial.isEmpty ? bytes : partial + bytes
    let (end, isInvalid) = whole.withUnsafeBufferPointer { Self.validEnd($0, from: 0) }
    if isInvalid { return try replacing(whole, end) }
    partial = Array(whole[end...])
    whole.removeLast(partial.count)
    position += end
    return whole
  }

  /// Goes on behind the first place that is not UTF-8.
  private mutating func replacing(_ bytes: [UInt8], _ first: Int) throws(InvalidUTF8) -> [UInt8] {
    guard policy == .replace else { throw InvalidUTF8(offset: position + first) }
    var output = Array(bytes[..<first])
    let end = bytes.withUnsafeBufferPointer { bytes in
      var place = first
      while case .invalid(let length) = UTF8Sequence(bytes, at: place) {
        output.append(utf8: 0xFFFD)
        replacements += 1
        place += length
        let (end, isInvalid) = Self.validEnd(bytes, from: place)
        output += bytes[place..<end]
        place = end
        if !isInvalid { break }
      }
      return place
    }
    partial = Array(bytes[end...])
    position += end
    return output
  }

  /// Ends the text.
  ///
  /// - Throws: ``InvalidUTF8`` where it ends within a scalar.
  ///
  /// - Returns: What was held back, replaced.
  public mutating func finish() throws(InvalidUTF8) -> [UInt8] {
    guard !partial.isEmpty else { return [] }
    guard policy == .replace else { throw InvalidUTF8(offset: position) }
    replacements += 1
    return Array("\u{FFFD}".utf8)
  }

  /// Where the whole scalars end, and whether what follows can be none.
  private static func validEnd(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> (end: Int, isInvalid: Bool) {
    var place = start
    while place < bytes.count {
      if bytes[place] < 0x80 {
        place = bytes.endOfASCII(from: place, stoppingAtCR: false)
        continue
      }
      switch UTF8Sequence(bytes, at: place) {
      case .scalar(_, let length): place += length
      case .invalid: return (place, true)
      case .truncated: return (place, false)
      }
    }
    return (place, false)
  }
}

/// How much text there is: bytes, Unicode scalars, and words, which are runs between white space.
public struct TextFigures: Sendable, Equatable {
  public private(set) var bytes = 0
  public private(set) var characters = 0
  public private(set) var words = 0
  private var isInWord = false

  public init() {}

  /// Counts the next bytes of valid UTF-8, which must be whole scalars.
  public mutating func add(_ text: [UInt8]) {
    bytes += text.count
    text.withUnsafeBufferPointer { text in
      characters += text.scalarCount
      countWords(text)
    }
  }

  private mutating func countWords(_ text: UnsafeBufferPointer<UInt8>) {
    var (begun, wasInWord) = (0, isInWord)
    var place = 0
    while place < text.count {
      let byte = text[place]
      var isSpace = byte == 0x20 || byte &- 9 < 5
      var length = 1
      if byte >= 0x80, case .scalar(let value, let width) = UTF8Sequence(text, at: place) {
        length = width
        isSpace = Unicode.Scalar(value)?.properties.isWhitespace ?? false
      }
      if !isSpace && !wasInWord { begun &+= 1 }
      wasInWord = !isSpace
      place &+= length
    }
    words += begun
    isInWord = wasInWord
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Scalars of valid UTF-8: bytes that continue none.
  var scalarCount: Int {
    var count = 0
    for byte in self { count &+= byte & 0xC0 == 0x80 ? 0 : 1 }
    return count
  }
}

extension ArraySlice<UInt8> {
  /// Scalars of valid UTF-8.
  public var scalarCount: Int { withUnsafeBufferPointer { $0.scalarCount } }

  /// The place after so many scalars of valid UTF-8, or the end.
  public func place(afterScalars count: Int) -> Int {
    withUnsafeBufferPointer { bytes in
      var (left, place) = (count, 0)
      while place < bytes.count {
        if bytes[place] & 0xC0 != 0x80 {
          if left == 0 { break }
          left -= 1
        }
        place += 1
      }
      return startIndex + place
    }
  }
}
