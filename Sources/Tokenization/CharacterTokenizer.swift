import UnicodeText

/// A vocabulary of Unicode scalars, ids in the order of scalars; `<unk>`, where there is one, is id 0.
public struct CharacterTokenizer: Tokenizer, Equatable {
  public let normalization: TextNormalization
  /// The scalars by id; `<unk>` has none.
  let scalars: [Unicode.Scalar?]
  /// id by scalar value, −1 where the vocabulary lacks it; as long as the largest scalar needs.
  private let ids: [Int32]

  static let unknownText = "<unk>"

  /// - Parameters:
  ///   - scalars: Distinct; in any order.
  ///   - hasUnknown: Whether `<unk>` is part of the vocabulary.
  public init(scalars: [Unicode.Scalar], hasUnknown: Bool, normalization: TextNormalization) {
    let known = scalars.sorted().map(Optional.some)
    self.init(byID: hasUnknown ? [nil] + known : known, normalization: normalization)
  }

  /// - Parameter byID: Distinct scalars by id, at most one without.
  init(byID: [Unicode.Scalar?], normalization: TextNormalization) {
    self.normalization = normalization
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

  public var unknownID: Int32? { scalars.firstIndex { $0 == nil }.map(Int32.init) }

  public func encode(_ text: String, unknown policy: UnknownPolicy, keepsOffsets: Bool) throws -> EncodedText {
    let normalized = TracedText(text, normalization, keepsOffsets: keepsOffsets)
    var encoded = EncodedText(ids: [], unknown: [], offsets: keepsOffsets ? [] : nil)
    var unknown = UnknownCounter(policy, unknownID)
    encoded.ids.reserveCapacity(normalized.text.utf8.count)
    var (position, offset) = (0, 0)
    for scalar in normalized.text.unicodeScalars {
      let id = id(of: scalar)
      if id < 0 { unknown.add(scalar, at: position) }
      if let id = id >= 0 ? id : unknown.replacement {
        encoded.ids.append(id)
        if keepsOffsets {
          encoded.offsets?.append(normalized.original(offset..<offset + UTF8.width(scalar)))
        }
      }
      position += 1
      if keepsOffsets { offset += UTF8.width(scalar) }
    }
    encoded.offsets = encoded.offsets.map(TracedText.ordered)
    encoded.unknown = try unknown.finish()
    return encoded
  }

  private func id(of scalar: Unicode.Scalar) -> Int32 {
    scalar.value < ids.count ? ids[Int(scalar.value)] : -1
  }

  public func bytes(of id: Int32) -> [UInt8] {
    precondition(id >= 0 && id < scalars.count, "token \(id) asked of a vocabulary of \(scalars.count)")
    return Array((scalars[Int(id)].map { String($0) } ?? Self.unknownText).utf8)
  }

  public func id(of text: String) -> Int32? {
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

  /// A trainer; a minimum frequency of 1 keeps every symbol.
  public init(normalization: TextNormalization, minimumFrequency: Int) {
    self.normalization = normalization
    self.minimumFrequency = minimumFrequency
  }

  /// - Returns: The tokenizer; its vocabulary has `<unk>` exactly where rare symbols were left out.
  public func train(_ text: String) -> CharacterTokenizer {
    var counts: [Unicode.Scalar: Int] = [:]
    for scalar in normalization.normalize(text).unicodeScalars { counts[scalar, default: 0] += 1 }
    let kept = counts.filter { $0.value >= minimumFrequency }.keys
    return CharacterTokenizer(
      scalars: Array(kept), hasUnknown: kept.count < counts.count, normalization: normalization)
  }
}
