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

  /// Reads files (`-` is standard input), one after another, as one stream.
  ///
  /// - Parameter policy: What is done about bytes that are not UTF-8. ``bytes`` and ``hash`` are of what the files hold.
  /// - Throws: ``FileError`` for a file that cannot be read, is not UTF-8 (the byte offset is named) or is empty.
  public init(reading paths: [String], invalid policy: InvalidUTF8.Policy = .refuse) throws {
    var all: [UInt8] = []
    var text = ""
    var replacements = 0
    var lengths: [Int] = []
    for path in paths {
      let bytes = try Files.read(path)
      let name = path == "-" ? "standard input" : path
      let decoded = try Self.decode(bytes, policy, name)
      text += decoded.text
      replacements += decoded.replacements
      guard !bytes.isEmpty else { throw FileError(.invalid, name, "is empty; there is nothing to read") }
      all += bytes
      lengths.append(decoded.text.utf8.count)
    }
    self.text = text
    self.replacements = replacements
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

  private static func decode(
    _ bytes: [UInt8], _ policy: InvalidUTF8.Policy, _ name: String
  ) throws -> (text: String, replacements: Int) {
    if policy == .replace { return decodeUTF8Replacing(bytes) }
    do { return (try decodeUTF8(bytes), 0) } catch {
      throw FileError(.invalid, name, "\(error); convert the text to UTF-8 first, or use --invalid-utf8 replace")
    }
  }

  /// A sentence about how many sequences were replaced.
  public static func replaced(_ count: Int) -> String {
    count == 1
      ? "one sequence of bytes was not UTF-8 and became U+FFFD"
      : "\(count) sequences of bytes were not UTF-8 and became U+FFFD"
  }

  /// The first part of a text and the rest; `fraction` of its scalars, rounded up, are the rest.
  public static func split(_ text: String, lastFraction fraction: Double) -> (first: String, last: String) {
    let scalars = text.unicodeScalars
    let count = Int(Double(scalars.count) * (1 - fraction))
    let cut = scalars.index(scalars.startIndex, offsetBy: count)
    return (String(scalars[..<cut]), String(scalars[cut...]))
  }
}
