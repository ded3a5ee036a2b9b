import ModelFiles

/// The parts of a tokenizer.json, as Hugging Face `tokenizers` has them.
struct TokenizerDocument {
  var addedTokens: [JSON] = []
  let normalization: TextNormalization
  let preTokenizer: JSON
  let decoder: JSON
  let model: JSON

  static let byteLevelDecoder: JSON = [
    "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false,
  ]

  /// Joins without spaces; bytes that fell back become characters again.
  static func decoder(byteFallback: Bool, metaspace: JSON?) -> JSON {
    let parts: [JSON] = (byteFallback ? [["type": "ByteFallback"]] : []) + [["type": "Fuse"]]
    if let metaspace { return ["type": "Sequence", "decoders": .array([metaspace] + parts)] }
    return parts.count == 1 ? parts[0] : ["type": "Sequence", "decoders": .array(parts)]
  }

  /// A symbol that is found in a text as it is, before anything else.
  static func addedToken(_ text: String, id: Int32) -> JSON {
    [
      "id": .integer(Int(id)), "content": .string(text), "single_word": false, "lstrip": false, "rstrip": false,
      "normalized": false, "special": true,
    ]
  }

  static func bytePair(
    vocabulary: [JSON.Member], merges: [(String, String)], unknown: String?, byteFallback: Bool,
    fusesUnknown: Bool = false
  ) -> JSON {
    [
      "type": "BPE", "dropout": nil, "unk_token": unknown.map { .string($0) } ?? nil,
      "continuing_subword_prefix": nil, "end_of_word_suffix": nil, "fuse_unk": .bool(fusesUnknown),
      "byte_fallback": .bool(byteFallback), "ignore_merges": false, "vocab": .object(vocabulary),
      "merges": .array(merges.map { [.string($0.0), .string($0.1)] }),
    ]
  }

  /// A model of a type that Hugging Face's reader does not know and refuses: sentencepiece's own file, as base64.
  static func text(sentencePiece: [UInt8]) -> String {
    let document: JSON = [
      "version": "1.0",
      "model": ["type": .string(sentencePieceType), "file": .string(Base64.encoded(sentencePiece))],
    ]
    return document.text(indented: true) + "\n"
  }

  static let sentencePieceType = "SentencePiece"

  var text: String {
    let document: JSON = [
      "version": "1.0", "truncation": nil, "padding": nil, "added_tokens": .array(addedTokens),
      "normalizer": normalization.json,
      "pre_tokenizer": preTokenizer, "post_processor": nil, "decoder": decoder, "model": model,
    ]
    return document.text(indented: true) + "\n"
  }
}

extension PreTokenization {
  /// The cuts in tokenizer.json's terms; a byte-level vocabulary's bytes are named in the same place.
  func json(byteLevel: Bool) -> JSON {
    func bytes(cutting: Bool) -> JSON {
      ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": .bool(cutting)]
    }
    switch self {
    case .none: return byteLevel ? bytes(cutting: false) : nil
    case .gpt2: return byteLevel ? bytes(cutting: true) : Self.split(Self.gpt2Pattern, "Isolated")
    case .whitespace:
      let cuts = Self.split(Self.whitespacePattern, "MergedWithNext")
      return byteLevel ? ["type": "Sequence", "pretokenizers": [cuts, bytes(cutting: false)]] : cuts
    case .metaspace: return metaspaceJSON ?? nil
    }
  }

  /// A cut by a regular expression.
  static func split(_ pattern: String, _ behavior: String) -> JSON {
    ["type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": .string(behavior), "invert": false]
  }

  /// sentencepiece's marks, which are a pre-tokenizer and a decoder; nil for the other kinds.
  var metaspaceJSON: JSON? {
    guard case .metaspace(let prepend, let splits) = self else { return nil }
    return [
      "type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": .string(prepend.rawValue),
      "split": .bool(splits),
    ]
  }

  private static let whitespacePattern = #"\s"#

  /// Reads what ``json(byteLevel:)`` and Hugging Face's own trainers write.
  ///
  /// - Returns: The cuts, and whether the vocabulary names bytes.
  /// - Throws: ``TokenizerJSONError``.
  static func read(_ json: JSON?) throws -> (cuts: PreTokenization, isByteLevel: Bool) {
    guard let json, !json.isNull else { return (.none, false) }
    let parts = json["type"]?.string == "Sequence" ? json["pretokenizers"]?.array ?? [] : [json]
    var (cuts, isByteLevel) = (PreTokenization.none, false)
    for part in parts {
      guard !isByteLevel else { throw unknownPreTokenizer }
      let next = try readPart(part, &isByteLevel)
      guard next == .none || cuts == .none else { throw unknownPreTokenizer }
      if next != .none { cuts = next }
    }
    return (cuts, isByteLevel)
  }

  private static let unknownPreTokenizer = TokenizerJSONError("has a pre-tokenizer that this version does not know")

  private static func readPart(_ part: JSON, _ isByteLevel: inout Bool) throws -> PreTokenization {
    switch part["type"]?.string {
    case "ByteLevel":
      guard part["add_prefix_space"]?.bool == false else { throw unknownPreTokenizer }
      isByteLevel = true
      return part["use_regex"]?.bool ?? true ? .gpt2 : .none
    case "Split":
      guard part["invert"]?.bool ?? false == false else { throw unknownPreTokenizer }
      switch (part["pattern"]?["Regex"]?.string, part["behavior"]?.string) {
      case (whitespacePattern, "MergedWithNext"): return .whitespace
      case (gpt2Pattern, "Isolated"): return .gpt2
      default: throw unknownPreTokenizer
      }
    case "Metaspace":
      let prepend = Prepend(rawValue: part["prepend_scheme"]?.string ?? "always")
      guard part["replacement"]?.string == "\u{2581}", let prepend else { throw unknownPreTokenizer }
      return .metaspace(prepend: prepend, splits: part["split"]?.bool ?? true)
    default: throw unknownPreTokenizer
    }
  }
}
