/// What stands at one place of bytes that should be UTF-8 (Unicode 16, D92 and table 3-7).
enum UTF8Sequence: Equatable {
  /// A scalar and the number of bytes that encode it.
  case scalar(UInt32, length: Int)
  /// Bytes that no valid sequence begins with: a maximal subpart of one (Unicode 16, section 3.9), 1 to 3 bytes.
  case invalid(length: Int)
  /// The bytes end before it is known whether the sequence that begins here is valid.
  case truncated

  /// Reads the sequence at `place`, which must be within `bytes`.
  @inline(__always)
  init(_ bytes: UnsafeBufferPointer<UInt8>, at place: Int) {
    let lead = bytes[place]
    if lead < 0x80 {
      self = .scalar(UInt32(lead), length: 1)
      return
    }
    guard let (length, second) = Self.shape(lead) else {
      self = .invalid(length: 1)
      return
    }
    guard place + 1 < bytes.count else {
      self = .truncated
      return
    }
    guard second.contains(bytes[place + 1]) else {
      self = .invalid(length: 1)
      return
    }
    var value = (UInt32(lead) & 0x7F >> UInt32(length)) << 6 | UInt32(bytes[place + 1] & 0x3F)
    for index in 2..<max(2, length) {
      guard place + index < bytes.count else {
        self = .truncated
        return
      }
      guard bytes[place + index] & 0xC0 == 0x80 else {
        self = .invalid(length: index)
        return
      }
      value = value << 6 | UInt32(bytes[place + index] & 0x3F)
    }
    self = .scalar(value, length: length)
  }

  /// The length of the maximal subpart at `place`, where no more bytes follow that could complete it.
  static func invalidLength(_ bytes: UnsafeBufferPointer<UInt8>, at place: Int) -> Int {
    if case .invalid(let length) = UTF8Sequence(bytes, at: place) { return length }
    return bytes.count - place
  }

  /// The number of bytes that a lead byte announces, and what the second may be: a row of table 3-7.
  @inline(__always)
  private static func shape(_ lead: UInt8) -> (length: Int, second: ClosedRange<UInt8>)? {
    switch lead {
    case 0xC2...0xDF: (2, 0x80...0xBF)
    case 0xE0: (3, 0xA0...0xBF)
    case 0xED: (3, 0x80...0x9F)
    case 0xE1...0xEF: (3, 0x80...0xBF)
    case 0xF0: (4, 0x90...0xBF)
    case 0xF1...0xF3: (4, 0x80...0xBF)
    case 0xF4: (4, 0x80...0x8F)
    default: nil
    }
  }
}

extension [UInt8] {
  /// Appends a scalar's UTF-8.
  @inline(__always)
  mutating func append(utf8 value: UInt32) {
    func tail(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(truncatingIfNeeded: value >> shift) & 0x3F }
    if value < 0x80 {
      append(UInt8(truncatingIfNeeded: value))
    } else if value < 0x800 {
      append(0xC0 | UInt8(truncatingIfNeeded: value >> 6))
      append(tail(0))
    } else if value < 0x1_0000 {
      append(0xE0 | UInt8(truncatingIfNeeded: value >> 12))
      append(tail(6))
      append(tail(0))
    } else {
      append(0xF0 | UInt8(truncatingIfNeeded: value >> 18))
      append(tail(12))
      append(tail(6))
      append(tail(0))
    }
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// The end of the ASCII bytes that begin at `start`; with `stoppingAtCR`, the first carriage return ends them too.
  func endOfASCII(from start: Int, stoppingAtCR: Bool) -> Int {
    let high: UInt64 = 0x8080_8080_8080_8080
    let ones: UInt64 = 0x0101_0101_0101_0101
    var place = start
    let raw = UnsafeRawBufferPointer(self)
    while place + 8 <= count {
      let word = raw.loadUnaligned(fromByteOffset: place, as: UInt64.self)
      var found = word & high
      if stoppingAtCR {
        // A byte is zero here where it was a carriage return.
        let difference = word ^ (ones &* 0x0D)
        found |= (difference &- ones) & ~difference & high
      }
      if found != 0 { return place + UInt64(littleEndian: found).trailingZeroBitCount / 8 }
      place += 8
    }
    while place < count && self[place] < 0x80 && !(stoppingAtCR && self[place] == 0x0D) { place += 1 }
    return place
  }
}
