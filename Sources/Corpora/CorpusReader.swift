import ModelFiles
import Tokenization
import UnicodeText

/// Reads the texts of a corpus one after another, in pieces of whole scalars; what is not UTF-8 is refused or replaced.
public struct CorpusReader {
  /// What comes next.
  public enum Element {
    /// A text begins: its path or name.
    case file(String)
    /// The next bytes of it, whole scalars of UTF-8.
    case text([UInt8])
  }

  /// Bytes that are read at once.
  static let pieceSize = 1 << 18

  private let texts: [Corpus.Text]
  private let policy: InvalidUTF8.Policy
  private let allowsEmpty: Bool
  /// Sequences of bytes that were not UTF-8 and became U+FFFD, so far.
  public private(set) var replacements = 0
  private var index = 0
  private var open: (source: any ByteSource, checker: UTF8Checker, isEmpty: Bool)?

  init(_ texts: [Corpus.Text], _ policy: InvalidUTF8.Policy, allowsEmpty: Bool) {
    self.texts = texts
    self.policy = policy
    self.allowsEmpty = allowsEmpty
  }

  /// The next element; nil at the end.
  ///
  /// - Throws: ``FileError`` for a text that cannot be read, is empty, or is not UTF-8: then the offset is named, in the
  ///   content where the file is gzip.
  public mutating func next() throws -> Element? {
    while let source = open?.source {
      let bytes = try source.next()
      if bytes.isEmpty {
        let rest = try end(source.name)
        if !rest.isEmpty { return .text(rest) }
      } else if let text = try check(bytes, source.name), !text.isEmpty {
        return .text(text)
      }
    }
    guard index < texts.count else { return nil }
    let text = texts[index]
    index += 1
    open = (try Self.source(text), UTF8Checker(policy), true)
    return .file(text.name)
  }

  private mutating func check(_ bytes: [UInt8], _ name: String) throws -> [UInt8]? {
    open?.isEmpty = false
    do { return try open?.checker.append(bytes) } catch { throw Self.invalid(error, name) }
  }

  /// - Returns: What is left of the text.
  private mutating func end(_ name: String) throws -> [UInt8] {
    guard var open, allowsEmpty || !open.isEmpty else {
      throw FileError(.invalid, name, "is empty; there is nothing to read")
    }
    self.open = nil
    do {
      let rest = try open.checker.finish()
      replacements += open.checker.replacements
      return rest
    } catch { throw Self.invalid(error, name) }
  }

  private static func invalid(_ error: any Error, _ name: String) -> FileError {
    FileError(.invalid, name, "\(error); convert the text to UTF-8 first, or use --invalid-utf8 replace")
  }

  private static func source(_ text: Corpus.Text) throws -> any ByteSource {
    let source: any ByteSource =
      switch text {
      case .file(let path): FileSource(try InputFile(path))
      case .memory(let name, let bytes): PieceSource(name, bytes.count) { Array(bytes[$0]) }
      case .kept(let name, let map): PieceSource(name, map.count) { map.copy($0) }
      }
    // Pipes may give a byte at a time.
    var first = try source.next()
    while first.count == 1 {
      let more = try source.next()
      if more.isEmpty { break }
      first += more
    }
    guard !first.starts(with: TokenFileHeader.magic) else {
      throw FileError(
        .invalid, source.name, "holds token ids, not text; it stands alone, and --tokenizer names what made it")
    }
    return first.starts(with: Gunzip.magic) ? Gunzip(source, first: first) : Begun(source, first)
  }
}

/// A file as a source.
private final class FileSource: ByteSource {
  private let file: InputFile

  init(_ file: InputFile) { self.file = file }

  var name: String { file.name }
  func next() throws -> [UInt8] { try file.read(upTo: CorpusReader.pieceSize) }
}

/// Bytes that are there already.
private final class PieceSource: ByteSource {
  let name: String
  private let count: Int
  private let piece: (Range<Int>) -> [UInt8]
  private var place = 0

  init(_ name: String, _ count: Int, _ piece: @escaping (Range<Int>) -> [UInt8]) {
    self.name = name
    self.count = count
    self.piece = piece
  }

  func next() -> [UInt8] {
    let range = place..<min(count, place + CorpusReader.pieceSize)
    place = range.upperBound
    return piece(range)
  }
}

/// A source whose first bytes were read already.
private final class Begun: ByteSource {
  private let source: any ByteSource
  private var first: [UInt8]?

  init(_ source: any ByteSource, _ first: [UInt8]) {
    self.source = source
    self.first = first
  }

  var name: String { source.name }

  func next() throws -> [UInt8] {
    defer { first = nil }
    return try first ?? source.next()
  }
}
