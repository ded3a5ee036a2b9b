#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The scale of an axis: a range, its marks, and where a value lies in it, 0 to 1.
struct Scale {
  /// A marked value.
  struct Tick: Equatable {
    let value: Double
    let label: String
  }

  let ticks: [Tick]
  private let low, high: Double
  private let isLogarithmic: Bool

  /// - Parameters:
  ///   - values: What the axis must show; all finite, and above 0 where it is logarithmic.
  ///   - isRounded: Whether the range goes on to the next marks.
  init(_ values: [Double], isLogarithmic: Bool, isRounded: Bool) {
    self.isLogarithmic = isLogarithmic
    let placed = values.map { isLogarithmic ? log10($0) : $0 }
    var (low, high) = (placed.min() ?? 0, placed.max() ?? 1)
    // A range of nothing, or of less than the digits can tell, is opened.
    let least = max(1e-9 * max(abs(low), abs(high)), isLogarithmic ? 0.1 : 1e-300)
    if high - low < least {
      let room = low == 0 || isLogarithmic ? 1 : abs(low) / 2
      (low, high) = (low - room, high + room)
    }
    let step = isLogarithmic ? max(1, Self.niceStep(high - low)) : Self.niceStep(high - low)
    // What lies beyond a mark by rounding alone asks for no other.
    if isRounded { (low, high) = ((low / step + 1e-9).rounded(.down) * step, (high / step - 1e-9).rounded(.up) * step) }
    (self.low, self.high) = (low, high)
    let first = Int((low / step - 1e-9).rounded(.up))
    let last = max(first - 1, Int((high / step + 1e-9).rounded(.down)))
    ticks = (first..<last + 1).map { index in
      let value = Double(index) * step
      return isLogarithmic
        ? Tick(value: pow(10, value), label: Self.power(of: Int(value.rounded())))
        : Tick(value: value, label: Self.label(value, step: step))
    }
  }

  /// Where a value lies: 0 at the lower end, 1 at the upper.
  func place(_ value: Double) -> Double { ((isLogarithmic ? log10(value) : value) - low) / (high - low) }

  func shows(_ value: Double) -> Bool { !isLogarithmic || value > 0 }

  /// 1, 2 or 5 times a power of ten, which cuts the range into four to ten.
  static func niceStep(_ range: Double) -> Double {
    let rough = range / 7
    let power = pow(10, log10(rough).rounded(.down))
    let factor = rough / power
    return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10)
  }

  private static func label(_ value: Double, step: Double) -> String {
    guard abs(value) < 1e6, step >= 1e-6 else { return "\(value)" }
    return decimal(value, places: max(0, Int(-log10(step).rounded(.down)))).replacingMinus
  }

  /// 10⁻³, and plain numbers from 0.01 to 1,000.
  private static func power(of exponent: Int) -> String {
    switch exponent {
    case -2: return "0.01"
    case -1: return "0.1"
    case 0: return "1"
    case 1: return "10"
    case 2: return "100"
    case 3: return "1,000"
    default: break
    }
    let digits: [Character: Character] = [
      "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸", "9": "⁹",
    ]
    return "10" + String(String(exponent).map { digits[$0] ?? $0 })
  }
}

extension String {
  /// With the sign that is as wide as a plus.
  fileprivate var replacingMinus: String { hasPrefix("-") ? "−" + dropFirst() : self }
}
