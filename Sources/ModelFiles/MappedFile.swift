#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file's bytes as if in memory: the system reads what is looked at, and forgets it where memory is short.
///
/// The file must not be cut while it is mapped.
public final class MappedFile: @unchecked Sendable {  // read only
  public let count: Int
  private let bytes: UnsafeRawBufferPointer

  /// - Throws: ``FileError`` for what is no file.
  public convenience init(_ path: String) throws {
    guard Files.kind(path) == .file else {
      throw FileError(.missing, path, Files.kind(path) == .nothing ? "no such file; check the path" : "is not a file")
    }
    let descriptor = retrying { open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw FileError(.missing, path, systemMessage()) }
    defer { close(descriptor) }
    try self.init(descriptor, name: path)
  }

  init(_ descriptor: Int32, name: String) throws {
    var information = stat()
    guard fstat(descriptor, &information) == 0 else { throw FileError(.inputOutput, name, systemMessage()) }
    count = Int(information.st_size)
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0), start != MAP_FAILED else {
      throw FileError(.inputOutput, name, "cannot be mapped: \(systemMessage())")
    }
    bytes = UnsafeRawBufferPointer(start: start, count: count)
  }

  deinit {
    if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), count) }
  }

  /// A copy of some of the bytes.
  public func copy(_ range: Range<Int>) -> [UInt8] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) is not within \(count) bytes")
    return Array(bytes[range])
  }

  /// A number in little endian, at any place.
  @inlinable
  public func number<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as _: Number.Type) -> Number {
    load(offset, as: Number.self)
  }

  @usableFromInline
  func load<Number: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as _: Number.Type) -> Number {
    precondition(offset >= 0 && offset <= count - MemoryLayout<Number>.size, "byte \(offset) of \(count)")
    return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
  }
}
