/// A number that a source can be told: `key=value`.
public struct SourceParameter: Sendable {
  public let key: String
  /// The value where none is given.
  public let standard: Double
  /// What the value may be.
  public let range: ClosedRange<Double>
  /// Whether it counts something.
  public let isWhole: Bool
  /// What it is, in a few words.
  public let meaning: String

  /// A whole number.
  init(_ key: String, _ standard: Int, in range: ClosedRange<Int>, _ meaning: String) {
    self.key = key
    self.standard = Double(standard)
    self.range = Double(range.lowerBound)...Double(range.upperBound)
    isWhole = true
    self.meaning = meaning
  }

  /// Any number.
  init(_ key: String, _ standard: Double, within range: ClosedRange<Double>, _ meaning: String) {
    self.key = key
    self.standard = standard
    self.range = range
    isWhole = false
    self.meaning = meaning
  }

  /// A value as people write it.
  func text(_ value: Double) -> String { isWhole ? "\(Int(value))" : "\(value)" }

  fileprivate func parse(_ text: Substring, _ source: String) throws -> Double {
    let value = isWhole ? Int(text).map { Double($0) } : Double(text)
    guard let value, range.contains(value) else {
      throw SourceError(
        "the source \(source) wants \(key), \(meaning), to be a \(isWhole ? "whole number" : "number") from "
          + "\(self.text(range.lowerBound)) to \(self.text(range.upperBound)), not '\(text)'")
    }
    return value
  }
}

/// The values of a source's parameters, each within its range.
public struct SourceValues: Sendable {
  private let values: [String: Double]

  /// - Parameters:
  ///   - text: `key=value,…`, or nil for the standard values.
  ///   - source: The source's name, for errors.
  /// - Throws: ``SourceError``, one line.
  init(parsing text: Substring?, _ parameters: [SourceParameter], source: String) throws {
    var values: [String: Double] = [:]
    for pair in text?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw SourceError("the source \(source) is told '\(pair)'; it wants key=value, key=value, after the colon")
      }
      let key = String(parts[0])
      guard let parameter = parameters.first(where: { $0.key == key }) else {
        let known = parameters.map(\.key).joined(separator: ", ")
        throw SourceError(
          "the source \(source) has no parameter '\(key)'; " + (known.isEmpty ? "it has none" : "it has \(known)"))
      }
      guard values[key] == nil else { throw SourceError("the source \(source) is told \(key) twice") }
      values[key] = try parameter.parse(parts[1], source)
    }
    for parameter in parameters where values[parameter.key] == nil { values[parameter.key] = parameter.standard }
    self.values = values
  }

  /// The value of a parameter of this source.
  func number(_ parameter: SourceParameter) -> Double { values[parameter.key] ?? parameter.standard }
  /// The value of a parameter that counts something.
  func count(_ parameter: SourceParameter) -> Int { Int(number(parameter)) }
}

/// A source was named or told wrongly: what, and what it wants.
public struct SourceError: Error, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}
