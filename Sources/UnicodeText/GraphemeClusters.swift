import CUTF8Proc

/// Decides, scalar by scalar, where extended grapheme clusters begin (UAX #29), in constant memory.
///
/// The engine is libutf8proc's, not Swift's `Character`: it has the tables of the same Unicode version as the
/// normalization, needs no text but the last scalar, and gives the same clusters whatever Swift's runtime is.
/// libutf8proc 2.8 has the rules of Unicode 15, without those for Indic conjuncts (GB9c) that came with 15.1 and that
/// Swift applies. It differs from Unicode 15 only in the 3,769 scalars that are ignorable by default but not assigned,
/// such as U+2065: it lets marks join them. The time is linear.
public struct GraphemeBreaker: Sendable {
  private var previous: UInt32?
  private var state: Int32 = 0

  public init() {}

  /// Whether a cluster begins at the next scalar of the text.
  public mutating func beginsCluster(at scalar: Unicode.Scalar) -> Bool {
    defer { previous = scalar.value }
    guard let previous else { return true }
    // Printable ASCII joins nothing that is ASCII.
    if previous &- 0x20 < 0x5F && scalar.value &- 0x20 < 0x5F {
      state = 0
      return true
    }
    return utf8proc_grapheme_break_stateful(Int32(previous), Int32(scalar.value), &state)
  }
}

/// The extended grapheme clusters of a sequence of scalars, which it takes one by one: the memory is that of one
/// cluster.
///
/// A cluster is a `String`, which Swift compares by canonical equivalence: compare the scalars.
public struct GraphemeClusters<Scalars: Sequence<Unicode.Scalar>>: Sequence {
  private let scalars: Scalars

  public init(_ scalars: Scalars) { self.scalars = scalars }

  public func makeIterator() -> Iterator { Iterator(scalars.makeIterator()) }

  public struct Iterator: IteratorProtocol {
    private var scalars: Scalars.Iterator
    private var breaker = GraphemeBreaker()
    /// The first scalar of the next cluster.
    private var first: Unicode.Scalar?

    init(_ scalars: Scalars.Iterator) {
      self.scalars = scalars
      first = self.scalars.next()
      if let first { _ = breaker.beginsCluster(at: first) }
    }

    public mutating func next() -> String? {
      guard let first else { return nil }
      var cluster = String.UnicodeScalarView()
      cluster.append(first)
      while let scalar = scalars.next() {
        if breaker.beginsCluster(at: scalar) {
          self.first = scalar
          return String(cluster)
        }
        cluster.append(scalar)
      }
      self.first = nil
      return String(cluster)
    }
  }
}
