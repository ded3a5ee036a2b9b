import ArgumentParser
import Tokenization

/// `--documents`.
struct DocumentOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: """
      Where documents begin and end: none (the text is one stream), file, line, or SEPARATOR: the text that stands \
      between two, with \\n, \\r, \\t, \\f and \\\\ as escapes. train: none by default; perplexity: as the model was trained.
      """)
  var documents: String?

  func validate() throws {
    do { _ = try documents.map { try DocumentCut(argument: $0) } } catch {
      throw ValidationError("--documents \(error).")
    }
  }

  /// The cut, which `validate` has seen to be one; nil where the flag was not given.
  var cut: DocumentCut? { documents.flatMap { try? DocumentCut(argument: $0) } }
}
