import ModelFiles
import Tokenization
import UnicodeText

extension TokenFile {
  /// Encodes a corpus into a file of token ids: read once, in memory that does not grow with it, written durably.
  ///
  /// - Returns: What the file says of itself, and the symbols that the vocabulary lacks.
  /// - Throws: ``FileError``, ``UnknownSymbolsError`` as the policy says, ``VocabularyError`` for a word that is too long.
  public static func write(
    _ corpus: Corpus, _ tokenizer: any Tokenizer, unknown policy: UnknownPolicy, to path: String
  ) throws -> (header: TokenFileHeader, unknown: [UnknownSymbol]) {
    let output = try OutputFile(replacing: path)
    let writer = try TokenFileWriter(output, vocabularySize: tokenizer.vocabularySize)
    var stream = EncodingStream(tokenizer, unknown: policy)
    var figures = TextFigures()
    let hash = RunningSHA256()
    var ids: [Int32] = []
    var reader = corpus.reader()
    while let element = try reader.next() {
      guard case .text(let bytes) = element else { continue }
      figures.add(bytes)
      hash.add(bytes[...])
      try stream.append(bytes[...], to: &ids)
      try writer.append(ids)
      ids.removeAll(keepingCapacity: true)
    }
    let unknown = try stream.finish(&ids)
    try writer.append(ids)
    let header = try writer.finish(
      text: figures, unknown: unknown.reduce(0) { $0 + $1.count }, tokenizerHash: tokenizer.fingerprint,
      textHash: hash.finish())
    try output.commit()
    return (header, unknown)
  }
}
