import ArgumentParser
import Corpora

/// What the arguments that name texts say of themselves.
enum CorpusHelp {
  static let texts: ArgumentHelp =
    "Text files, gzip or not; folders, for the files in them in the order of their names; - is standard input."

  static let training: ArgumentHelp = """
    Text files, gzip or not, read one after another as one stream; folders, for the files in them in the order of their \
    names; - is standard input. Or one file that tokenizer encode --output wrote, with the same --tokenizer.
    """
}

extension Terminal {
  /// What a person should know of the files of a corpus.
  static func complain(of corpus: Corpus) {
    for note in corpus.notes { complain(note) }
  }
}
