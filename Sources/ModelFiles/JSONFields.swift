/// The members of a JSON object by name, each checked as it is read.
public struct JSONFields: Sendable {
  private let json: JSON

  /// The members of an object; anything else has none.
  public init(_ json: JSON) { self.json = json }

  /// A member that is not there, or is of another kind.
  public struct Missing: Error, CustomStringConvertible {
    let key: String
    public var description: String { "it has no \(key) that makes sense" }
  }

  /// Whether a member is there and not null.
  public func has(_ key: String) -> Bool { json[key].map { !$0.isNull } ?? false }

  /// A number; what is not finite was written as null.
  public func number(_ key: String) throws -> Double {
    let value = try member(key)
    return value.isNull ? .nan : try value.double ?? { throw Missing(key: key) }()
  }

  /// A finite number.
  public func finite(_ key: String) throws -> Double {
    let value = try number(key)
    guard value.isFinite else { throw Missing(key: key) }
    return value
  }

  /// A whole number from 0 to 2⁵³, which everything that reads JSON agrees on (RFC 8259, §6), and which can be counted on
  /// from.
  public func count(_ key: String) throws -> Int {
    guard let value = try member(key).integer, (0...1 << 53).contains(value) else { throw Missing(key: key) }
    return value
  }

  public func string(_ key: String) throws -> String {
    try member(key).string ?? { throw Missing(key: key) }()
  }

  public func flag(_ key: String) throws -> Bool {
    try member(key).bool ?? { throw Missing(key: key) }()
  }

  /// Finite numbers.
  public func numbers(_ key: String) throws -> [Double] {
    let values = try member(key).array ?? { throw Missing(key: key) }()
    return try values.map { value in
      guard let number = value.double, number.isFinite else { throw Missing(key: key) }
      return number
    }
  }

  /// An object within.
  public func fields(_ key: String) throws -> JSONFields {
    let value = try member(key)
    guard value.members != nil else { throw Missing(key: key) }
    return JSONFields(value)
  }

  /// The members of an object within, in their order.
  public func members(_ key: String) throws -> [JSON.Member] {
    try member(key).members ?? { throw Missing(key: key) }()
  }

  private func member(_ key: String) throws -> JSON { try json[key] ?? { throw Missing(key: key) }() }
}
