import CUTF8Proc

/// What the steps of a ``Normalizer`` must know of every scalar, asked of libutf8proc once (about 300 kB and four
/// milliseconds, the first time that a text is not ASCII or is changed). libutf8proc 2.8 has Unicode 15; the standard
/// library's properties, of a newer Unicode, are not used, so that one engine answers every question.
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
    /// No step changes the scalar.
    static let plain = Flags(rawValue: 1 << 10 - 1)
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
    let plain = Self.plainBlocks()
    let compositions = Compositions(from: plain.indices.filter { !plain[$0] }.map(Self.scalars))
    precondition(
      !compositions.seconds.contains { plain[Int($0 >> Self.blockBits)] }, "a scalar that joins others seems plain")
    var blocks: [UInt16] = []
    var entries = [UInt32](repeating: Flags.plain.rawValue, count: 1 << Self.blockBits)
    var known: [[UInt32]: UInt16] = [entries: 0]
    for index in plain.indices {
      if plain[index] {
        blocks.append(0)
        continue
      }
      let block = Self.scalars(ofBlock: index).map { Self.entry($0, compositions) }
      let number = known[block] ?? UInt16(entries.count >> Int(Self.blockBits))
      if known.updateValue(number, forKey: block) == nil { entries += block }
      blocks.append(number)
    }
    self.compositions = compositions
    self.blocks = blocks
    self.entries = entries
  }

  private static func scalars(ofBlock index: Int) -> Range<UInt32> {
    UInt32(index) << blockBits..<UInt32(index + 1) << blockBits
  }

  /// For every block, whether its scalars share one property, and no step changes them: ideographs, and what is not
  /// assigned. Most blocks are so, and need no closer look.
  private static func plainBlocks() -> [Bool] {
    (0..<0x11_0000 >> Int(blockBits)).map { index in
      let scalars = scalars(ofBlock: index)
      let first = utf8proc_get_property(Int32(scalars.lowerBound))
      guard scalars.allSatisfy({ utf8proc_get_property(Int32($0)) == first }), let property = first?.pointee else {
        return false
      }
      return property.decomp_seqindex == UInt16.max && property.casefold_seqindex == UInt16.max
        && property.lowercase_seqindex == UInt16.max && property.combining_class == 0 && !isMark(property)
        && !scalars.contains { Hangul.isSyllable($0) || Hangul.isSecond($0) }
    }
  }

  private static func entry(_ value: UInt32, _ compositions: Compositions) -> UInt32 {
    let property = utf8proc_get_property(Int32(value)).pointee
    var flags = normalFormFlags(value, property, compositions)
    // The only scalar whose full lowercase is longer than its simple one, U+0130, has a simple one too.
    if property.casefold_seqindex == UInt16.max { flags.insert(.isItsFolding) }
    if property.lowercase_seqindex == UInt16.max { flags.insert(.isItsLowercase) }
    if !isMark(property) { flags.insert(.isNoMark) }
    if value != 0x0A && value != 0x0D { flags.insert(.isNoLineEnding) }
    return flags.rawValue | UInt32(UInt8(truncatingIfNeeded: property.combining_class)) << 16
  }

  private static func isMark(_ property: utf8proc_property_t) -> Bool {
    let category = UInt32(property.category)
    return category == UTF8PROC_CATEGORY_MN.rawValue || category == UTF8PROC_CATEGORY_MC.rawValue
      || category == UTF8PROC_CATEGORY_ME.rawValue
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
