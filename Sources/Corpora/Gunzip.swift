import CZlib
import ModelFiles

/// Bytes that are read one piece after another.
protocol ByteSource: AnyObject {
  /// What the bytes are of, for errors.
  var name: String { get }
  /// The next bytes; none at the end.
  func next() throws -> [UInt8]
}

/// The content of a gzip file (RFC 1952): of all its members, one after another.
final class Gunzip: ByteSource {
  private let source: any ByteSource
  private var stream = z_stream()
  /// Compressed bytes that wait, from `place` on.
  private var input: [UInt8]
  private var place = 0
  /// Compressed bytes before `input`.
  private var position = 0
  /// Whether a member has begun and not ended.
  private var isInMember = true
  private var hasEnded = false

  /// Bytes that come out at once, so that a small file cannot fill the memory.
  private static let pieceSize = 1 << 18
  /// The first bytes of every member.
  static let magic: [UInt8] = [0x1F, 0x8B]

  /// - Parameter first: What was read already: at least the magic.
  init(_ source: any ByteSource, first: [UInt8]) {
    self.source = source
    input = first
    precondition(unroll_inflate_gzip(&stream) == Z_OK, "zlib could not begin")
  }

  deinit { inflateEnd(&stream) }

  var name: String { source.name }

  func next() throws -> [UInt8] {
    while !hasEnded {
      if place == input.count { try readMore() }
      if hasEnded { break }
      if try !isInMember && !beginMember() { continue }
      let piece = try inflatePiece()
      if !piece.isEmpty { return piece }
    }
    return []
  }

  private func readMore() throws {
    position += input.count
    input = try source.next()
    place = 0
    guard input.isEmpty else { return }
    guard !isInMember else {
      throw FileError(.invalid, name, "gzip data is cut off after byte \(position); get the whole file")
    }
    hasEnded = true
  }

  /// After a member: zeros fill up blocks of a tape, anything else must be the next member.
  private func beginMember() throws -> Bool {
    while place < input.count && input[place] == 0 { place += 1 }
    guard place < input.count else { return false }
    guard input[place] == Self.magic[0] else {
      throw FileError(.invalid, name, "at byte \(position + place) something follows the gzip data that is none")
    }
    precondition(inflateReset(&stream) == Z_OK, "zlib could not begin again")
    isInMember = true
    return true
  }

  private func inflatePiece() throws -> [UInt8] {
    var status = Z_OK
    let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { output, count in
      input.withUnsafeBufferPointer { bytes in
        let start = bytes.baseAddress.map { UnsafeMutablePointer(mutating: $0 + place) }
        stream.next_in = start
        stream.avail_in = UInt32(bytes.count - place)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(output.count)
        status = inflate(&stream, Z_NO_FLUSH)
        place = bytes.count - Int(stream.avail_in)
        count = output.count - Int(stream.avail_out)
      }
    }
    switch status {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: isInMember = false
    default:
      let reason = stream.msg.map { ": " + String(cString: $0) } ?? ""
      throw FileError(.invalid, name, "gzip data is damaged near byte \(position + place)\(reason)")
    }
    return piece
  }
}
