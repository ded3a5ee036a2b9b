/// The symbols that stand around every document of a model that knows documents, and how its texts are cut.
///
/// In a stream of tokens a document is `<s>`, its tokens, `</s>`. Who reads `<s>` begins anew; nobody predicts it.
public struct DocumentSymbols: Sendable, Equatable {
  /// The ids of `<s>` and `</s>`.
  public let start, end: Int32
  /// How the texts that the model was trained on were cut.
  public let cut: DocumentCut

  /// `<s>` and `</s>`.
  public static let startText = "<s>"
  public static let endText = "</s>"

  /// Symbols of a vocabulary.
  public init(start: Int32, end: Int32, cut: DocumentCut) {
    self.start = start
    self.end = end
    self.cut = cut
  }

  /// The symbols of a tokenizer; nil where it has not both of them as special symbols.
  public init?(of tokenizer: any Tokenizer, cut: DocumentCut) {
    guard let start = tokenizer.specialID(of: Self.startText), let end = tokenizer.specialID(of: Self.endText) else {
      return nil
    }
    self.init(start: start, end: end, cut: cut)
  }

  /// The stream of tokens of documents, each encoded by itself.
  ///
  /// A `<s>` or `</s>` in a document's own text becomes the same id, as it does for whoever reads `tokenizer.json`.
  public func encode(
    _ documents: [String], by tokenizer: any Tokenizer, unknown policy: UnknownPolicy
  ) throws -> EncodedText {
    var stream = EncodedText(ids: [], unknown: [])
    stream.ids.reserveCapacity(documents.reduce(0) { $0 + $1.utf8.count + 2 })
    for document in documents {
      let encoded = try tokenizer.encode(document, unknown: policy)
      stream.ids.append(start)
      stream.ids += encoded.ids
      stream.ids.append(end)
      stream.unknown.add(encoded.unknown)
    }
    return stream
  }

  /// The ranges of a stream's documents, each from its `<s>` on; what stands before the first `<s>` is a range of its own.
  public func ranges(of stream: [Int32]) -> [Range<Int>] {
    var starts = stream.indices.filter { stream[$0] == start }
    if starts.first != 0 && !stream.isEmpty { starts.insert(0, at: 0) }
    return zip(starts, starts.dropFirst() + [stream.count]).map { $0..<$1 }
  }
}

extension [UnknownSymbol] {
  /// Adds the symbols of another text to those of the texts before it.
  public mutating func add(_ others: [UnknownSymbol]) {
    for symbol in others {
      if let place = firstIndex(where: { $0.symbol == symbol.symbol && $0.others == symbol.others }) {
        self[place].count += symbol.count
      } else {
        append(symbol)
      }
    }
  }
}
