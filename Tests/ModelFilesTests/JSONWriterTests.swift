import Compute
import ModelFiles
import TestSupport
import Testing

@Suite struct JSONWriterTests {
  @Test(
    arguments: [
      (JSON.null, "null"), (true, "true"), (false, "false"), (0, "0"), (.integer(.min), "-9223372036854775808"),
      (0.1, "0.1"), (.number(-0.0), "-0.0"), (1.0, "1.0"), ("", "\"\""), ([], "[]"), ([:], "{}"),
      ([1, "a", nil], "[1,\"a\",null]"),
      (["b": 1, "a": [:]], "{\"b\":1,\"a\":{}}"), ("\"\\/", "\"\\\"\\\\/\""), ("\n\r\t", "\"\\n\\r\\t\""),
      ("\u{8}\u{C}", "\"\\u0008\\u000c\""), ("\0\u{1F}\u{7F}", "\"\\u0000\\u001f\\u007f\""),
      ("\u{2028}\u{2029}", "\"\\u2028\\u2029\""), ("é e\u{301} 😀", "\"é e\u{301} 😀\""), ("\r\n", "\"\\r\\n\""),
    ] as [(JSON, String)])
  func writes(_ value: JSON, _ expected: String) {
    #expect(value.text().scalarValues == expected.scalarValues)
  }

  @Test func indents() {
    let value: JSON = ["a": [1, [:], []], "b": ["c": nil]]
    #expect(
      value.text(indented: true) == """
        {
          "a": [
            1,
            {},
            []
          ],
          "b": {
            "c": null
          }
        }
        """)
  }

  /// JSON has no word for numbers that are not finite.
  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func writesNumbersThatAreNotFiniteAsNull(_ value: Double) throws {
    #expect(JSON(value).text() == "null")
    #expect(JSON.number(value).text() == "null")
  }

  @Test func writesNoNumberAsNull() {
    #expect(JSON(nil as Double?).text() == "null")
    #expect(JSON(0.5 as Double?).text() == "0.5")
  }

  @Test(arguments: 0..<300)
  func whatIsWrittenReadsTheSame(_ seed: Int) throws {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    let value = Self.randomValue(depth: 4, using: &random)
    #expect(areSame(try JSON(parsing: Array(value.text().utf8)), value))
    #expect(areSame(try JSON(parsing: Array(value.text(indented: true).utf8)), value))
  }

  private static func randomValue(depth: Int, using random: inout CounterRandom) -> JSON {
    switch Int.random(in: 0..<(depth > 0 ? 9 : 5), using: &random) {
    case 0: return [.null, true, false].randomElement(using: &random) ?? .null
    case 1: return .integer(Int(truncatingIfNeeded: random.next()))
    case 2:
      let number = Double(bitPattern: random.next())
      return .number(number.isFinite ? number : 0.1)
    case 3: return .number(random.uniform())
    case 4: return .string(randomText(Int.random(in: 0..<12, using: &random), using: &random))
    case 5, 6:
      return .array(
        (0..<Int.random(in: 0..<5, using: &random)).map { _ in randomValue(depth: depth - 1, using: &random) })
    default:
      // The number in front keeps keys apart.
      return .object(
        (0..<Int.random(in: 0..<5, using: &random)).map { index in
          .init("\(index)" + randomText(3, using: &random), randomValue(depth: depth - 1, using: &random))
        })
    }
  }
}
