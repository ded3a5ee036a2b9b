import Corpora
import ModelFiles
import Tokenization

/// A corpus as token ids, and what is known of it.
///
/// A text is read three times: to count it, so that it can be split by its characters; to learn the vocabulary from the
/// training part; to encode both parts. Many ids go to a file without a name beside the output, so that memory does not
/// grow with the corpus, and nothing is left behind. Whoever wants the same ids again encodes the same files again with
/// the tokenizer of the model folder, and compares ``hash``.
struct EncodedCorpus {
  let tokenizer: any Tokenizer
  let training, validation: Part
  let bytes: Int
  let hash: String
  let files: Int
  var notes: [String]
  /// Sequences of bytes that were not UTF-8 and became U+FFFD.
  var replacements = 0
  var source: SourceFigures?
  /// The symbols around documents and how many there are, where the corpus is cut into such.
  var documents: DocumentSymbols?
  var documentCounts: DocumentCounts?

  /// One of the two parts.
  struct Part {
    var tokens = TokenStream([])
    /// Whether there is no text at all.
    var isEmpty = true
    /// Characters of the text.
    var characters = 0
    /// Symbols that the vocabulary lacks.
    var unknown: [UnknownSymbol] = []
    /// Tokens for each character that they stand for.
    var tokensPerCharacter = 1.0
    /// Sequences of bytes that became U+FFFD in the texts that it is from.
    var replacements = 0
  }

  /// Reads a source, token ids, documents or text, as the configuration says.
  static func reading(_ configuration: TrainingConfiguration) throws -> EncodedCorpus {
    if let source = configuration.source { return try EncodedCorpus(source, configuration) }
    if let path = configuration.corpus.first, configuration.corpus.count == 1, TokenFile.isMeant(by: path) {
      guard configuration.documents == .stream else {
        throw TrainingError("token ids are one stream; --documents wants the text")
      }
      return try EncodedCorpus(tokenFile: path, configuration)
    }
    if configuration.documents != .stream { return try EncodedCorpus(documentsOf: configuration) }
    return try EncodedCorpus(configuration)
  }

  // MARK: Text

  /// Reads text files.
  init(_ configuration: TrainingConfiguration) throws {
    let folder = Self.place(beside: configuration.output)
    let policy = configuration.invalidUTF8
    let corpus = try Corpus(configuration.corpus, keepingIn: folder, invalid: policy)
    let measured = try corpus.measured()
    let characters = measured.figures.characters
    var (cut, rest) = (Int.max, corpus)
    switch configuration.validation {
    case .fraction(let fraction): cut = CorpusText.cut(characters, lastFraction: fraction)
    case .file(let path):
      // Tokens are their own file's; a text is read as the corpus is.
      rest = try Corpus([path], keepingIn: folder, invalid: policy)
    }
    let isSplit = cut < Int.max
    tokenizer = try configuration.tokenizer.tokenizer(configuration.vocabulary) { learn in
      try corpus.forEachPiece(0..<cut, learn)
    }
    training = try Self.encode(corpus, 0..<cut, tokenizer, folder)
    if case .file(let path) = configuration.validation, TokenFile.isMeant(by: path) {
      validation = try Self.part(of: TokenFile(path, madeBy: tokenizer, named: "the training part's"), nil)
    } else {
      validation = try Self.encode(rest, (isSplit ? cut : 0)..<Int.max, tokenizer, folder)
    }
    guard training.characters + (isSplit ? validation.characters : 0) == characters else {
      throw FileError(
        .invalid, corpus.names.joined(separator: ", "), "changed while it was read; try again when it is whole")
    }
    (bytes, hash) = (measured.figures.bytes, measured.hash)
    files = corpus.names.count
    notes = corpus.notes + Self.noteUnknown(training, tokenizer)
    replacements = measured.replacements + (isSplit ? 0 : validation.replacements)
  }

  /// The folder in which an output is to be, or the nearest above it that is there.
  static func place(beside output: String) -> String {
    var folder = Paths.parent(output)
    while Files.kind(folder) != .folder && folder != Paths.parent(folder) { folder = Paths.parent(folder) }
    return folder
  }

  private static func encode(
    _ corpus: Corpus, _ characters: Range<Int>, _ tokenizer: any Tokenizer, _ folder: String
  ) throws -> Part {
    var stream = EncodingStream(tokenizer, unknown: tokenizer.unknownID == nil ? .skip : .replace)
    var collector = TokenCollector(vocabularySize: tokenizer.vocabularySize, folder: folder)
    var part = Part()
    var ids: [Int32] = []
    part.replacements = try corpus.forEachPiece(characters) { bytes in
      part.characters += bytes.scalarCount
      try stream.append(bytes, to: &ids)
      try collector.append(ids)
      ids.removeAll(keepingCapacity: true)
    }
    part.unknown = try stream.finish(&ids)
    try collector.append(ids)
    part.tokens = try collector.finish()
    part.isEmpty = part.characters == 0
    let known = part.characters - part.unknown.reduce(0) { $0 + $1.count }
    if known > 0 { part.tokensPerCharacter = Double(part.tokens.count) / Double(known) }
    return part
  }

  /// A vocabulary that was learnt elsewhere may lack symbols of the training part.
  private static func noteUnknown(_ part: Part, _ tokenizer: any Tokenizer) -> [String] {
    guard !part.unknown.isEmpty, tokenizer.unknownID == nil else { return [] }
    let count = part.unknown.reduce(0) { $0 + $1.count }
    let named = part.unknown.names
    return ["the training part has \(count) characters that the vocabulary lacks, which are left out: \(named)"]
  }

  // MARK: Sources

  /// Two draws of a source. The seed's complement is never the seed itself: they have nothing in common but their source.
  init(_ source: TrainingConfiguration.Source, _ configuration: TrainingConfiguration) throws {
    let text = source.source.text(length: source.length, seed: configuration.seed)
    let corpus = Corpus(text: text, name: "the source's text")
    var validationText = ""
    if case .fraction(let fraction) = configuration.validation {
      let length = Int((Double(source.length) * fraction).rounded(.up))
      validationText = source.source.text(length: length, seed: ~configuration.seed)
    }
    tokenizer = CharacterTokenizer(
      scalars: source.source.vocabulary, hasUnknown: false, normalization: configuration.vocabulary.normalization)
    let folder = Self.place(beside: configuration.output)
    training = try Self.encode(corpus, 0..<Int.max, tokenizer, folder)
    validation =
      validationText.isEmpty
      ? Part()
      : try Self.encode(
        Corpus(text: validationText, name: "the source's validation text"), 0..<Int.max, tokenizer, folder)
    let measured = try corpus.measured()
    (bytes, hash, files, notes) = (measured.figures.bytes, measured.hash, 0, [])
    self.source = SourceFigures(source.source, validationText: validationText)
  }

  // MARK: Token ids

  /// Maps a file of token ids; the validation part of a fraction is its last ids.
  init(tokenFile path: String, _ configuration: TrainingConfiguration) throws {
    guard let tokenizerPath = configuration.tokenizer.path else {
      throw FileError(.invalid, path, "holds token ids; name the tokenizer that made them: --tokenizer FILE")
    }
    tokenizer = try TokenizerChoice.read(tokenizerPath)
    let file = try TokenFile(path, madeBy: tokenizer, named: tokenizerPath)
    var cut = file.header.count
    switch configuration.validation {
    case .fraction(let fraction):
      cut = CorpusText.cut(file.header.count, lastFraction: fraction)
      validation = Self.part(of: file, cut..<file.header.count)
    case .file(let other) where TokenFile.isMeant(by: other):
      validation = Self.part(of: try TokenFile(other, madeBy: tokenizer, named: tokenizerPath), nil)
    case .file(let other):
      let folder = Self.place(beside: configuration.output)
      validation = try Self.encode(
        Corpus([other], keepingIn: folder, invalid: configuration.invalidUTF8), 0..<Int.max, tokenizer, folder)
    }
    training = Self.part(of: file, 0..<cut)
    (bytes, hash, files) = (file.header.bytes, file.header.textHash, 1)
    notes =
      file.header.unknown > 0
      ? ["the vocabulary lacked \(file.header.unknown) symbols of the text when \(path) was made"] : []
  }

  /// Some of a file's tokens, or all.
  private static func part(of file: TokenFile, _ places: Range<Int>?) -> Part {
    let header = file.header
    var part = Part()
    part.tokens = TokenStream(file).part(places ?? 0..<header.count)
    part.isEmpty = part.tokens.isEmpty
    part.tokensPerCharacter = Double(header.count) / Double(max(1, header.characters - header.unknown))
    return part
  }
}

extension TokenFile {
  /// Maps a file of token ids that a tokenizer must have made.
  ///
  /// - Parameter name: The tokenizer's file.
  /// - Throws: ``FileError`` that names the file.
  public convenience init(_ path: String, madeBy tokenizer: any Tokenizer, named name: String) throws {
    try self.init(path)
    guard header.tokenizerHash == tokenizer.fingerprint else {
      throw FileError(
        .invalid, path,
        "was made by another tokenizer than \(name) (SHA-256 \(header.tokenizerHash.prefix(12))…, not "
          + "\(tokenizer.fingerprint.prefix(12))…); name the one that made it")
    }
    guard header.vocabularySize == tokenizer.vocabularySize else {
      throw FileError(
        .invalid, path,
        "says that its vocabulary has \(header.vocabularySize) symbols; \(name) has \(tokenizer.vocabularySize)")
    }
  }
}
