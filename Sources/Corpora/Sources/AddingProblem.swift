/// The adding problem in symbols, a line each (after Hochreiter & Schmidhuber 1997, §5.4, where the numbers are real):
/// `03b12d20=4`.
///
/// A line is `length` digits, each uniform in 0 … base − 1, of which one in the first half and one in the second,
/// uniform places both, are marked: written `a` for 0, `b` for 1 and so on. Then `=`, the sum of the two marked digits
/// as one symbol (`0` … `9`, `A` for 10 …), and a line feed.
///
/// What can be predicted: the `=`, the sum and the line feed, wholly; of the digits nothing, and of the marks only that
/// each half has one. A line so has length · ln base + 2 ln(length / 2) nats in length + 3 symbols, and the optimal loss
/// is the one over the other. Whoever has forgotten the marked digits pays the entropy of the sum of two digits besides.
public struct AddingProblem: SymbolSource {
  public static let name = "adding"
  public static let summary = "adding problem: the sum of the two digits that are marked (letters), after ="
  private static let lengthParameter = SourceParameter(
    "length", 20, in: 2...100_000, "digits in a line, an even number")
  private static let baseParameter = SourceParameter("base", 10, in: 2...10, "how many digits there are")
  public static let parameters = [lengthParameter, baseParameter]

  /// Digits in a line, an even number.
  public let length: Int
  /// Digits are 0 … base − 1.
  public let base: Int

  /// Lines of `length` digits, an even number of at least 2; base from 2 to 10.
  public init(length: Int, base: Int = 10) {
    precondition(length >= 2 && length % 2 == 0, "the adding problem wants an even number of digits, not \(length)")
    precondition((2...10).contains(base), "the adding problem wants a base from 2 to 10, not \(base)")
    self.length = length
    self.base = base
  }

  public init(_ values: SourceValues) throws {
    let length = values.count(Self.lengthParameter)
    guard length % 2 == 0 else {
      throw SourceError("the source \(Self.name) wants length to be an even number, not '\(length)'")
    }
    self.init(length: length, base: values.count(Self.baseParameter))
  }

  public var description: String {
    SymbolSources.specification(
      Self.name, [(Self.lengthParameter, Double(length)), (Self.baseParameter, Double(base))])
  }
  /// Digits and sums, marked digits, `=`, line feed.
  public var vocabulary: [Unicode.Scalar] {
    Array(symbols("0123456789ABCDEFGHI")[..<sums] + symbols("abcdefghij")[..<base] + symbols("=\n"))
  }
  private var sums: Int { 2 * base - 1 }
  private var nats: Double { Double(length) * ln(base) + 2 * ln(length / 2) }

  public var optimalLoss: Double { nats / Double(length + 3) }
  public var forgetfulLoss: Double {
    let pairs = (0..<sums).map { Double(min($0, 2 * base - 2 - $0) + 1) / Double(base * base) }
    return (nats + entropy(pairs)) / Double(length + 3)
  }
  public var criterion: String {
    "the sum is the likeliest symbol after = in at least 99 % of unseen lines (Hochreiter & Schmidhuber 1997, §5.4, ask "
      + "for an error below 0.04 in their real numbers)"
  }
  public func makeProcess() -> Process { Process(length: length, base: base, sums: sums) }

  /// A place in a line.
  public struct Process: SymbolProcess {
    let length, base, sums: Int
    /// Symbols of this line so far.
    private var place = 0
    private var isMarked = false
    private var sum = 0

    init(length: Int, base: Int, sums: Int) {
      (self.length, self.base, self.sums) = (length, base, sums)
    }

    private var half: Int { length / 2 }
    /// Whether the next digit, given what this half has, is the marked one.
    private var markProbability: Double { isMarked ? 0 : 1 / Double(half - place % half) }

    public func probability(of symbol: Int) -> Double {
      switch place {
      case length: symbol == sums + base ? 1 : 0
      case length + 1: symbol == sum ? 1 : 0
      case length + 2: symbol == sums + base + 1 ? 1 : 0
      default:
        if symbol < base {
          (1 - markProbability) / Double(base)
        } else if (sums..<sums + base).contains(symbol) {
          markProbability / Double(base)
        } else {
          0
        }
      }
    }

    public mutating func read(_ symbol: Int) {
      if place < length && symbol >= sums {
        isMarked = true
        sum += symbol - sums
      }
      place += 1
      if place == half || place == length { isMarked = false }
      if place == length + 3 { (place, sum) = (0, 0) }
    }
  }
}
