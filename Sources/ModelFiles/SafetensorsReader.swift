/// Why bytes are not a safetensors file: one case a cause.
public enum SafetensorsError: Error, Equatable, CustomStringConvertible {
  case tooShort(bytes: Int)
  case headerTooLarge(length: UInt64)
  case headerBeyondEnd(length: Int, bytes: Int)
  case headerNotAnObject
  case headerNotJSON(String)
  case metadataNotStrings
  case invalidEntry(name: String, what: String)
  case unknownType(name: String, type: String)
  case sizeOverflow(name: String)
  case wrongSize(name: String, expected: Int, got: Int)
  case notContiguous(name: String, expected: Int, got: Int)
  case doesNotCover(data: Int, used: Int)

  public var description: String {
    switch self {
    case .tooShort(let bytes): "has \(bytes) bytes; a safetensors file has at least 10"
    case .headerTooLarge(let length): "its header claims \(length) bytes; the limit is \(Safetensors.maximumHeader)"
    case .headerBeyondEnd(let length, let bytes):
      "its header claims \(length) bytes, but the file has \(bytes); is it cut off?"
    case .headerNotAnObject: "its header does not begin with {; not a safetensors file"
    case .headerNotJSON(let reason): "its header is not JSON: \(reason)"
    case .metadataNotStrings: "its __metadata__ holds something else than strings"
    case .invalidEntry(let name, let what): "tensor \(name): \(what)"
    case .unknownType(let name, let type): "tensor \(name) is of type \(type), which is not read here"
    case .sizeOverflow(let name): "tensor \(name): its shape overflows"
    case .wrongSize(let name, let expected, let got):
      "tensor \(name): its shape wants \(expected) bytes, its offsets \(got)"
    case .notContiguous(let name, let expected, let got):
      "tensor \(name) begins at byte \(got) of the data, not at \(expected)"
    case .doesNotCover(let data, let used): "its tensors cover \(used) bytes of \(data); is it cut off?"
    }
  }
}

extension Safetensors {
  /// The format's own limit.
  static let maximumHeader = 100_000_000

  /// Reads a file's bytes. Everything is checked before a byte of data is sliced.
  ///
  /// - Throws: ``SafetensorsError``.
  public init(parsing bytes: [UInt8]) throws {
    guard bytes.count >= 10 else { throw SafetensorsError.tooShort(bytes: bytes.count) }
    let length = bytes[..<8].enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) }
    guard length <= UInt64(Self.maximumHeader) else { throw SafetensorsError.headerTooLarge(length: length) }
    let dataStart = 8 + Int(length)
    guard dataStart <= bytes.count else {
      throw SafetensorsError.headerBeyondEnd(length: Int(length), bytes: bytes.count)
    }
    guard bytes[8] == UInt8(ascii: "{") else { throw SafetensorsError.headerNotAnObject }
    let header: JSON
    do { header = try JSON(parsing: bytes[8..<dataStart], maximumDepth: 8) } catch {
      throw SafetensorsError.headerNotJSON("\(error)")
    }
    var places: [Place] = []
    var metadata: [String: String] = [:]
    for member in header.members ?? [] {
      if member.key == "__metadata__" {
        metadata = try Self.metadata(member.value)
      } else {
        places.append(try Place(member.key, member.value))
      }
    }
    places.sort { ($0.start, $0.end) < ($1.start, $1.end) }
    try Self.checkCover(places, data: bytes.count - dataStart)
    let entries = places.map { place in
      Entry(
        place.name,
        StoredTensor(
          type: place.type, shape: place.shape, bytes: Array(bytes[dataStart + place.start..<dataStart + place.end])))
    }
    self.init(entries, metadata: metadata)
  }

  private static func metadata(_ value: JSON) throws -> [String: String] {
    guard let members = value.members else { throw SafetensorsError.metadataNotStrings }
    var metadata: [String: String] = [:]
    for member in members {
      guard let string = member.value.string else { throw SafetensorsError.metadataNotStrings }
      metadata[member.key] = string
    }
    return metadata
  }

  /// Offsets are contiguous from 0 and cover the data: nothing overlaps, nothing hides.
  private static func checkCover(_ places: [Place], data: Int) throws {
    var offset = 0
    for place in places {
      guard place.start == offset else {
        throw SafetensorsError.notContiguous(name: place.name, expected: offset, got: place.start)
      }
      offset = place.end
    }
    guard offset == data else { throw SafetensorsError.doesNotCover(data: data, used: offset) }
  }

  /// One tensor's checked header entry.
  private struct Place {
    let name: String
    let type: TensorType
    let shape: [Int]
    let start, end: Int

    init(_ name: String, _ value: JSON) throws {
      func invalid(_ what: String) -> SafetensorsError { .invalidEntry(name: name, what: what) }
      guard value.members != nil else { throw invalid("its entry is not an object") }
      guard let typeName = value["dtype"]?.string else { throw invalid("it has no dtype") }
      guard let type = TensorType(rawValue: typeName) else {
        throw SafetensorsError.unknownType(name: name, type: typeName)
      }
      guard let sizes = value["shape"]?.array else { throw invalid("it has no shape") }
      let shape = sizes.compactMap(\.integer)
      guard shape.count == sizes.count, shape.allSatisfy({ $0 >= 0 }) else {
        throw invalid("its shape holds something else than sizes")
      }
      guard let offsets = value["data_offsets"]?.array, offsets.count == 2, let start = offsets[0].integer,
        let end = offsets[1].integer, start >= 0, end >= start
      else { throw invalid("its data_offsets are not two offsets in order") }
      var size = type.width
      for extent in shape {
        let (product, overflow) = size.multipliedReportingOverflow(by: extent)
        guard !overflow else { throw SafetensorsError.sizeOverflow(name: name) }
        size = product
      }
      guard size == end - start else {
        throw SafetensorsError.wrongSize(name: name, expected: size, got: end - start)
      }
      (self.name, self.type, self.shape, self.start, self.end) = (name, type, shape, start, end)
    }
  }
}
