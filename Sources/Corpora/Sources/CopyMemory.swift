/// Copy memory, a line each: `cafe....:cafe` (the long time lags of Hochreiter & Schmidhuber 1997, §5.2, in the form of
/// Arjovsky, Shah & Bengio 2016, §4.1).
///
/// A line is `items` letters, uniform among `letters` of them, `delay` dots, a colon, the same letters again, and a line
/// feed. Everything is predictable but the first letters: items · ln letters nats in 2 · items + delay + 2 symbols, and
/// the optimal loss is the one over the other. Whoever has forgotten the letters pays for them twice.
public struct CopyMemory: SymbolSource {
  public static let name = "copy"
  public static let summary = "copy memory: letters, dots, a colon, the same letters"
  private static let delayParameter = SourceParameter("delay", 20, in: 0...100_000, "dots in a line")
  private static let itemsParameter = SourceParameter("items", 10, in: 1...10_000, "letters to remember")
  private static let lettersParameter = SourceParameter("letters", 8, in: 2...26, "how many letters there are")
  public static let parameters = [delayParameter, itemsParameter, lettersParameter]

  /// Dots in a line.
  public let delay: Int
  /// Letters to remember.
  public let items: Int
  /// The size of the alphabet.
  public let letters: Int

  /// Lines of `items` letters out of 2 to 26, with `delay` dots behind them.
  public init(delay: Int, items: Int = 10, letters: Int = 8) {
    precondition(delay >= 0 && items >= 1, "copy memory of \(items) items and \(delay) dots")
    precondition((2...26).contains(letters), "copy memory wants 2 to 26 letters, not \(letters)")
    self.delay = delay
    self.items = items
    self.letters = letters
  }

  public init(_ values: SourceValues) {
    self.init(
      delay: values.count(Self.delayParameter), items: values.count(Self.itemsParameter),
      letters: values.count(Self.lettersParameter))
  }

  public var description: String {
    SymbolSources.specification(
      Self.name,
      [
        (Self.delayParameter, Double(delay)), (Self.itemsParameter, Double(items)),
        (Self.lettersParameter, Double(letters)),
      ])
  }
  /// The letters, dot, colon, line feed.
  public var vocabulary: [Unicode.Scalar] {
    Array(symbols("abcdefghijklmnopqrstuvwxyz")[..<letters] + symbols(".:\n"))
  }
  private var lineLength: Int { 2 * items + delay + 2 }

  public var optimalLoss: Double { Double(items) * ln(letters) / Double(lineLength) }
  public var forgetfulLoss: Double { 2 * optimalLoss }
  public var criterion: String {
    "every letter after the colon is the likeliest one in at least 99 % of unseen lines; a loss near the forgetful one "
      + "means that nothing is remembered (the baseline of Arjovsky, Shah & Bengio 2016, §4.1)"
  }
  public func makeProcess() -> Process { Process(delay: delay, items: items, letters: letters) }

  /// A place in a line.
  public struct Process: SymbolProcess {
    let delay, items, letters: Int
    /// Symbols of this line so far.
    private var place = 0
    private var remembered: [Int] = []

    init(delay: Int, items: Int, letters: Int) {
      (self.delay, self.items, self.letters) = (delay, items, letters)
    }

    /// The place of the colon.
    private var colon: Int { items + delay }

    public func probability(of symbol: Int) -> Double {
      guard place >= items else { return symbol < letters ? 1 / Double(letters) : 0 }
      let certain =
        if place < colon {
          letters
        } else if place == colon {
          letters + 1
        } else if place <= colon + items {
          remembered[place - colon - 1]
        } else {
          letters + 2
        }
      return symbol == certain ? 1 : 0
    }

    public mutating func read(_ symbol: Int) {
      if place < items { remembered.append(symbol) }
      place += 1
      if place > colon + items + 1 {
        place = 0
        remembered.removeAll(keepingCapacity: true)
      }
    }
  }
}
