#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Alternative {
  /// The model's probability.
  public var probability: Double { exp(logProbability) }
}

/// What processors ask of logits, −∞ among them.
enum Distribution {
  /// ln Σ exp(logits), −∞ where nothing can come.
  static func logSum(_ logits: some Collection<Double>) -> Double {
    let largest = logits.max() ?? -.infinity
    guard largest > -.infinity else { return -.infinity }
    var sum = 0.0
    for logit in logits { sum += exp(logit - largest) }
    return largest + log(sum)
  }

  /// Nats in bits.
  static func bits(_ nats: Double) -> Double { nats / M_LN2 }

  /// softmax(logits).
  static func probabilities(_ logits: [Double]) -> [Double] {
    var probabilities = logits
    let largest = logits.max() ?? 0
    var sum = 0.0
    for symbol in probabilities.indices {
      probabilities[symbol] = exp(probabilities[symbol] - largest)
      sum += probabilities[symbol]
    }
    for symbol in probabilities.indices { probabilities[symbol] /= sum }
    return probabilities
  }

  /// The symbols that can come, the likeliest first; of equals the lowest id first.
  static func ranking(_ values: some RandomAccessCollection<Double>) -> [Int] {
    rank(values.indices.enumerated().filter { values[$0.element] > -.infinity }.map { ($0.offset, values[$0.element]) })
  }

  /// Numbers with their values, the largest value first; of equals the lowest number first.
  static func rank(_ symbols: [(Int, Double)]) -> [Int] {
    symbols.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }.map(\.0)
  }

  /// The `count` likeliest symbols, the likeliest first; of equals the lowest id first.
  static func top(_ count: Int, of values: some RandomAccessCollection<Double>) -> [Int] {
    var best: [(symbol: Int, value: Double)] = []
    guard count > 0 else { return [] }
    for (symbol, value) in values.enumerated() where value > -.infinity {
      if best.count == count {
        guard let last = best.last, value > last.value else { continue }
        best.removeLast()
      }
      // Of equals, those that came first have the lower ids and stay before.
      let place = best.lastIndex { $0.value >= value }.map { $0 + 1 } ?? 0
      best.insert((symbol, value), at: place)
    }
    return best.map(\.symbol)
  }

  /// Makes every symbol but some impossible.
  static func keep(_ symbols: some Sequence<Int>, in logits: inout [Double]) {
    var kept = [Double](repeating: -.infinity, count: logits.count)
    for symbol in symbols { kept[symbol] = logits[symbol] }
    logits = kept
  }

  /// The beginning of a ranking whose probabilities add up to `mass`, at least one symbol: the fewest that do.
  static func prefix(of ranking: [Int], holding mass: Double, _ probabilities: [Double]) -> ArraySlice<Int> {
    var sum = 0.0
    for (place, symbol) in ranking.enumerated() {
      sum += probabilities[symbol]
      if sum >= mass { return ranking[...place] }
    }
    return ranking[...]
  }
}
