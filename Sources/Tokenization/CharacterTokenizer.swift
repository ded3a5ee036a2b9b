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
    var encoded = EncodedText(ids: [], unknown: [], offsets: keepsOffsets ? [] : nil)
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
    let keepsOffsets = encoded.offsets != nil
    let start = segment.range.lowerBound
    let normalized = TracedText(segment.text, normalization, keepsOffsets: keepsOffsets)
    encoded.ids.reserveCapacity(encoded.ids.count + normalized.text.utf8.count)
    var offset = 0
    for scalar in normalized.text.unicodeScalars {
      let id = id(of: scalar)
      if id < 0 { unknown.add(scalar, at: position) }
      if let id = id >= 0 ? id : unknown.replacement {
        encoded.ids.append(id)
        if keepsOffsets {
          let range = normalized.original(offset..<offset + UTF8.width(scalar))
          encoded.offsets?.append(range.lowerBound + start..<range.upperBound + start)
        }
      }
      position += 1
      if keepsOffsets { offset += UTF8.width(scalar) }
    }
  }

  private func id(of scalar: Unicode.Scalar) -> Int32 {
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
    var counts: [Unicode.Scalar: Int] = [:]
    for segment in SpecialSymbol.segments(of: text, .init(specialSymbols, from: 0)) {
      for scalar in normalization.normalize(segment.text).unicodeScalars { counts[scalar, default: 0] += 1 }
    }
    let kept = counts.filter { $0.value >= minimumFrequency }.keys
    return CharacterTokenizer(
      scalars: Array(kept), hasUnknown: kept.count < counts.count, normalization: normalization,
      specialSymbols: specialSymbols)
  }
}
