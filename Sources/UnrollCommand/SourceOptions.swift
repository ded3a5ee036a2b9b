import ArgumentParser
import Corpora
import Training

/// The options of a source with a known answer, which takes the place of a corpus.
struct SourceOptions: ParsableArguments {
  @Option(help: "Train on a source with a known answer: NAME or NAME:key=value,…; help lists them.")
  var source: String?

  @Option(help: "Symbols of the source to train on; the default is 1,000,000. Validation is a draw of its own.")
  var sourceLength: Int?

  private static let standardLength = 1_000_000
  private static let lengths = 2...1_000_000_000

  /// Checks what stands beside the source, and the source itself.
  func validate(corpus: [String], _ text: TrainCommand.TextOptions) throws {
    guard let source else {
      try require(sourceLength == nil, "--source-length is for --source.")
      return try require(!corpus.isEmpty, "Missing expected argument '<corpus> ...'")
    }
    guard source != "help" else {
      throw CleanExit.message("Sources with known answers, with their standard values:\n\(SymbolSources.list)")
    }
    do { _ = try SymbolSources.parse(source) } catch { throw ValidationError("\(error)") }
    try require(corpus.isEmpty, "Give a corpus or --source, not both.")
    try require(text.validation == nil, "--validation is for a corpus; a source validates on a draw of its own.")
    try require((text.documents.cut ?? .stream) == .stream, "--documents is for a corpus; a source is one stream.")
    try require(
      text.vocabulary.choice == .character, "--tokenizer is for a corpus; a source's symbols are characters.")
    try require(
      text.vocabulary.minFrequency == 1, "--min-frequency is for a corpus; a source has a vocabulary of its own.")
    try require(
      Self.lengths.contains(length), "--source-length is \(length); it must be from 2 to 1,000,000,000.")
  }

  private var length: Int { sourceLength ?? Self.standardLength }

  /// The source; none where it was not asked for.
  var settings: TrainingConfiguration.Source? {
    guard let source = source.flatMap({ try? SymbolSources.parse($0) }) else { return nil }
    return .init(source, length: length)
  }
}
