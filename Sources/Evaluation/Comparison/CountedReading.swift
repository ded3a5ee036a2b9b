import LanguageModeling
import Tokenization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension TextReading {
  /// Texts as a model would read them, each or each document a list of tokens; `</s>` ends documents.
  ///
  /// - Throws: ``UnknownSymbolsError``, ``ConfigurationError``.
  public func tokens(of texts: [String]) throws -> [[Int32]] {
    guard let (symbols, cut) = try model.configuration.documents(cut: documents) else {
      return try texts.map { try tokenizer.encode($0, unknown: unknownPolicy).ids }
    }
    return try texts.flatMap { cut.documents(of: $0).documents }.map {
      try tokenizer.encode($0, unknown: unknownPolicy).ids + [symbols.end]
    }
  }

  /// Reads texts with something else than the model: what it scores is what the model would score.
  ///
  /// - Parameter probability: Of a token after those before it in its text or document.
  func read(
    _ texts: [String], by probability: (_ before: ArraySlice<Int32>, Int32) -> Double,
    _ use: (_ text: Int, ScoredToken) throws -> Void
  ) throws {
    let (documents, unpredicted) = (try model.configuration.documents(cut: documents), scorer.unpredicted)
    for (index, text) in texts.enumerated() {
      let parts = documents?.cut.documents(of: text)
      for (part, start) in zip(parts?.documents ?? [text], parts?.starts ?? [0]) {
        var stream = TextStream()
        stream.add(try tokenizer.encode(part, unknown: unknownPolicy, keepsOffsets: true), from: start)
        if let documents { stream.add(documents.symbols.end, start + part.utf8.count) }
        for (place, id) in stream.ids.enumerated() {
          let isScored = (place > 0 || documents != nil) && id != unpredicted
          try use(
            index,
            ScoredToken(
              id: id, bytes: stream.bytes[place], position: documents == nil ? place : place + 1,
              isDocumentEnd: id == documents?.symbols.end,
              surprisal: isScored ? -log(probability(stream.ids[..<place], id)) : nil, details: nil))
        }
      }
    }
  }
}
