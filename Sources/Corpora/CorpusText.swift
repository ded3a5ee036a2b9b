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

  /// A text that no file holds, as a source makes it.
  public init(_ text: String) {
    self.text = text
    bytes = text.utf8.count
    hash = sha256(Array(text.utf8))
  }

  /// Reads files, folders, gzip and standard input as ``Corpus`` does, whole into memory, as one stream.
  ///
  /// - Throws: ``FileError`` for a file that cannot be read, is not UTF-8 (the byte offset is named) or is empty, and for
  ///   more text than a quarter of the machine's memory.
  public init(reading paths: [String]) throws { try self.init(reading: Corpus(paths)) }

  /// Reads a corpus whole into memory.
  public init(reading corpus: Corpus) throws {
    var all: [UInt8] = []
    var reader = corpus.reader()
    var name = ""
    while let element = try reader.next() {
      switch element {
      case .file(let next): name = next
      case .text(let bytes): all += bytes
      }
      guard all.count <= Files.memory / 4 else {
        throw FileError(.invalid, name, "makes more than \(Files.memory / 4) bytes of text, which are not read here")
      }
    }
    text = String(decoding: all, as: UTF8.self)
    bytes = all.count
    hash = sha256(all)
  }

  /// The first part of a text and the rest; `fraction` of its scalars, rounded up, are the rest.
  public static func split(_ text: String, lastFraction fraction: Double) -> (first: String, last: String) {
    let scalars = text.unicodeScalars
    let count = Int(Double(scalars.count) * (1 - fraction))
    let cut = scalars.index(scalars.startIndex, offsetBy: count)
    return (String(scalars[..<cut]), String(scalars[cut...]))
  }
}
