import Corpora
import Tokenization

extension EncodedCorpus {
  /// Reads text files as documents, whole into memory.
  ///
  /// - Throws: ``FileError``, ``TrainingError`` where there is nothing to cut, or a tokenizer that was read has no symbols
  ///   for documents.
  init(documentsOf configuration: TrainingConfiguration) throws {
    let folder = Self.place(beside: configuration.output)
    let files = try Corpus(configuration.corpus, keepingIn: folder, invalid: configuration.invalidUTF8)
    let corpus = try CorpusText(reading: files)
    let parts = try DocumentParts(
      corpus, configuration.documents, configuration.validation, configuration.invalidUTF8)
    var vocabulary = configuration.vocabulary
    let names = [DocumentSymbols.startText, DocumentSymbols.endText]
    vocabulary.specialSymbols = names + vocabulary.specialSymbols.filter { !names.contains($0) }
    let tokenizer = try configuration.tokenizer.tokenizer(vocabulary) { learn in
      try learn(Array(DocumentParts.marked(parts.training).utf8)[...])
    }
    guard let symbols = DocumentSymbols(of: tokenizer, cut: configuration.documents) else {
      throw TrainingError(
        "the tokenizer has no special symbols <s> and </s>, which --documents wants: make it with "
          + "--special-symbol '<s>' --special-symbol '</s>', or let train make one")
    }
    self.tokenizer = tokenizer
    training = try Self.part(parts.training, tokenizer, symbols)
    validation = try Self.part(parts.validation, tokenizer, symbols)
    (bytes, hash) = (corpus.bytes, corpus.hash)
    (self.files, notes) = (files.names.count, files.notes)
    replacements = corpus.replacements + parts.replacements
    documents = symbols
    documentCounts = DocumentCounts(
      parts, symbols, training: Array(training.tokens), validation: Array(validation.tokens))
  }

  private static func part(
    _ documents: [String], _ tokenizer: any Tokenizer, _ symbols: DocumentSymbols
  ) throws -> Part {
    let encoded = try symbols.encode(documents, by: tokenizer, unknown: tokenizer.unknownID == nil ? .skip : .replace)
    var part = Part()
    part.tokens = TokenStream(encoded.ids)
    part.isEmpty = documents.isEmpty
    part.characters = documents.reduce(0) { $0 + $1.unicodeScalars.count }
    part.unknown = encoded.unknown
    let known = part.characters - encoded.unknownCount
    let predicted = encoded.ids.count { $0 != symbols.start }
    if known > 0 { part.tokensPerCharacter = Double(predicted) / Double(known) }
    return part
  }
}
