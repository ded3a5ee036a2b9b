import CKernels

/// The memory of a neural cache (Grave et al. 2017): hidden states, each with the symbol that came after it.
public final class KeyedSymbols {
  private let keys: Rows<Float>
  private let symbols: Rows<Int32>
  private let scores: Rows<Float>
  /// Pairs held, at most ``capacity``.
  public private(set) var count = 0
  /// Where the next pair goes: the oldest one's place, once all are taken.
  private var next = 0

  /// Pairs that are remembered, the last ones.
  public var capacity: Int { keys.rows }

  /// - Parameter columns: H.
  public init(capacity: Int, columns: Int) {
    precondition(capacity >= 1, "a cache of \(capacity) pairs remembers nothing")
    keys = Rows(capacity, columns)
    symbols = Rows(capacity, 1)
    scores = Rows(capacity, 1)
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
    precondition(query.count == keys.columns, "a query of \(query.count) elements for keys of \(keys.columns)")
    return ckernels_cache_probability_f32(
      count, keys.columns, keys.pointer, symbols.pointer, query.pointer, symbol, Float(flatness), scores.pointer)
  }
}
