import CUTF8Proc

/// A mapping of single scalars that libutf8proc knows.
enum ScalarMapping {
  /// The full canonical decomposition.
  case canonical
  /// The full compatibility decomposition.
  case compatibility
  /// Full case folding: C and F of CaseFolding.txt.
  case folding

  fileprivate var options: utf8proc_option_t {
    switch self {
    case .canonical: UTF8PROC_DECOMPOSE
    case .compatibility: utf8proc_option_t(UTF8PROC_DECOMPOSE.rawValue | UTF8PROC_COMPAT.rawValue)
    case .folding: UTF8PROC_CASEFOLD
    }
  }
}

/// Calls `body` with the scalars that one becomes, by libutf8proc. The longest is U+FDFA's compatibility decomposition,
/// of 18 scalars.
@inline(__always)
func forEachScalar(of value: UInt32, _ mapping: ScalarMapping, _ body: (UInt32) -> Void) {
  withUnsafeTemporaryAllocation(of: Int32.self, capacity: 32) { buffer in
    let count = utf8proc_decompose_char(Int32(value), buffer.baseAddress, 32, mapping.options, nil)
    precondition((0...32).contains(count), "libutf8proc makes \(count) scalars of U+\(String(value, radix: 16))")
    for index in 0..<count { body(UInt32(buffer[index])) }
  }
}

/// The scalars that one becomes, as libutf8proc takes them.
func decomposition(_ value: UInt32, _ mapping: ScalarMapping) -> [Int32] {
  var scalars: [Int32] = []
  forEachScalar(of: value, mapping) { scalars.append(Int32($0)) }
  return scalars
}

/// The pairs of scalars that canonical composition joins, Hangul apart, learnt from libutf8proc: it composes the
/// canonical decomposition of every scalar, and those that come back are the primary composites.
struct Compositions: Sendable {
  private(set) var composites: Set<UInt32> = []
  private(set) var seconds: Set<UInt32> = []
  /// Open addressing: a pair in the upper 42 bits and its composite in the lower 21, or 0.
  private var slots: [UInt64] = Array(repeating: 0, count: 1 << Self.slotBits)
  private static let slotBits = 12

  /// - Parameter ranges: Where the scalars are that have decompositions.
  init(from ranges: [Range<UInt32>]) {
    for value in ranges.joined() {
      let property = utf8proc_get_property(Int32(value)).pointee
      guard property.decomp_seqindex != UInt16.max && property.decomp_type == 0 else { continue }
      let whole = decomposition(value, .canonical)
      guard let last = whole.last, whole.count > 1, Self.composed(whole) == [Int32(value)] else { continue }
      let first = Self.composed(Array(whole.dropLast()))
      precondition(first.count == 1, "U+\(String(value, radix: 16)) does not compose from two scalars")
      insert(UInt32(first[0]), UInt32(last), value)
    }
  }

  private mutating func insert(_ first: UInt32, _ second: UInt32, _ composite: UInt32) {
    composites.insert(composite)
    seconds.insert(second)
    precondition(composites.count < slots.count / 2, "there are more primary composites than there is room for")
    var slot = Self.slot(first, second)
    while slots[slot] != 0 { slot = (slot + 1) % slots.count }
    slots[slot] = Self.key(first, second) | UInt64(composite)
  }

  @inline(__always)
  subscript(_ first: UInt32, _ second: UInt32) -> UInt32? {
    let key = Self.key(first, second)
    var slot = Self.slot(first, second)
    while slots[slot] != 0 {
      if slots[slot] & ~0x1F_FFFF == key { return UInt32(truncatingIfNeeded: slots[slot] & 0x1F_FFFF) }
      slot = (slot + 1) % slots.count
    }
    return nil
  }

  @inline(__always)
  private static func key(_ first: UInt32, _ second: UInt32) -> UInt64 { UInt64(first) << 42 | UInt64(second) << 21 }

  @inline(__always)
  private static func slot(_ first: UInt32, _ second: UInt32) -> Int {
    Int((key(first, second) &* 0x9E37_79B9_7F4A_7C15) >> UInt64(64 - slotBits))
  }

  /// Scalars in canonical order, composed. STABLE leaves out the composition exclusions.
  private static func composed(_ scalars: [Int32]) -> [Int32] {
    var scalars = scalars
    let options = utf8proc_option_t(UTF8PROC_COMPOSE.rawValue | UTF8PROC_STABLE.rawValue)
    let count = scalars.withUnsafeMutableBufferPointer {
      utf8proc_normalize_utf32($0.baseAddress, $0.count, options)
    }
    precondition(count >= 0, "libutf8proc does not compose scalars: error \(count)")
    return Array(scalars.prefix(count))
  }
}

/// The version of Unicode whose data this module works by, such as "15.0.0".
public var unicodeVersion: String { String(cString: utf8proc_unicode_version()) }
