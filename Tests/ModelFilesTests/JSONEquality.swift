import ModelFiles

/// Whether two values are the same to the last scalar and bit.
func areSame(_ a: JSON, _ b: JSON) -> Bool {
  switch (a, b) {
  case (.null, .null): true
  case (.bool(let a), .bool(let b)): a == b
  case (.integer(let a), .integer(let b)): a == b
  case (.number(let a), .number(let b)): a.bitPattern == b.bitPattern
  case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
  case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy { areSame($0, $1) }
  case (.object(let a), .object(let b)):
    a.count == b.count && zip(a, b).allSatisfy { $0.key.utf8.elementsEqual($1.key.utf8) && areSame($0.value, $1.value) }
  default: false
  }
}
