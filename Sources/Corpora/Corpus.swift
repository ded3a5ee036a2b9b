import ModelFiles
import UnicodeText

/// The texts of a corpus, which can be read again and again, each time the same: files one after another as one stream.
///
/// A folder stands for the regular files in it and in the folders within, in the order of their paths' bytes; hidden ones
/// and linked folders are left out. `-` is standard input. gzip is told by its first bytes. What can be read once only,
/// standard input and pipes, is kept: a little in memory, more in a file without a name.
public struct Corpus: Sendable {
  /// One text.
  enum Text: Sendable {
    case file(String)
    case memory(name: String, [UInt8])
    case kept(name: String, MappedFile)

    var name: String {
      switch self {
      case .file(let path): Paths.title(path)
      case .memory(let name, _), .kept(let name, _): name
      }
    }
  }

  let texts: [Text]
  private let policy: InvalidUTF8.Policy
  private let allowsEmpty: Bool
  /// What a person should know: how many files a folder stands for, what was left out, what is read twice.
  public let notes: [String]

  /// Bytes of standard input or a pipe that are kept in memory.
  private static let memoryLimit = 1 << 24

  /// Finds the files.
  ///
  /// - Parameters:
  ///   - paths: Files, folders, and `-`.
  ///   - allowsEmpty: Whether a file without a byte is a text like any other; else it is an error.
  ///   - policy: What is done about bytes that are not UTF-8.
  ///   - folder: Where to keep what can be read once only; without one it is not kept, and the corpus is read once.
  /// - Throws: ``FileError``.
  public init(
    _ paths: [String], keepingIn folder: String? = nil, invalid policy: InvalidUTF8.Policy = .refuse,
    allowsEmpty: Bool = false
  ) throws {
    self.policy = policy
    self.allowsEmpty = allowsEmpty
    let list = try FileList(paths)
    notes = list.notes
    texts = try list.paths.map { path in
      guard let folder, path == "-" || Files.kind(path) == .pipe else { return .file(path) }
      return try Self.kept(path, folder)
    }
  }

  /// A text in memory.
  public init(text: String, name: String) {
    texts = [.memory(name: name, Array(text.utf8))]
    policy = .refuse
    allowsEmpty = false
    notes = []
  }

  /// The names of the texts, in order.
  public var names: [String] { texts.map(\.name) }

  /// The paths of the texts that are files, `-` for standard input where it is not kept.
  public var paths: [String] {
    texts.compactMap { text in
      if case .file(let path) = text { path } else { nil }
    }
  }

  private static func kept(_ path: String, _ folder: String) throws -> Text {
    let input = try InputFile(path)
    var bytes: [UInt8] = []
    while bytes.count <= memoryLimit {
      let more = try input.read(upTo: CorpusReader.pieceSize)
      if more.isEmpty { return .memory(name: input.name, bytes) }
      bytes += more
    }
    let output = try OutputFile(temporaryIn: folder)
    while !bytes.isEmpty {
      try output.append(bytes[...])
      bytes = try input.read(upTo: CorpusReader.pieceSize)
    }
    return .kept(name: input.name, try output.mapped())
  }

  /// Reads all texts, piece by piece.
  public func reader() -> CorpusReader { CorpusReader(texts, policy, allowsEmpty: allowsEmpty) }

  /// Hands over a part of the stream, piece by piece.
  ///
  /// - Parameter characters: Which Unicode scalars, counted from 0 over all texts; those beyond the end are none.
  /// - Returns: How many sequences of bytes became U+FFFD in what was read.
  @discardableResult
  public func forEachPiece(_ characters: Range<Int>, _ body: (ArraySlice<UInt8>) throws -> Void) throws -> Int {
    var reader = reader()
    var position = 0
    while position < characters.upperBound, let element = try reader.next() {
      guard case .text(let bytes) = element else { continue }
      let count = bytes[...].scalarCount
      let (first, end) = (max(0, characters.lowerBound - position), min(count, characters.upperBound - position))
      if first == 0 && end == count {
        try body(bytes[...])
      } else if first < end {
        let start = bytes[...].place(afterScalars: first)
        try body(bytes[start..<bytes[start...].place(afterScalars: end - first)])
      }
      position += count
    }
    return reader.replacements
  }

  /// Reads all texts once: how much there is, the SHA-256 of all bytes, of gzip files those of their content, and how many
  /// sequences were replaced; what was replaced counts as it is then.
  public func measured() throws -> (figures: TextFigures, hash: String, replacements: Int) {
    var figures = TextFigures()
    let hash = RunningSHA256()
    var reader = reader()
    while let element = try reader.next() {
      guard case .text(let bytes) = element else { continue }
      figures.add(bytes)
      hash.add(bytes[...])
    }
    return (figures, hash.finish(), reader.replacements)
  }
}

/// The files that paths stand for.
struct FileList {
  private(set) var paths: [String] = []
  private(set) var notes: [String] = []

  init(_ arguments: [String]) throws {
    for path in arguments {
      if path != "-" && Files.kind(path) == .folder { try add(folder: path) } else { paths.append(path) }
    }
    var seen: Set<String> = []
    for path in paths where path != "-" && !seen.insert(Files.resolved(path)).inserted {
      notes.append("\(path) is read more than once")
    }
  }

  private mutating func add(folder: String) throws {
    var (found, empty, links): ([String], Int, Int) = ([], 0, 0)
    var folders = [folder]
    while let next = folders.popLast() {
      for name in try Files.readableNames(in: next) where !name.utf8.starts(with: ".".utf8) {
        let path = Paths.join(next, name)
        switch Files.kind(path) {
        case .folder where Files.isLink(path): links += 1
        case .folder: folders.append(path)
        case .file where Files.size(path) == 0: empty += 1
        case .file: found.append(path)
        case .nothing, .pipe, .device, .socket: links += 1
        }
      }
    }
    guard !found.isEmpty else { throw FileError(.missing, folder, "is a folder without text files; name files") }
    paths += found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let parts = [empty > 0 ? "\(empty) empty" : nil, links > 0 ? "\(links) linked folders or other things" : nil]
    let left = parts.compactMap { $0 }.joined(separator: " and ")
    notes.append(
      "\(folder) has \(found.count) file\(found.count == 1 ? "" : "s"), read in the order of their names"
        + (left.isEmpty ? "" : "; left out: \(left)"))
  }
}
