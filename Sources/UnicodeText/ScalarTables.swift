import CUTF8Proc

/// What the steps of a ``Normalizer`` must know of every scalar, asked of libutf8proc once (about 300 kB and some
/// milliseconds, the first time that a text is not ASCII). libutf8proc 2.8 has Unicode 15; the standard library's
/// properties, of a newer Unicode, are not used, so that one engine answers every question.
final class ScalarTables: Sendable {
  static let shared = ScalarTables()

  /// Steps that leave a scalar as it is, whatever stands before it; and the classes of scalars.
  struct Flags: OptionSet, Sendable {
    let rawValue: UInt32
    static let inertInNFC = Flags(rawValue: 1)
    static let inertInNFD = Flags(rawValue: 1 << 1)
    static let inertInNFKC = Flags(rawValue: 1 << 2)
    static let inertInNFKD = Flags(rawValue: 1 << 3)
    static let isItsFolding = Flags(rawValue: 1 << 4)
    static let isItsLowercase = Flags(rawValue: 1 << 5)
    static let isNoMark = Flags(rawValue: 1 << 6)
    static let isNoLineEnding = Flags(rawValue: 1 << 7)
    /// The scalar is its own full decomposition; a mark can be so too, which is inert in no form.
    static let isItsCanonicalDecomposition = Flags(rawValue: 1 << 8)
    static let isItsCompatibilityDecomposition = Flags(rawValue: 1 << 9)
  }

  /// Flags in the low half, the canonical combining class in the high one.
  struct Entry {
    let bits: UInt32
    @inline(__always) func has(_ flags: Flags) -> Bool { bits & flags.rawValue == flags.rawValue }
    @inline(__always) var combiningClass: UInt8 { UInt8(truncatingIfNeeded: bits >> 16) }
  }

  private static let blockBits: UInt32 = 7
  private let blocks: [UInt16]
  private let entries: [UInt32]
  private let compositions: Compositions

  @inline(__always)
  subscript(_ value: UInt32) -> Entry {
    let block = UInt32(blocks[Int(value >> Self.blockBits)])
    return Entry(bits: entries[Int(block << Self.blockBits | value & (1 << Self.blockBits - 1))])
  }

  /// The primary composite of two scalars (Unicode 16, D114), Hangul syllables included.
  @inline(__always)
  func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
    Hangul.composite(first, second) ?? compositions[first, second]
  }

  private init() {
    let compositions = Compositions()
    var blocks: [UInt16] = []
    var entries: [UInt32] = []
    var known: [[UInt32]: UInt16] = [:]
    let size: UInt32 = 1 << Self.blockBits
    for start in stride(from: UInt32(0), to: 0x11_0000, by: Int(size)) {
      let block = (start..<start + size).map { Self.entry($0, compositions) }
      let number = known[block] ?? UInt16(entries.count >> Int(Self.blockBits))
      if known.updateValue(number, forKey: block) == nil { entries += block }
      blocks.append(number)
    }
    self.compositions = compositions
    self.blocks = blocks
    self.entries = entries
  }

  private static func entry(_ value: UInt32, _ compositions: Compositions) -> UInt32 {
    let property = utf8proc_get_property(Int32(value)).pointee
    var flags = normalFormFlags(value, property, compositions)
    // The only scalar whose full lowercase is longer than its simple one, U+0130, has a simple one too.
    if property.casefold_seqindex == UInt16.max { flags.insert(.isItsFolding) }
    if property.lowercase_seqindex == UInt16.max { flags.insert(.isItsLowercase) }
    let marks = [UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_MC, UTF8PROC_CATEGORY_ME]
    if !marks.contains(where: { Int16($0.rawValue) == property.category }) { flags.insert(.isNoMark) }
    if value != 0x0A && value != 0x0D { flags.insert(.isNoLineEnding) }
    return flags.rawValue | UInt32(UInt8(truncatingIfNeeded: property.combining_class)) << 16
  }

  /// A scalar is inert in a form where it is its own normal form, begins with a starter and never joins what precedes
  /// it: then text may be cut before it (UAX #15, section 9.1).
  private static func normalFormFlags(
    _ value: UInt32, _ property: utf8proc_property_t, _ compositions: Compositions
  ) -> Flags {
    if Hangul.isSyllable(value) { return [.inertInNFC, .inertInNFKC] }
    let joins = compositions.seconds.contains(value) || Hangul.isSecond(value)
    let isStarter = property.combining_class == 0
    guard property.decomp_seqindex != UInt16.max else {
      let whole: Flags = [.isItsCanonicalDecomposition, .isItsCompatibilityDecomposition]
      if !isStarter { return whole }
      return whole.union(
        joins ? [.inertInNFD, .inertInNFKD] : [.inertInNFC, .inertInNFD, .inertInNFKC, .inertInNFKD])
    }
    let canonical = decomposition(value, .canonical)
    let isCanonical = canonical == [Int32(value)]
    let keepsCompatibility = decomposition(value, .compatibility) == canonical
    var flags: Flags = []
    if isCanonical { flags.insert(.isItsCanonicalDecomposition) }
    if isCanonical && keepsCompatibility { flags.insert(.isItsCompatibilityDecomposition) }
    guard isStarter else { return flags }
    let beginsApart = !compositions.seconds.contains(UInt32(canonical[0]))
    let isComposed = !joins && (isCanonical || compositions.composites.contains(value) && beginsApart)
    if isComposed { flags.insert(.inertInNFC) }
    if isComposed && keepsCompatibility { flags.insert(.inertInNFKC) }
    if isCanonical { flags.insert(.inertInNFD) }
    if isCanonical && keepsCompatibility { flags.insert(.inertInNFKD) }
    return flags
  }
}

/// Hangul syllables, which are composed by arithmetic (Unicode 16, section 3.12). libutf8proc 2.8 takes U+11A7 for a
/// trailing consonant and loses it, so it is not asked.
enum Hangul {
  static func isSyllable(_ value: UInt32) -> Bool { value &- 0xAC00 < 11_172 }

  /// Vowels and trailing consonants, which join what precedes.
  static func isSecond(_ value: UInt32) -> Bool { value &- 0x1161 < 21 || value &- 0x11A8 < 27 }

  @inline(__always)
  static func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
    let lead = first &- 0x1100
    let vowel = second &- 0x1161
    if lead < 19 && vowel < 21 { return 0xAC00 + (lead * 21 + vowel) * 28 }
    let syllable = first &- 0xAC00
    let trail = second &- 0x11A7
    if syllable < 11_172 && syllable % 28 == 0 && trail &- 1 < 27 { return first + trail }
    return nil
  }
}
