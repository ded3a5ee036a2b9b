import ModelFiles
import UnicodeText

/// A vocabulary of extended grapheme clusters (UAX #29), what readers take for one character: e with an accent, a flag, a
/// family, CR LF. Ids are in the order of the clusters' scalars; `<unk>`, where there is one, is id 0.
public struct GraphemeTokenizer: Tokenizer, Equatable {
  public let normalization: TextNormalization
  /// The clusters in UTF-8 by id; `<unk>` has none.
  let clusters: [[UInt8]?]
  private let ids: [[UInt8]: Int32]

  /// The regular expression of a cluster, for tokenizer.json; here ``GraphemeBreaker`` does its work.
  private static let pattern = #"\X"#

  /// - Parameter byID: Distinct clusters by id, at most one without.
  init(byID: [[UInt8]?], normalization: TextNormalization) {
    self.normalization = normalization
    clusters = byID
    var ids = [[UInt8]: Int32](minimumCapacity: byID.count)
    for (id, cluster) in byID.enumerated() {
      guard let cluster else { continue }
      precondition(ids.updateValue(Int32(id), forKey: cluster) == nil, "a cluster stands once in a vocabulary")
    }
    self.ids = ids
  }

  public var vocabularySize: Int { clusters.count }

  public var unknownID: Int32? { clusters.firstIndex { $0 == nil }.map(Int32.init) }

  public func encode(_ text: String, unknown policy: UnknownPolicy, keepsOffsets: Bool) throws -> EncodedText {
    let normalized = TracedText(text, normalization, keepsOffsets: keepsOffsets)
    var encoded = EncodedText(ids: [], unknown: [], offsets: keepsOffsets ? [] : nil)
    var unknown = UnknownCounter(policy, unknownID)
    var (position, offset) = (0, 0)
    for cluster in GraphemeClusters(normalized.text.unicodeScalars) {
      let bytes = Array(cluster.utf8)
      let id = ids[bytes]
      if id == nil { unknown.add(Array(cluster.unicodeScalars), at: position) }
      if let id = id ?? unknown.replacement {
        encoded.ids.append(id)
        if keepsOffsets { encoded.offsets?.append(normalized.original(offset..<offset + bytes.count)) }
      }
      position += 1
      offset += bytes.count
    }
    encoded.offsets = encoded.offsets.map(TracedText.ordered)
    encoded.unknown = try unknown.finish()
    return encoded
  }

  public func bytes(of id: Int32) -> [UInt8] {
    precondition(id >= 0 && id < clusters.count, "token \(id) asked of a vocabulary of \(clusters.count)")
    return clusters[Int(id)] ?? Array(CharacterTokenizer.unknownText.utf8)
  }

  public func id(of text: String) -> Int32? { ids[Array(text.utf8)] }

  // MARK: tokenizer.json

  /// A model of whole words, each of which is a cluster, in Hugging Face's terms.
  public func tokenizerJSON() -> String {
    let vocabulary = clusters.enumerated().map { id, cluster in
      JSON.Member(cluster.map { String(decoding: $0, as: UTF8.self) } ?? CharacterTokenizer.unknownText, .integer(id))
    }
    return TokenizerDocument(
      normalization: normalization, preTokenizer: PreTokenization.split(Self.pattern, "Isolated"),
      decoder: ["type": "Fuse"],
      model: [
        "type": "WordLevel", "vocab": .object(vocabulary), "unk_token": .string(CharacterTokenizer.unknownText),
      ]
    ).text
  }

  /// Reads what ``tokenizerJSON()`` writes.
  ///
  /// - Throws: ``TokenizerJSONError``, also for models of other words.
  init(_ document: JSON) throws {
    let cuts = document["pre_tokenizer"]
    guard cuts?["type"]?.string == "Split", cuts?["pattern"]?["Regex"]?.string == Self.pattern,
      cuts?["behavior"]?.string == "Isolated", cuts?["invert"]?.bool ?? false == false,
      document["added_tokens"]?.array?.isEmpty ?? true
    else { throw TokenizerJSONError("has a model of whole words, which this version does not know") }
    guard let members = document["model"]?["vocab"]?.members, !members.isEmpty else {
      throw TokenizerJSONError("has no vocabulary")
    }
    let unknown = document["model"]?["unk_token"]?.string.map { Array($0.utf8) }
    var byID = [[UInt8]??](repeating: nil, count: members.count)
    for member in members {
      guard let id = member.value.integer, byID.indices.contains(id), byID[id] == nil else {
        throw TokenizerJSONError(
          "gives the cluster \"\(member.key)\" an id that is taken or not of 0 ..< \(byID.count)")
      }
      let bytes = Array(member.key.utf8)
      guard bytes == unknown || Array(GraphemeClusters(member.key.unicodeScalars)).count == 1 else {
        throw TokenizerJSONError("has the symbol \"\(member.key)\", which is not one grapheme cluster")
      }
      byID[id] = .some(bytes == unknown ? nil : bytes)
    }
    self.init(byID: byID.map { $0 ?? nil }, normalization: try TextNormalization(tokenizerJSON: document["normalizer"]))
  }
}

/// Learns a vocabulary of grapheme clusters from a training text.
public struct GraphemeTokenizerTrainer: Sendable {
  public var normalization: TextNormalization
  /// Clusters seen less often become `<unk>`; 1 keeps all and makes no `<unk>`.
  public var minimumFrequency: Int

  /// A trainer; a minimum frequency of 1 keeps every cluster.
  public init(normalization: TextNormalization, minimumFrequency: Int) {
    self.normalization = normalization
    self.minimumFrequency = minimumFrequency
  }

  /// - Returns: The tokenizer; its vocabulary has `<unk>` exactly where rare clusters were left out.
  public func train(_ text: String) -> GraphemeTokenizer {
    var counts: [[UInt8]: Int] = [:]
    for cluster in GraphemeClusters(normalization.normalize(text).unicodeScalars) {
      counts[Array(cluster.utf8), default: 0] += 1
    }
    // The order of UTF-8 is that of scalars.
    let kept = counts.filter { $0.value >= minimumFrequency }.keys.sorted { $0.lexicographicallyPrecedes($1) }
    return GraphemeTokenizer(
      byID: (kept.count < counts.count ? [nil] : []) + kept.map(Optional.some), normalization: normalization)
  }
}
