import UnicodeText

/// Normalizes a text that comes in pieces. Unicode's steps need no more than a piece; with others the text is kept until
/// it ends, since they look at the whole.
struct NormalizationStream {
  private let normalization: TextNormalization
  private var stream: NormalizerStream?
  private var whole = WholeText()

  init(_ normalization: TextNormalization) {
    self.normalization = normalization
    switch (normalization.steps.count, normalization.steps.first) {
    case (0, _): stream = NormalizerStream(Normalizer())
    case (1, .unicode(let normalizer)): stream = NormalizerStream(normalizer)
    default: stream = nil
    }
  }

  /// Takes the next bytes of UTF-8, and appends what is known of the normalized text, in whole scalars.
  ///
  /// - Throws: ``InvalidUTF8``, ``VocabularyError`` for a text that is too long to be kept.
  mutating func append(_ text: ArraySlice<UInt8>, to output: inout [UInt8]) throws {
    guard stream == nil else {
      try stream?.append(text, to: &output)
      return
    }
    try whole.append(
      text,
      orThrow: VocabularyError(
        description: "normalization \(normalization) looks at a text as a whole, and this one has more than "
          + "\(EncodingStream.longestWord) bytes: cut it into files, or use another normalization"))
  }

  /// Ends the text: appends what was held back. The stream then begins anew.
  mutating func finish(_ output: inout [UInt8]) throws {
    try stream?.finish(&output)
    if stream == nil { output += Array(normalization.normalize(String(decoding: whole.bytes, as: UTF8.self)).utf8) }
    self = NormalizationStream(normalization)
  }
}
