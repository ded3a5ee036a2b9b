/// How a text is cut into documents.
public enum DocumentCut: Sendable, Equatable {
  /// Not at all: the text is one stream.
  case stream
  /// Every file is a document.
  case file
  /// Every line is one, without its end: LF or CR LF.
  case line
  /// A document is what stands between two occurrences of a string, wherever that stands.
  case separator(String)

  /// - Parameter argument: `none`, `file`, `line` or a separator, with the escapes `\n`, `\r`, `\t`, `\f` and `\\`.
  /// - Throws: ``DocumentCutError`` where it is empty or has another escape.
  public init(argument: String) throws {
    switch argument {
    case "none": self = .stream
    case "file": self = .file
    case "line": self = .line
    default: self = .separator(try Self.unescaped(argument))
    }
  }

  private static func unescaped(_ text: String) throws -> String {
    guard !text.isEmpty else { throw DocumentCutError("is empty; give none, file, line or the text between documents") }
    var scalars = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "\\" else {
        scalars.append(scalar)
        continue
      }
      let escapes: [Unicode.Scalar: Unicode.Scalar] = ["n": "\n", "r": "\r", "t": "\t", "f": "\u{C}", "\\": "\\"]
      guard let name = rest.popFirst(), let meant = escapes[name] else {
        throw DocumentCutError("has a backslash that is none of \\n, \\r, \\t, \\f and \\\\")
      }
      scalars.append(meant)
    }
    return String(scalars)
  }

  /// The word that ``init(argument:)`` takes for it; of a separator, `separator`.
  public var name: String {
    switch self {
    case .stream: "none"
    case .file: "file"
    case .line: "line"
    case .separator: "separator"
    }
  }

  /// Cuts the text of one file. What holds nothing but line ends is no document.
  public func documents(of text: String) -> CutText {
    switch self {
    case .stream, .file: return CutText([text[...]], separators: 0)
    case .line:
      let lines = Self.pieces(of: text, Array("\n".utf8))
      return CutText(lines.pieces.map(Self.withoutCarriageReturn), separators: lines.separators)
    case .separator(let separator):
      let parts = Self.pieces(of: text, Array(separator.utf8))
      return CutText(parts.pieces, separators: parts.separators)
    }
  }

  /// What stands between the separators, found from left to right in the bytes of the text; what follows the last is a
  /// piece where it is not empty.
  private static func pieces(of text: String, _ separator: [UInt8]) -> (pieces: [Substring], separators: Int) {
    var pieces: [Substring] = []
    let bytes = text.utf8
    var (start, place) = (bytes.startIndex, bytes.startIndex)
    while let found = bytes[place...].firstIndex(of: separator[0]) {
      guard bytes[found...].starts(with: separator) else {
        place = bytes.index(after: found)
        continue
      }
      pieces.append(text[start..<found])
      start = bytes.index(found, offsetBy: separator.count)
      place = start
    }
    let separators = pieces.count
    if start < bytes.endIndex { pieces.append(text[start...]) }
    return (pieces, separators)
  }

  private static func withoutCarriageReturn(_ line: Substring) -> Substring {
    line.utf8.last == UInt8(ascii: "\r") ? line[..<line.utf8.index(before: line.endIndex)] : line
  }
}

/// The documents of a text.
public struct CutText: Sendable, Equatable {
  /// In their order, none empty.
  public private(set) var documents: [String] = []
  /// Where each begins, in bytes of the text that it is of.
  public private(set) var starts: [Int] = []
  /// How many were left out since they hold nothing but line ends.
  public private(set) var empty = 0
  /// How many separators were found.
  public private(set) var separators = 0

  /// No document yet.
  public init() {}

  init(_ pieces: [Substring], separators: Int) {
    self.separators = separators
    for piece in pieces {
      let isEmpty = piece.utf8.allSatisfy { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
      guard !isEmpty else {
        empty += 1
        continue
      }
      documents.append(String(piece))
      starts.append(piece.base.utf8.distance(from: piece.base.startIndex, to: piece.startIndex))
    }
  }

  /// Adds the documents of a text that follows.
  public mutating func append(_ other: CutText) {
    documents += other.documents
    starts += other.starts
    empty += other.empty
    separators += other.separators
  }
}

/// A way to cut documents that cannot be.
public struct DocumentCutError: Error, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}
