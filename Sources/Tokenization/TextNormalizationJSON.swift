import ModelFiles
import UnicodeText

extension TextNormalization {
  /// The steps in tokenizer.json's terms; null for none.
  var json: JSON {
    let parts = steps.flatMap(\.json)
    if parts.count < 2 { return parts.first ?? nil }
    return ["type": "Sequence", "normalizers": .array(parts)]
  }

  /// What Hugging Face's reader has no normalizer for.
  public var exportObstacle: String? {
    for step in steps {
      switch step {
      case .unicode(let normalizer) where normalizer.steps.contains(.caseFolding):
        return "tokenizer.json has no word for the normalization casefold; lowercase it has"
      case .sentencePiece: return "tokenizer.json has no exact words for the rules of a sentencepiece model"
      case .unicode, .prepend, .replace, .strip: continue
      }
    }
    return nil
  }

  /// - Throws: ``TokenizerJSONError`` for a normalizer that is not known here, by its name.
  init(tokenizerJSON normalizer: JSON?) throws {
    guard let normalizer, !normalizer.isNull else {
      self.init()
      return
    }
    self.init(try Self.steps(normalizer))
  }

  /// The parser of JSON bounds the depth.
  private static func steps(_ json: JSON) throws -> [Step] {
    guard let type = json["type"]?.string else { throw TokenizerJSONError("has a normalizer without a type") }
    let unicode = Normalizer.Step.allCases.first { $0 != .lineEndings && $0.jsonType == type }
    if let unicode { return [.unicode(Normalizer([unicode]))] }
    switch type {
    case "Sequence":
      guard let parts = json["normalizers"]?.array else { throw unknown(type) }
      return try parts.flatMap(steps)
    case "Prepend":
      guard let prefix = json["prepend"]?.string else { throw unknown(type) }
      return [.prepend(prefix)]
    case "Strip":
      return [.strip(left: json["strip_left"]?.bool ?? true, right: json["strip_right"]?.bool ?? true)]
    case "Replace":
      guard let content = json["content"]?.string else { throw unknown(type) }
      if let text = json["pattern"]?["String"]?.string, !text.isEmpty { return [.replace(text, by: content)] }
      let isLineEnding = json["pattern"]?["Regex"]?.string == Normalizer.Step.lineEndingPattern && content == "\n"
      guard isLineEnding else { throw unknown("\(type) with this pattern") }
      return [.unicode(Normalizer([.lineEndings]))]
    case "Precompiled":
      throw TokenizerJSONError(
        "has the normalizer Precompiled, which this version does not know; give the sentencepiece .model it was made of"
      )
    default: throw unknown(type)
    }
  }

  private static func unknown(_ name: String) -> TokenizerJSONError {
    TokenizerJSONError("has the normalizer \(name), which this version does not know")
  }
}

extension TextNormalization.Step {
  fileprivate var json: [JSON] {
    switch self {
    case .unicode(let normalizer): normalizer.steps.map(\.json)
    case .prepend(let prefix): [["type": "Prepend", "prepend": .string(prefix)]]
    case .replace(let text, let by):
      [["type": "Replace", "pattern": ["String": .string(text)], "content": .string(by)]]
    case .strip(let left, let right): [["type": "Strip", "strip_left": .bool(left), "strip_right": .bool(right)]]
    // Part of the model that it came with.
    case .sentencePiece: []
    }
  }
}

extension Normalizer.Step {
  /// The name of the step's normalizer, where it has no setting. Hugging Face has none for case folding, and refuses ours.
  fileprivate var jsonType: String { huggingFaceName ?? "CaseFolding" }

  fileprivate var json: JSON {
    guard self == .lineEndings else { return ["type": .string(jsonType)] }
    return ["type": .string(jsonType), "pattern": ["Regex": .string(Self.lineEndingPattern)], "content": "\n"]
  }
}
