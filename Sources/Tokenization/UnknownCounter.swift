/// Counts the symbols that a vocabulary lacks while a text is encoded.
struct UnknownCounter {
  /// The id that an unknown symbol becomes, where the policy is to replace and the vocabulary has one.
  let replacement: Int32?
  private let policy: UnknownPolicy
  private var unknown: [UnknownSymbol] = []
  private var places: [[Unicode.Scalar]: Int] = [:]

  init(_ policy: UnknownPolicy, _ unknownID: Int32?) {
    self.policy = policy
    replacement = policy == .replace ? unknownID : nil
  }

  /// - Parameter position: In scalars of the normalized text.
  mutating func add(_ scalar: Unicode.Scalar, at position: Int) { add([scalar], at: position) }

  /// - Parameter cluster: The scalars of a symbol, at least one.
  mutating func add(_ cluster: [Unicode.Scalar], at position: Int) {
    if let place = places[cluster] {
      unknown[place].count += 1
    } else if let first = cluster.first {
      places[cluster] = unknown.count
      unknown.append(
        UnknownSymbol(symbol: first, others: Array(cluster.dropFirst()), count: 1, firstPosition: position))
    }
  }

  /// Whether a symbol has come that the policy does not allow.
  var isRefused: Bool { !unknown.isEmpty && (policy == .fail || (policy == .replace && replacement == nil)) }

  /// The symbols, in the order of their first places.
  ///
  /// - Throws: ``UnknownSymbolsError`` where the policy does not allow them.
  func finish() throws -> [UnknownSymbol] {
    guard !isRefused else {
      throw UnknownSymbolsError(unknown: unknown, lacksReplacement: policy == .replace)
    }
    return unknown
  }
}
