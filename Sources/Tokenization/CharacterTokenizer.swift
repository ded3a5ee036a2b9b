import UnicodeText

/// A vocabulary of Unicode scalars: special symbols, then `<unk>`, where there is one, then scalars in their order.
public struct CharacterTokenizer: Tokenizer, Equatable {
  public let normalization: TextNormalization
  public let unknownID: Int32?
  /// The scalars by id; special symbols and `<unk>` have none.
  let scalars: [Unicode.Scalar?]
  /// Symbols that are found in a text as they are, with their ids.
  let specialSymbols: [SpecialSymbol]
  /// id by scalar value, −1 where the vocabulary lacks it; as long as the largest scalar needs.
  private let ids: [Int32]

  static let unknownText = "<unk>"

  /// - Parameters:
  ///   - scalars: Distinct; in any order.
  ///   - hasUnknown: Whether `<unk>` is part of the vocabulary.
  ///   - specialSymbols: Symbols that are found in a text as they are; distinct, none empty.
  public init(
    scalars: [Unicode.Scalar], hasUnknown: Bool, normalization: TextNormalization, specialSymbols: [String] = []
  ) {
    let others = [Unicode.Scalar?](repeating: nil, count: specialSymbols.count + (hasUnknown ? 1 : 0))
    self.init(
      byID: others + scalars.sorted().map(Optional.some), unknownID: hasUnknown ? Int32(specialSymbols.count) : nil,
      normalization: normalization, specialSymbols: .init(specialSymbols, from: 0))
  }

  /// - Parameter byID: Distinct scalars by id; special symbols and the unknown one have none.
  init(
    byID: [Unicode.Scalar?], unknownID: Int32?, normalization: TextNormalization, specialSymbols: [SpecialSymbol]
  ) {
    self.normalization = normalization
    self.unknownID = unknownID
    self.specialSymbols = specialSymbols
    self.scalars = byID
    let largest = byID.compactMap { $0?.value }.max() ?? 0
    var ids = [Int32](repeating: -1, count: Int(largest) + 1)
    for (id, scalar) in byID.enumerated() {
      guard let scalar else { continue }
      precondition(ids[Int(scalar.value)] < 0, "the scalar \(scalar) stands twice in a vocabulary")
      ids[Int(scalar.value)] = Int32(id)
    }
    self.ids = ids
  }

  public var vocabularySize: Int { scalars.count }

  public func specialID(of text: String) -> Int32? { specialSymbols.id(of: text) }

  public func encode(_ text: String, unknown policy: UnknownPolicy, keepsOffsets: Bool) throws -> EncodedText {
    guard keepsOffsets else { return try encodeBytes(text, policy) }
    var encoded = EncodedText(ids: [], unknown: [], offsets: [])
    var unknown = UnknownCounter(policy, unknownID)
    var position = 0
    for segment in SpecialSymbol.segments(of: text, specialSymbols) {
      if let symbol = segment.symbol {
        encoded.ids.append(symbol.id)
        encoded.offsets?.append(segment.range)
        position += 1
      } else {
        encode(segment, &encoded, &unknown, &position)
      }
    }
    encoded.offsets = encoded.offsets.map(TracedText.ordered)
    encoded.unknown = try unknown.finish()
    return encoded
  }

  /// - Parameter position: Symbols of the normalized text before the segment, and after it.
  private func encode(
    _ segment: SpecialSymbol.Segment, _ encoded: inout EncodedText, _ unknown: inout UnknownCounter,
    _ position: inout Int
  ) {
    let start = segment.range.lowerBound
    let normalized = TracedText(segment.text, normalization, keepsOffsets: true)
    var offset = 0
    for scalar in normalized.text.unicodeScalars {
      let id = id(of: scalar)
      if id < 0 { unknown.add(scalar, at: position) }
      if let id = id >= 0 ? id : unknown.replacement {
        encoded.ids.append(id)
        let range = normalized.original(offset..<offset + UTF8.width(scalar))
        encoded.offsets?.append(range.lowerBound + start..<range.upperBound + start)
      }
      position += 1
      offset += UTF8.width(scalar)
    }
  }

  private func encodeBytes(_ text: String, _ policy: UnknownPolicy) throws -> EncodedText {
    var encoder = SegmentEncoder(self, policy)
    var text = text
    var ids: [Int32] = []
    ids.reserveCapacity(text.utf8.count)
    try text.withUTF8 { bytes in
      // In pieces that stay in the processor's caches.
      for start in stride(from: 0, to: bytes.count, by: 1 << 16) {
        try encoder.append(Array(bytes[start..<min(start + 1 << 16, bytes.count)])[...], to: &ids)
      }
    }
    let unknown = try encoder.finish(&ids)
    return EncodedText(ids: ids, unknown: unknown)
  }

  /// Appends the ids of normalized text.
  ///
  /// - Parameters:
  ///   - text: Whole scalars of UTF-8.
  ///   - position: Scalars before them; moved behind them.
  func append(_ text: [UInt8], _ position: inout Int, _ unknown: inout UnknownCounter, to ids: inout [Int32]) {
    guard !text.isEmpty else { return }
    let ascii = (0..<UInt32(128)).map { $0 < self.ids.count ? self.ids[Int($0)] : -1 }
    let first = position
    var scalars = 0
    ids += [Int32](unsafeUninitializedCapacity: text.count) { buffer, count in
      var (written, place) = (0, 0)
      while place < text.count {
        let byte = text[place]
        if byte < 0x80, ascii[Int(byte)] >= 0 {
          buffer[written] = ascii[Int(byte)]
          written &+= 1
          place &+= 1
          scalars &+= 1
          continue
        }
        let (scalar, width) = WordScanner.scalar(text, place)
        let id = id(of: scalar)
        if id < 0 { unknown.add(scalar, at: first + scalars) }
        if let id = id >= 0 ? id : unknown.replacement {
          buffer[written] = id
          written &+= 1
        }
        place += width
        scalars &+= 1
      }
      count = written
    }
    position += scalars
  }

  /// The vocabulary with the scalars of a text that it lacks, behind its own and in their order; ids stay what they are.
  /// Scalars seen less often than the minimum frequency stay unknown; where nothing is lacking it is the same.
  func extended(by counts: ScalarCounts, minimumFrequency: Int) -> CharacterTokenizer {
    let new = counts.seen.filter { $0.count >= minimumFrequency && id(of: $0.scalar) < 0 }.map(\.scalar)
    guard !new.isEmpty else { return self }
    return CharacterTokenizer(
      byID: scalars + new.map(Optional.some), unknownID: unknownID, normalization: normalization,
      specialSymbols: specialSymbols)
  }

  func id(of scalar: Unicode.Scalar) -> Int32 {
    scalar.value < ids.count ? ids[Int(scalar.value)] : -1
  }

  public func bytes(of id: Int32) -> [UInt8] {
    precondition(id >= 0 && id < scalars.count, "token \(id) asked of a vocabulary of \(scalars.count)")
    return Array(name(of: id).utf8)
  }

  /// What a token is called, and adds to a text.
  func name(of id: Int32) -> String {
    if let scalar = scalars[Int(id)] { return String(scalar) }
    return specialSymbols.first { $0.id == id }?.text ?? Self.unknownText
  }

  public func id(of text: String) -> Int32? {
    if let special = specialID(of: text) { return special }
    guard text.unicodeScalars.count == 1, let scalar = text.unicodeScalars.first else { return nil }
    let id = id(of: scalar)
    return id >= 0 ? id : nil
  }
}

/// Learns a vocabulary of scalars from a training text.
public struct CharacterTokenizerTrainer: Sendable {
  public var normalization: TextNormalization
  /// Symbols seen less often become `<unk>`; 1 keeps all and makes no `<unk>`.
  public var minimumFrequency: Int
  /// Symbols that are found in a text as they are, which get the first ids.
  public var specialSymbols: [String] = []

  /// A trainer; a minimum frequency of 1 keeps every symbol.
  public init(normalization: TextNormalization, minimumFrequency: Int) {
    self.normalization = normalization
    self.minimumFrequency = minimumFrequency
  }

  /// - Returns: The tokenizer; its vocabulary has `<unk>` exactly where rare symbols were left out.
  public func train(_ text: String) -> CharacterTokenizer {
    var counts = ScalarCounts()
    for segment in SpecialSymbol.segments(of: text, .init(specialSymbols, from: 0)) where segment.symbol == nil {
      counts.add(Array(normalization.normalize(segment.text).utf8))
    }
    return train(counts)
  }

  func train(_ counts: ScalarCounts) -> CharacterTokenizer {
    let seen = counts.seen
    let kept = seen.filter { $0.count >= minimumFrequency }
    return CharacterTokenizer(
      scalars: kept.map(\.scalar), hasUnknown: kept.count < seen.count, normalization: normalization,
      specialSymbols: specialSymbols)
  }
}

/// How often each scalar occurs in a text that comes in pieces.
struct ScalarCounts {
  /// By scalar; as long as the largest so far needs.
  private var counts = [Int](repeating: 0, count: 128)

  /// Counts whole scalars of valid UTF-8.
  mutating func add(_ text: [UInt8]) {
    var place = 0
    while place < text.count {
      let byte = text[place]
      if byte < 0x80 {
        counts[Int(byte)] &+= 1
        place &+= 1
        continue
      }
      let (scalar, width) = WordScanner.scalar(text, place)
      let value = Int(scalar.value)
      if value >= counts.count { counts += repeatElement(0, count: value + 1 - counts.count) }
      counts[value] &+= 1
      place += width
    }
  }

  /// The scalars that occur, in order.
  var seen: [(scalar: Unicode.Scalar, count: Int)] {
    counts.enumerated().compactMap { value, count in
      guard count > 0, let scalar = Unicode.Scalar(UInt32(value)) else { return nil }
      return (scalar, count)
    }
  }
}
