import Tokenization
import UnicodeText

/// How much of an original text was scored: Unicode scalars, bytes and words, before any normalization.
struct ScoredExtent: Equatable {
  var characters = 0
  var bytes = 0
  /// Runs between white space in which at least one symbol was scored.
  var words = 0
  private var isInsideScoredWord = false

  /// - Parameters:
  ///   - tokenizer: The tokenizer that the text was encoded with.
  ///   - skipped: Symbols that the encoding left out.
  init(of text: String, _ tokenizer: any Tokenizer, skipped: [UnknownSymbol]) {
    let skipped = Set(skipped.map(\.symbol))
    let isUnchanged = tokenizer.normalization.normalize(text).utf8.elementsEqual(text.utf8)
    var isFirst = true
    // The first token starts the text and is not scored.
    if isUnchanged {
      for scalar in text.unicodeScalars {
        let isKnown = !skipped.contains(scalar)
        add(CollectionOfOne(scalar), isScored: isKnown && !isFirst)
        if isKnown { isFirst = false }
      }
    } else {
      // Normalization never reaches beyond a grapheme cluster: a cluster counts where one of its tokens is scored.
      for cluster in text {
        let known = tokenizer.normalization.normalize(String(cluster)).unicodeScalars.count { !skipped.contains($0) }
        add(cluster.unicodeScalars, isScored: known > (isFirst ? 1 : 0))
        if known > 0 { isFirst = false }
      }
    }
  }

  private mutating func add(_ scalars: some Collection<Unicode.Scalar>, isScored: Bool) {
    if isScored {
      characters += scalars.count
      bytes += scalars.reduce(0) { $0 + UTF8.width($1) }
    }
    for scalar in scalars {
      if scalar.properties.isWhitespace {
        isInsideScoredWord = false
      } else if isScored && !isInsideScoredWord {
        words += 1
        isInsideScoredWord = true
      }
    }
  }
}
