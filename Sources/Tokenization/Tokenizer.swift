/// Tokenization: vocabularies, tokenizers and their trainers, and tokenizer.json.

/// Turns text into token ids and back.
public protocol Tokenizer: Sendable {
  /// V.
  var vocabularySize: Int { get }
  /// What every text goes through first.
  var normalization: TextNormalization { get }
  /// The id that stands for symbols outside the vocabulary, where it was trained.
  var unknownID: Int32? { get }
  /// Normalizes and encodes a text.
  ///
  /// - Parameter keepsOffsets: Whether ``EncodedText/offsets`` are wanted too, which costs time and memory.
  /// - Throws: ``UnknownSymbolsError`` with the policy `fail`, or `replace` where there is no `<unk>`.
  func encode(_ text: String, unknown: UnknownPolicy, keepsOffsets: Bool) throws -> EncodedText
  /// The bytes that one token adds to a text: perhaps a part of a character only. Ids must be of the vocabulary.
  func bytes(of id: Int32) -> [UInt8]
  /// Whether the bytes of a text's first token lose the space that they begin with, as in vocabularies that mark the
  /// beginnings of words and put such a mark before every text.
  var dropsLeadingSpace: Bool { get }
  /// The id of a token's text, where the vocabulary has it.
  func id(of text: String) -> Int32?
  /// The id of a symbol that is found in a text as it is, before all else; nil where the text is none.
  func specialID(of text: String) -> Int32?
  /// The content of `tokenizer.json`, as Hugging Face `tokenizers` reads it, except where ``exportObstacle`` says why it
  /// cannot: then it has words of our own, which that reader refuses.
  func tokenizerJSON() -> String
  /// What `tokenizer.json` has no words for, so that only this program can read it.
  var exportObstacle: String? { get }
}

extension Tokenizer {
  public var dropsLeadingSpace: Bool { false }

  public var exportObstacle: String? { normalization.exportObstacle }

  public func specialID(of text: String) -> Int32? { nil }

  /// What a token is, for people: a character, a byte, a (grapheme) cluster or a token.
  public var unitName: String {
    switch self {
    case is CharacterTokenizer: "character"
    case is ByteTokenizer: "byte"
    case is GraphemeTokenizer: "cluster"
    default: "token"
    }
  }

  /// Normalizes and encodes a text, without offsets.
  public func encode(_ text: String, unknown: UnknownPolicy) throws -> EncodedText {
    try encode(text, unknown: unknown, keepsOffsets: false)
  }

  /// The text of one token, to look at: bytes that are no whole characters become U+FFFD.
  public func text(of id: Int32) -> String { String(decoding: bytes(of: id), as: UTF8.self) }

  /// The text of many tokens; bytes that are no characters even together become U+FFFD.
  public func decode(_ ids: [Int32]) -> String {
    var decoder = StreamingDecoder(self)
    var text = ""
    for id in ids { text += decoder.take(id) }
    return text + decoder.finish()
  }
}

/// What becomes of a symbol that the vocabulary lacks.
public enum UnknownPolicy: String, Sendable, CaseIterable {
  /// The text is refused, the symbols named.
  case fail
  /// The symbol becomes `<unk>`.
  case replace
  /// The symbol is left out, counted and named.
  case skip
}

/// A text as token ids.
public struct EncodedText: Sendable {
  /// The tokens, without what was left out.
  public var ids: [Int32]
  /// The symbols that the vocabulary lacks, in the order of their first places.
  public var unknown: [UnknownSymbol]
  /// Where they were asked for, the bytes of the original text that each token came from: one range for each id, in
  /// order. What scalars became together came from all of them, and where marks were put in order, from all of those.
  public var offsets: [Range<Int>]?

  /// An encoding of its parts.
  public init(ids: [Int32], unknown: [UnknownSymbol], offsets: [Range<Int>]? = nil) {
    self.ids = ids
    self.unknown = unknown
    self.offsets = offsets
  }

  /// Occurrences of symbols that the vocabulary lacks.
  public var unknownCount: Int { unknown.reduce(0) { $0 + $1.count } }
}

/// A symbol that the vocabulary lacks.
public struct UnknownSymbol: Sendable, Equatable {
  /// The symbol, as normalized; of a grapheme cluster the first scalar.
  public let symbol: Unicode.Scalar
  /// The other scalars of a grapheme cluster.
  public let others: [Unicode.Scalar]
  /// How often it occurs.
  public var count: Int
  /// The place of its first occurrence, counted in symbols of the normalized text from 0.
  public let firstPosition: Int

  /// A symbol with its count and first place.
  public init(symbol: Unicode.Scalar, others: [Unicode.Scalar] = [], count: Int, firstPosition: Int) {
    self.symbol = symbol
    self.others = others
    self.count = count
    self.firstPosition = firstPosition
  }

  /// For example `'é' (U+00E9)`.
  public var name: String {
    let scalars = [symbol] + others
    let codes = scalars.map { scalar in
      let digits = String(scalar.value, radix: 16, uppercase: true)
      return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }.joined(separator: " ")
    let isVisible = symbol.properties.generalCategory != .control && !symbol.properties.isWhitespace
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return isVisible ? "'\(String(text))' (\(codes))" : codes
  }
}

extension [UnknownSymbol] {
  /// The first few by name, for people.
  public var names: String { prefix(Self.named).map(\.name).joined(separator: ", ") }
  /// The same with how often each occurs.
  public var countedNames: String { prefix(Self.named).map { "\($0.name) ×\($0.count)" }.joined(separator: ", ") }

  fileprivate static var named: Int { 5 }
}

/// A text has symbols that the vocabulary lacks.
public struct UnknownSymbolsError: Error, CustomStringConvertible {
  /// The symbols, in the order of their first places.
  public let unknown: [UnknownSymbol]
  /// Whether `<unk>` was asked for and the vocabulary has none.
  public let lacksReplacement: Bool

  public var description: String {
    let named = unknown.prefix([UnknownSymbol].named).map { symbol in
      "\(symbol.name) at character \(symbol.firstPosition + 1)"
        + (symbol.count > 1 ? " and \(symbol.count - 1) more" : "")
    }
    let more =
      unknown.count > [UnknownSymbol].named ? ", and \(unknown.count - [UnknownSymbol].named) other symbols" : ""
    let reason =
      lacksReplacement
      ? "the vocabulary has no <unk> to replace them (train with --min-frequency 2 or more); use --unknown skip"
      : "change the text, or use --unknown skip or replace"
    return "the model's vocabulary lacks \(named.joined(separator: ", "))\(more); \(reason)"
  }
}
