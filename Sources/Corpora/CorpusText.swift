/// Corpora: text from files, its parts, and the lanes that training reads it in; sources with known answers.

import ModelFiles
import Tokenization
import UnicodeText

/// A text with what is known of where it came from.
public struct CorpusText: Sendable {
  /// The text of all files, one after another, or of a source.
  public let text: String
  /// Bytes of it all.
  public let bytes: Int
  /// SHA-256 of all bytes, one after another.
  public let hash: String
  /// Sequences of bytes that were not UTF-8 and became U+FFFD.
  public let replacements: Int
  /// Bytes of each file's text.
  private let fileLengths: [Int]

  /// A text that no file holds, as a source makes it.
  public init(_ text: String) {
    self.text = text
    bytes = text.utf8.count
    hash = sha256(Array(text.utf8))
    replacements = 0
    fileLengths = [bytes]
  }

  /// Reads files, folders, gzip and standard input as ``Corpus`` does, whole into memory, as one stream.
  ///
  /// - Parameter policy: What is done about bytes that are not UTF-8.
  /// - Throws: ``FileError`` for a file that cannot be read, is not UTF-8 (the byte offset is named) or is empty, and for
  ///   more text than a quarter of the machine's memory.
  public init(reading paths: [String], invalid policy: InvalidUTF8.Policy = .refuse) throws {
    try self.init(reading: Corpus(paths, invalid: policy))
  }

  /// Reads a corpus whole into memory.
  public init(reading corpus: Corpus) throws {
    var all: [UInt8] = []
    var lengths: [Int] = []
    var reader = corpus.reader()
    var name = ""
    func refuse(_ name: String) -> FileError {
      FileError(.invalid, name, "makes more than \(Files.memory / 4) bytes of text, which are not read here")
    }
    for path in corpus.paths where path != "-" && Files.size(path) > Files.memory / 4 { throw refuse(path) }
    while let element = try reader.next() {
      switch element {
      case .file(let next):
        name = next
        lengths.append(0)
      case .text(let bytes):
        all += bytes
        lengths[lengths.count - 1] += bytes.count
      }
      guard all.count <= Files.memory / 4 else { throw refuse(name) }
    }
    text = String(decoding: all, as: UTF8.self)
    replacements = reader.replacements
    bytes = all.count
    hash = sha256(all)
    fileLengths = lengths
  }

  /// The documents of all files; none reaches across two.
  public func documents(_ cut: DocumentCut) -> CutText {
    var all = CutText()
    var start = text.utf8.startIndex
    for length in fileLengths {
      let end = text.utf8.index(start, offsetBy: length)
      all.append(cut.documents(of: String(text[start..<end])))
      start = end
    }
    return all
  }

  /// A sentence about how many sequences were replaced.
  public static func replaced(_ count: Int) -> String {
    count == 1
      ? "one sequence of bytes was not UTF-8 and became U+FFFD"
      : "\(count) sequences of bytes were not UTF-8 and became U+FFFD"
  }

  /// Where the last part of so many symbols begins: `fraction` of them, rounded up, are in it.
  public static func cut(_ count: Int, lastFraction fraction: Double) -> Int { Int(Double(count) * (1 - fraction)) }
}
