#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Interpolated modified Kneser–Ney smoothing of n-grams (Chen & Goodman 1999, §4.1.6): what counting alone predicts.
///
///     p(w | h) = (c(hw) − D(c(hw))) / c(h·)  +  γ(h) · p(w | h without its first symbol)
///
/// The longest n-grams count their occurrences, shorter ones the different symbols that stand before them. A text's
/// beginning stands before its first symbol; n-grams from there count their occurrences (as in Heafield et al. 2013). The
/// unigrams are interpolated with 1 / V, so every symbol has a probability. Memory grows with the different n-grams of the
/// corpus: about 60 bytes each.
public struct NGramModel: Sendable {
  /// n: symbols that a prediction looks at, its own included.
  public let order: Int
  /// V.
  public let vocabularySize: Int

  private var tree = NGramTree()
  /// Discounts of n-grams that occur once, twice and more often, by n − 1.
  private var discounts: [Discounts] = []
  /// By node: how its continuations are counted.
  private var continuations: [Continuations] = []

  /// Orders that can be asked for.
  public static var orders: ClosedRange<Int> { 1...6 }

  /// Counts a corpus.
  ///
  /// - Parameter texts: Token ids; each text begins anew.
  public init(order: Int, vocabularySize: Int, texts: [[Int32]]) {
    precondition(Self.orders.contains(order), "n-grams of order \(order); 1 to 6 are counted")
    precondition(vocabularySize >= 1, "n-grams want a vocabulary")
    self.order = order
    self.vocabularySize = vocabularySize
    for text in texts { count(text) }
    finish()
  }

  // MARK: Counting

  private mutating func count(_ text: [Int32]) {
    precondition(text.allSatisfy { (0..<Int32(vocabularySize)).contains($0) }, "a token that the vocabulary lacks")
    let symbols = [beginning] + text
    for place in symbols.indices {
      // From the shortest on, so that an n-gram's suffix is there before it.
      var suffix = NGramTree.root
      for length in 1...min(order, place + 1) {
        let first = place - length + 1
        let (node, isNew) = tree.insert(symbols[first...place])
        let isAtBeginning = first == 0
        if place > 0, length == order || isAtBeginning { tree.counts[Int(node)] += 1 }
        if place > 0, isNew, length > 1 { addPredecessor(to: suffix) }
        suffix = node
      }
    }
  }

  /// The n-gram at `node` has one more symbol that stands before it. (One from the beginning has none, and the longest are
  /// not counted so.)
  private mutating func addPredecessor(to node: Int32) { tree.counts[Int(node)] += 1 }

  /// Stands before every text; never predicted.
  private var beginning: Int32 { Int32(vocabularySize) }

  private mutating func finish() {
    var frequencies = [[Int]](repeating: [0, 0, 0, 0], count: order)
    continuations = [Continuations](repeating: .init(), count: tree.counts.count)
    for node in tree.counts.indices.dropFirst() {
      let count = tree.counts[node]
      guard count > 0 else { continue }
      if count <= 4 { frequencies[Int(tree.depths[node]) - 1][Int(count) - 1] += 1 }
      continuations[Int(tree.parents[node])].add(count)
    }
    discounts = frequencies.map(Discounts.init)
  }

  // MARK: Predicting

  /// p(symbol | history): of the history, the last n − 1 symbols count.
  ///
  /// - Parameter isWhole: Whether the history begins where its text does.
  public func probability(of symbol: Int32, after history: ArraySlice<Int32>, isWhole: Bool = true) -> Double {
    precondition((0..<beginning).contains(symbol), "a token that the vocabulary lacks")
    var context = history.suffix(order - 1)
    if isWhole && history.count < order - 1 { context = ([beginning] + context)[...] }
    var probability = 1 / Double(vocabularySize)
    for length in 0...context.count {
      guard let node = tree.node(of: context.suffix(length)) else { break }
      let continuation = continuations[Int(node)]
      guard continuation.total > 0 else { break }
      let count = tree.child(of: node, symbol).map { tree.counts[Int($0)] } ?? 0
      let discounts = discounts[length]
      let rest = max(0, Double(count) - discounts.discount(of: count))
      probability = (rest + discounts.sum(over: continuation) * probability) / Double(continuation.total)
    }
    return probability
  }

  /// −ln p of every token of a text in nats, from its first on.
  public func surprisals(of text: [Int32]) -> [Double] {
    text.indices.map { -log(probability(of: text[$0], after: text[max(0, $0 - order + 1)..<$0], isWhole: $0 < order)) }
  }
}

/// What follows an n-gram: how often, and how many symbols once, twice and more often.
private struct Continuations {
  var total = 0
  var once: Int32 = 0
  var twice: Int32 = 0
  var more: Int32 = 0

  mutating func add(_ count: Int32) {
    total += Int(count)
    switch count {
    case 1: once += 1
    case 2: twice += 1
    default: more += 1
    }
  }
}

/// What is taken from counts (Chen & Goodman 1999, equation 26).
private struct Discounts {
  private var ofOne = 0.5
  private var ofTwo = 1.0
  private var ofMore = 1.5

  /// - Parameter frequencies: How many n-grams have the counts 1, 2, 3 and 4. Where one of them is missing, as among the
  ///   few n-grams of a small vocabulary, the discounts are 0.5, 1 and 1.5.
  init(_ frequencies: [Int]) {
    let n = frequencies.map(Double.init)
    let y = n[0] / (n[0] + 2 * n[1])
    let found = (1...3).map { Double($0) - Double($0 + 1) * y * n[$0] / n[$0 - 1] }
    guard zip(found, 1...3).allSatisfy({ $0 >= 0 && $0 <= Double($1) }) else { return }
    (ofOne, ofTwo, ofMore) = (found[0], found[1], found[2])
  }

  func discount(of count: Int32) -> Double {
    switch count {
    case 0: 0
    case 1: ofOne
    case 2: ofTwo
    default: ofMore
    }
  }

  /// What is taken from all continuations of an n-gram together.
  func sum(over continuation: Continuations) -> Double {
    ofOne * Double(continuation.once) + ofTwo * Double(continuation.twice) + ofMore * Double(continuation.more)
  }
}

/// N-grams as paths from a root, a symbol an edge.
private struct NGramTree {
  /// By node; the root is node 0.
  var counts: [Int32] = [0]
  var parents: [Int32] = [0]
  var depths: [UInt8] = [0]
  /// Nodes by their parent (upper half) and symbol.
  private var children: [UInt64: Int32] = [:]

  static var root: Int32 { 0 }

  func child(of node: Int32, _ symbol: Int32) -> Int32? {
    children[UInt64(UInt32(bitPattern: node)) << 32 | UInt64(UInt32(bitPattern: symbol))]
  }

  func node(of path: ArraySlice<Int32>) -> Int32? {
    var node = Self.root
    for symbol in path {
      guard let next = child(of: node, symbol) else { return nil }
      node = next
    }
    return node
  }

  /// The node of an n-gram, and whether it is new; all before its last symbol is there.
  mutating func insert(_ path: ArraySlice<Int32>) -> (node: Int32, isNew: Bool) {
    guard let parent = node(of: path.dropLast()), let symbol = path.last else {
      preconditionFailure("an n-gram comes after its beginning")
    }
    if let node = child(of: parent, symbol) { return (node, false) }
    let node = Int32(counts.count)
    children[UInt64(UInt32(bitPattern: parent)) << 32 | UInt64(UInt32(bitPattern: symbol))] = node
    counts.append(0)
    parents.append(parent)
    depths.append(depths[Int(parent)] + 1)
    return (node, true)
  }
}
