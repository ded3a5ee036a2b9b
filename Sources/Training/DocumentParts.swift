import Corpora
import ModelFiles
import Tokenization
import UnicodeText

/// A corpus cut into documents, for training and for validation.
package struct DocumentParts {
  let training, validation: [String]
  /// Documents that were left out since they hold nothing but line ends.
  let empty: Int
  /// Sequences of bytes in a validation file that became U+FFFD.
  let replacements: Int

  /// Cuts a corpus, and the validation part off at the edge between two documents that is nearest to the wanted place.
  ///
  /// - Throws: ``TrainingError`` where there is no document, no edge, or no separator; ``FileError`` for a file.
  init(
    _ corpus: CorpusText, _ cut: DocumentCut, _ validation: TrainingConfiguration.Validation,
    _ policy: InvalidUTF8.Policy
  ) throws {
    let parts = corpus.documents(cut)
    try Self.requireDocuments(parts, cut, in: "the corpus")
    switch validation {
    case .fraction(let fraction):
      let edge = try Self.edge(parts.documents, lastFraction: fraction)
      training = Array(parts.documents[..<edge])
      self.validation = Array(parts.documents[edge...])
      empty = parts.empty
      replacements = 0
    case .file(let path):
      let file = try CorpusText(reading: [path], invalid: policy)
      let others = file.documents(cut)
      replacements = file.replacements
      try Self.requireDocuments(others, cut, in: "the validation file")
      training = parts.documents
      self.validation = others.documents
      empty = parts.empty + others.empty
    }
  }

  private static func requireDocuments(_ parts: CutText, _ cut: DocumentCut, in name: String) throws {
    if case .separator = cut, parts.separators == 0 {
      throw TrainingError("the separator of --documents never occurs in \(name); check it, or use --documents file")
    }
    guard !parts.documents.isEmpty else { throw TrainingError("\(name) has no document; all are empty") }
  }

  /// How many documents are trained on: the edge nearest to the wanted share of all characters, with a document at least
  /// on both sides.
  package static func edge(_ documents: [String], lastFraction fraction: Double) throws -> Int {
    guard fraction > 0 else { return documents.count }
    guard documents.count > 1 else {
      throw TrainingError(
        "the corpus is a single document, so none is left to validate on: use --validation FILE, or "
          + "--validation-fraction 0")
    }
    let lengths = documents.map(\.unicodeScalars.count)
    let wanted = Double(lengths.reduce(0, +)) * (1 - fraction)
    var (nearest, distance, place) = (1, Double.infinity, 0)
    for edge in 1..<documents.count {
      place += lengths[edge - 1]
      guard abs(Double(place) - wanted) < distance else { break }
      (nearest, distance) = (edge, abs(Double(place) - wanted))
    }
    return nearest
  }

  /// Documents with the symbols around them as text, for whoever learns a vocabulary.
  static func marked(_ documents: [String]) -> String {
    documents.map { DocumentSymbols.startText + $0 + DocumentSymbols.endText }.joined()
  }
}

/// How many documents a run reads.
public struct DocumentCounts: Sendable, Equatable {
  /// Documents to train and to validate on.
  public let training, validation: Int
  /// Documents that were left out since they hold nothing but line ends.
  public let empty: Int
  /// How often the texts hold `<s>` or `</s>` themselves, which are read as if a document began or ended.
  public let literalSymbols: Int

  init(_ parts: DocumentParts, _ symbols: DocumentSymbols, training stream: [Int32], validation: [Int32]) {
    self.training = parts.training.count
    self.validation = parts.validation.count
    empty = parts.empty
    let marks = [stream, validation].joined().count { $0 == symbols.start || $0 == symbols.end }
    literalSymbols = marks - 2 * (parts.training.count + parts.validation.count)
  }

  var members: [JSON.Member] {
    [
      .init("training_documents", .integer(training)), .init("validation_documents", .integer(validation)),
      .init("empty_documents", .integer(empty)), .init("literal_document_symbols", .integer(literalSymbols)),
    ]
  }
}
