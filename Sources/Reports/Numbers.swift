#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A number with a fixed count of decimal places, rounded as C's printf does, with a point in every locale.
public func decimal(_ value: Double, places: Int) -> String { written(value, "f", places: places) }

/// The same where it has fewer than ten digits before the point, and 2.349e+129 where it has more.
public func shortDecimal(_ value: Double, places: Int) -> String {
  abs(value) < 1e9 ? decimal(value, places: places) : written(value, "e", places: 3)
}

private func written(_ value: Double, _ conversion: Character, places: Int) -> String {
  precondition((0...17).contains(places), "\(places) decimal places")
  guard value.isFinite else { return value.isNaN ? "not a number" : value < 0 ? "-infinite" : "infinite" }
  return withVaList([value]) { arguments in
    var buffer = [CChar](repeating: 0, count: 400)
    let count = vsnprintf(&buffer, buffer.count, "%.\(places)\(conversion)", arguments)
    return String(decoding: buffer[..<Int(count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// A whole number with its digits in groups of three: 1,115,394.
public func grouped(_ value: Int) -> String {
  let digits = Array(String(value.magnitude))
  var out = value < 0 ? "-" : ""
  for (index, digit) in digits.enumerated() {
    if index > 0 && (digits.count - index) % 3 == 0 { out += "," }
    out.append(digit)
  }
  return out
}

/// A number of seconds as people say it: 8 s, 4:07, 1:02:03.
public func duration(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
  let whole = Int(seconds.rounded())
  func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60):\(two(whole % 60))" }
  return "\(whole / 3600):\(two(whole % 3600 / 60)):\(two(whole % 60))"
}
