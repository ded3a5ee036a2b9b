import ModelFiles
import UnicodeText

/// A file of token ids, mapped; see ``TokenFileHeader`` for its form.
public final class TokenFile: Sendable {
  public let header: TokenFileHeader
  private let map: MappedFile
  private let width: Int

  /// Maps a file, and checks everything that it says, every id included: so it is read once.
  ///
  /// - Throws: ``FileError`` with the file's name.
  public convenience init(_ path: String) throws {
    let input = try InputFile(path, allowsPipes: false)
    do {
      let header = try TokenFileHeader(try Self.head(input), fileSize: input.size ?? 0)
      try Self.checkIDs(input, header)
      self.init(header, try MappedFile(path))
    } catch let error as TokenFileError {
      throw FileError(.invalid, path, "\(error)")
    }
    guard map.count == input.size else { throw FileError(.invalid, path, "changed while it was read; try again") }
  }

  /// Ids that this process wrote.
  init(_ header: TokenFileHeader, _ map: MappedFile) {
    self.header = header
    self.map = map
    width = header.width
  }

  /// Whether a file begins as files of token ids do.
  public static func isMeant(by path: String) -> Bool {
    guard Files.kind(path) == .file, let input = try? InputFile(path, allowsPipes: false) else { return false }
    return (try? input.read(upTo: TokenFileHeader.magic.count)) == TokenFileHeader.magic
  }

  private static func head(_ input: InputFile) throws -> [UInt8] {
    var head: [UInt8] = []
    while head.count < TokenFileHeader.size {
      let bytes = try input.read(upTo: TokenFileHeader.size - head.count)
      if bytes.isEmpty { break }
      head += bytes
    }
    return head
  }

  /// Reads all ids in pieces, so that the check takes no memory.
  private static func checkIDs(_ input: InputFile, _ header: TokenFileHeader) throws {
    let step = header.width / 8
    guard header.vocabularySize < 1 << header.width else { return }
    var rest: [UInt8] = []
    var place = 0
    while place < header.count {
      let read = try input.read(upTo: 1 << 18)
      guard !read.isEmpty else { throw TokenFileError("is cut off: it ended while it was read") }
      let bytes = rest.isEmpty ? read : rest + read
      let whole = bytes.count / step
      if let bad = bytes.firstID(width: header.width, notBelow: header.vocabularySize) {
        throw TokenFileError(
          "has the id \(bad.id) at place \(place + bad.place); its vocabulary has \(header.vocabularySize)")
      }
      place += whole
      rest = Array(bytes[(whole * step)...])
    }
  }

  /// The id at a place, counted from 0.
  func id(at place: Int) -> Int32 {
    switch width {
    case 8: Int32(map.number(at: TokenFileHeader.size + place, as: UInt8.self))
    case 16: Int32(map.number(at: TokenFileHeader.size + 2 * place, as: UInt16.self))
    default: map.number(at: TokenFileHeader.size + 4 * place, as: Int32.self)
    }
  }
}

extension [UInt8] {
  /// The first of the ids in these bytes that a vocabulary of `limit` does not have.
  fileprivate func firstID(width: Int, notBelow limit: Int) -> (place: Int, id: UInt32)? {
    func first<ID: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(_: ID.Type) -> (place: Int, id: UInt32)? {
      withUnsafeBytes { bytes in
        for place in 0..<bytes.count / MemoryLayout<ID>.size {
          let id = ID(
            littleEndian: bytes.loadUnaligned(fromByteOffset: place * MemoryLayout<ID>.size, as: ID.self))
          if Int(id) >= limit { return (place, UInt32(id)) }
        }
        return nil
      }
    }
    switch width {
    case 8: return first(UInt8.self)
    case 16: return first(UInt16.self)
    default: return first(UInt32.self)
    }
  }
}

/// Writes a file of token ids piece by piece.
public final class TokenFileWriter {
  private let output: OutputFile
  private let width: Int
  private let vocabularySize: Int
  /// Ids so far.
  public private(set) var count = 0

  /// - Parameter output: Empty still.
  public init(_ output: OutputFile, vocabularySize: Int) throws {
    self.output = output
    self.vocabularySize = vocabularySize
    width = TokenFileHeader.width(vocabularySize: vocabularySize)
    try output.append([UInt8](repeating: 0, count: TokenFileHeader.size)[...])
  }

  /// Adds ids, each of the vocabulary.
  public func append(_ ids: [Int32]) throws {
    try output.append(packed(ids)[...])
    count += ids.count
  }

  private func packed(_ ids: [Int32]) -> [UInt8] {
    let (width, vocabularySize) = (width, vocabularySize)
    return [UInt8](unsafeUninitializedCapacity: ids.count * width / 8) { bytes, count in
      for (place, id) in ids.enumerated() {
        precondition(id >= 0 && Int(id) < vocabularySize, "token \(id) of a vocabulary of \(vocabularySize)")
        switch width {
        case 8: bytes[place] = UInt8(truncatingIfNeeded: id)
        case 16:
          bytes[2 * place] = UInt8(truncatingIfNeeded: id)
          bytes[2 * place + 1] = UInt8(truncatingIfNeeded: id >> 8)
        default:
          for byte in 0..<4 { bytes[4 * place + byte] = UInt8(truncatingIfNeeded: id >> (8 * Int32(byte))) }
        }
      }
      count = ids.count * width / 8
    }
  }

  /// Writes the header, which ends the file. A file that is to have a name is made durable.
  ///
  /// - Returns: What the file says of itself.
  @discardableResult
  public func finish(
    text: TextFigures, unknown: Int, tokenizerHash: String, textHash: String
  ) throws -> TokenFileHeader {
    let header = TokenFileHeader(
      count: count, vocabularySize: vocabularySize, text: text, unknown: unknown, tokenizerHash: tokenizerHash,
      textHash: textHash)
    try output.overwrite(header.encoded, at: 0)
    return header
  }
}

/// Collects token ids: few in memory, many in a file without a name.
public struct TokenCollector {
  /// Ids that are kept in memory.
  public static let memoryLimit = 1 << 24
  private let vocabularySize: Int
  private let folder: String
  private let limit: Int
  private var ids: [Int32] = []
  private var file: (output: OutputFile, writer: TokenFileWriter)?

  /// - Parameters:
  ///   - folder: Where a file is made.
  ///   - limit: The most ids to keep in memory.
  public init(vocabularySize: Int, folder: String, limit: Int = memoryLimit) {
    self.vocabularySize = vocabularySize
    self.folder = folder
    self.limit = limit
  }

  /// Adds ids.
  public mutating func append(_ more: [Int32]) throws {
    if let file { return try file.writer.append(more) }
    ids += more
    guard ids.count > limit else { return }
    let output = try OutputFile(temporaryIn: folder)
    let writer = try TokenFileWriter(output, vocabularySize: vocabularySize)
    try writer.append(ids)
    file = (output, writer)
    ids = []
  }

  /// All ids.
  public func finish() throws -> TokenStream {
    guard let file else { return TokenStream(ids) }
    let nothing = String(repeating: "0", count: 64)
    let header = try file.writer.finish(text: TextFigures(), unknown: 0, tokenizerHash: nothing, textHash: nothing)
    return TokenStream(TokenFile(header, try file.output.mapped()))
  }
}
