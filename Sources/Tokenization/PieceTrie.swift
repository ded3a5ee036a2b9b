/// The pieces of a vocabulary as a tree of bytes, to find all that begin at a place of a text.
struct PieceTrie: Sendable {
  /// The node that a byte leads to from a node; node 0 is the root.
  private var edges: PairTable
  /// The piece that ends at a node, −1 where none does.
  private var ids: [Int32] = [-1]
  /// The root's edges, which every search begins with.
  private var first = [Int32](repeating: -1, count: 256)

  /// - Parameters:
  ///   - pieces: Distinct and not empty; the id of a piece is its place.
  ///   - hidden: Ids of pieces that are not to be found.
  init(_ pieces: some Collection<[UInt8]>, without hidden: Set<Int> = []) {
    edges = PairTable(capacity: pieces.count * 2)
    for (id, piece) in pieces.enumerated() where !hidden.contains(id) {
      var node: Int32 = 0
      for byte in piece {
        let fresh = Int32(ids.count)
        node = edges.value(PairTable.key(node, Int32(byte)), orInsert: fresh)
        if node == fresh { ids.append(-1) }
      }
      precondition(node != 0 && ids[Int(node)] < 0, "pieces must be distinct and not empty")
      ids[Int(node)] = Int32(id)
    }
    for byte in 0..<256 { first[byte] = edges.value(PairTable.key(0, Int32(byte))) ?? -1 }
  }

  /// Calls `body` with the end and the id of every piece that begins at `start`, the shortest first.
  @inline(__always)
  func forEachPiece(_ bytes: [UInt8], _ start: Int, before limit: Int, _ body: (_ end: Int, _ id: Int32) -> Void) {
    var node = first[Int(bytes[start])]
    var place = start + 1
    while node >= 0 {
      let id = ids[Int(node)]
      if id >= 0 { body(place, id) }
      guard place < limit else { return }
      node = edges.value(PairTable.key(node, Int32(bytes[place]))) ?? -1
      place += 1
    }
  }
}
