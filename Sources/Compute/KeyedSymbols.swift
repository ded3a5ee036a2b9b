import CKernels

/// The memory of a neural cache (Grave et al. 2017): hidden states, each with the symbol that came after it.
public final class KeyedSymbols {
  private let keys: Rows<Float>
  private let symbols: Rows<Int32>
  /// Of some queries side by side: by key, and by the queries before them.
  private let scores, among: Rows<Float>
  /// Pairs held, at most ``capacity``.
  public private(set) var count = 0
  /// Where the next pair goes: the oldest one's place, once all are taken.
  private var next = 0

  /// Pairs that are remembered, the last ones.
  public var capacity: Int { keys.rows }

  /// Queries that are looked up at once, at most.
  private static var block: Int { 16 }

  /// - Parameter columns: H.
  public init(capacity: Int, columns: Int) {
    precondition(capacity >= 1, "a cache of \(capacity) pairs remembers nothing")
    keys = Rows(capacity, columns)
    symbols = Rows(capacity, 1)
    let block = min(Self.block, capacity)
    scores = Rows(block, capacity)
    among = Rows(block, block)
  }

  /// Forgets everything.
  public func removeAll() { (count, next) = (0, 0) }

  /// Remembers a symbol under a hidden state `[1, H]`, and forgets the oldest pair where there is no room.
  public func add(_ key: Rows<Float>, _ symbol: Int32) {
    keys[next..<next + 1].copy(from: key)
    symbols[next, 0] = symbol
    next = (next + 1) % capacity
    count = min(count + 1, capacity)
  }

  /// Σ softmax(flatness·keyᵢ·query) over the pairs with a symbol; 0 where nothing is remembered.
  public func probability(of symbol: Int32, query: Rows<Float>, flatness: Double) -> Double {
    precondition(
      query.rows == 1 && query.columns == keys.columns,
      "a query [\(query.rows), \(query.columns)] for keys of \(keys.columns)")
    score(query, by: keys, count, flatness, into: scores)
    return share(of: symbol, 0)
  }

  /// Of queries `[T, H]` one after another, what ``probability(of:query:flatness:)`` says of each one's symbol; a pair is
  /// remembered before the next query. To the bit as one by one, but keys are read once for several queries.
  public func probabilities(of following: [Int32], queries: Rows<Float>, flatness: Double) -> [Double] {
    precondition(
      queries.rows == following.count && queries.columns == keys.columns,
      "queries [\(queries.rows), \(queries.columns)] for \(following.count) symbols and keys of \(keys.columns)")
    var probabilities: [Double] = []
    for start in stride(from: 0, to: following.count, by: scores.rows) {
      let part = start..<min(start + scores.rows, following.count)
      probabilities += lookUp(following[part], queries[part], flatness)
    }
    return probabilities
  }

  /// At most as many queries as have room side by side; no pair of them takes another's place.
  private func lookUp(_ following: ArraySlice<Int32>, _ queries: Rows<Float>, _ flatness: Double) -> [Double] {
    let first = next
    score(queries, by: keys, count, flatness, into: scores)
    score(queries, by: queries, queries.rows, flatness, into: among)
    return following.enumerated().map { t, symbol in
      // The pairs since then are in the places of the oldest.
      for before in 0..<t { scores[t, (first + before) % capacity] = among[t, before] }
      let probability = share(of: symbol, t)
      add(queries[t..<t + 1], symbol)
      return probability
    }
  }

  private func score(
    _ queries: Rows<Float>, by keys: Rows<Float>, _ count: Int, _ flatness: Double, into scores: Rows<Float>
  ) {
    ckernels_cache_scores_f32(
      queries.rows, count, keys.columns, keys.pointer, queries.pointer, Float(flatness), scores.columns, scores.pointer)
  }

  /// The share of a symbol by the scores of a query.
  private func share(of symbol: Int32, _ query: Int) -> Double {
    ckernels_cache_share_f32(count, symbols.pointer, symbol, scores[query..<query + 1].pointer)
  }
}
