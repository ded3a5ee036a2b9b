import ModelFiles

/// Token ids in order, in memory or in a mapped file; read as numbers of 32 bits wherever they are.
public struct TokenStream: RandomAccessCollection, Sendable {
  private enum Storage: Sendable {
    case memory([Int32])
    case mapped(TokenFile)
  }

  private let storage: Storage
  /// Which of the stored ids these are.
  private let range: Range<Int>

  /// Ids in memory.
  public init(_ ids: [Int32]) {
    storage = .memory(ids)
    range = ids.indices
  }

  /// The ids of a file.
  public init(_ file: TokenFile) {
    storage = .mapped(file)
    range = 0..<file.header.count
  }

  private init(_ storage: Storage, _ range: Range<Int>) {
    self.storage = storage
    self.range = range
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { range.count }

  public subscript(place: Int) -> Int32 {
    precondition(place >= 0 && place < range.count, "token \(place) of \(range.count)")
    switch storage {
    case .memory(let ids): return ids[range.lowerBound + place]
    case .mapped(let file): return file.id(at: range.lowerBound + place)
    }
  }

  /// Some of the tokens, counted from 0 again; nothing is copied.
  public func part(_ places: Range<Int>) -> TokenStream {
    precondition(places.lowerBound >= 0 && places.upperBound <= range.count, "\(places) is not within \(range.count)")
    return TokenStream(storage, range.lowerBound + places.lowerBound..<range.lowerBound + places.upperBound)
  }

  /// How often each id of a vocabulary occurs.
  public func counts(vocabularySize: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: vocabularySize)
    for id in self { counts[Int(id)] += 1 }
    return counts
  }
}
