import ModelFiles
import TestSupport
import Testing

/// What RFC 8259 has a parser accept and refuse.
@Suite struct JSONParserTests {
  @Test(
    arguments: [
      ("null", JSON.null), ("true", true), ("false", false), ("0", 0), ("-0", 0), ("-17", -17), ("0.5", 0.5),
      ("-0.0", .number(-0.0)), ("1e2", 100.0), ("1E+2", 100.0), ("25e-2", 0.25), ("1.5e0", 1.5), ("\"\"", ""),
      ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
      ("9223372036854775808", .number(0x1p63)), ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
      ("4.9406564584124654e-324", .number(.leastNonzeroMagnitude)), ("[]", []), ("{}", [:]),
      (" \t\r\n[ 1 , 2 ] \n", [1, 2]),
      ("{\"a\":{\"b\":[null,{}]}}", ["a": ["b": [nil, [:]]]]), ("{ \"a\" : 1 , \"b\" : 2 }", ["a": 1, "b": 2]),
      ("{\"\":1}", ["": 1]), ("\"\u{7F}\u{2028}é😀\"", "\u{7F}\u{2028}é😀"), ("\"/\"", "/"),
    ] as [(String, JSON)])
  func accepts(_ text: String, _ expected: JSON) throws {
    #expect(areSame(try JSON(parsing: Array(text.utf8)), expected))
  }

  @Test(arguments: [
    (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u00E9""#, "Aéé"), (#""\u0000""#, "\0"),
    (#""\ud83d\ude00""#, "😀"), (#""\uD800\uDC00""#, "\u{10000}"), (#""\udbff\udfff""#, "\u{10FFFF}"),
    (#""\ufeff\uffff""#, "\u{FEFF}\u{FFFF}"), (#""e\u0301""#, "e\u{301}"),
  ])
  func readsEscapes(_ text: String, _ expected: String) throws {
    let string = try #require(try JSON(parsing: Array(text.utf8)).string)
    #expect(string.scalarValues == expected.scalarValues)
  }

  @Test(arguments: [
    ("", 0), (" ", 1), ("nul", 0), ("nulll", 4), ("True", 0), ("NaN", 0), ("Infinity", 0), ("-Infinity", 0), ("'a'", 0),
    ("+1", 0), ("01", 0), ("-01", 0), ("-", 0), (".5", 0), ("1.", 0), ("1.e1", 0), ("1e", 0), ("1e+", 0), ("0x10", 1),
    ("1_000", 1), ("1e400", 0), ("[1e309]", 1), ("-1e309", 0), ("[", 1), ("[1", 2), ("[1,", 3), ("[1,]", 3),
    ("[,1]", 1),
    ("[1 2]", 3), ("]", 0), ("{", 1), ("{\"a\"", 4), ("{\"a\":", 5), ("{\"a\":1", 6), ("{\"a\":1,", 7),
    ("{\"a\":1,}", 7),
    ("{a:1}", 1), ("{1:1}", 1), ("{\"a\" 1}", 5), ("{\"a\":}", 5), ("[1}", 2), ("1 2", 2), ("{}x", 2), ("// c\n1", 0),
    ("\u{FEFF}1", 0), ("\u{A0}1", 0), ("\u{B}1", 0), ("null\0", 4), ("\"", 1), ("\"a", 1), ("\"\n\"", 1),
    ("\"a\t\"", 2),
    ("\"\0\"", 1), ("\"\u{1F}\"", 1), (#""\"#, 2), (#""\""#, 1), (#""\a""#, 1), (#""\'""#, 1), (#""\U0041""#, 1),
    (#""\u12""#, 5), (#""\u12g4""#, 5), (#""\u+123""#, 3), (#""\u １２３""#, 3), (#""\ud800""#, 1), (#""a\udc00""#, 2),
    (#""\ud800\u0041""#, 1), (#""\ud800\ud800""#, 1), (#""\udc00\ud800""#, 1), (#""\ud800x""#, 1), (#""\ud800\n""#, 1),
  ])
  func refusesWithOffset(_ text: String, _ offset: Int) {
    let error = #expect(throws: JSONError.self) { try JSON(parsing: Array(text.utf8)) }
    #expect(error?.offset == offset, "\(error?.description ?? "")")
  }

  @Test(
    arguments: [
      [0x80], [0xC3], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
      [0xF8, 0x88, 0x80],
      [0xFF], [0xF0, 0x9F, 0x98],
    ] as [[UInt8]])
  func refusesInvalidUTF8InStrings(_ invalid: [UInt8]) {
    let bytes = [UInt8(ascii: "\"")] + invalid + [UInt8(ascii: "\"")]
    let error = #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
    #expect(error?.message.contains("UTF-8") == true)
  }

  @Test(arguments: [
    (#"{"a":1,"a":2}"#, 7), (#"{"a":1,"\u0061":1}"#, 7), (#"{"":1,"":1}"#, 6), (#"{"x":{"é":1,"é":2}}"#, 13),
  ])
  func refusesDuplicateKeys(_ text: String, _ offset: Int) {
    let error = #expect(throws: JSONError.self) { try JSON(parsing: Array(text.utf8)) }
    #expect(error?.message.contains("twice") == true)
    #expect(error?.offset == offset)
  }

  @Test func tellsCanonicallyEquivalentKeysApart() throws {
    let value = try JSON(parsing: Array("{\"\u{E9}\":1,\"e\u{301}\":2,\"\u{212B}\":3,\"\u{C5}\":4}".utf8))
    #expect(value.members?.count == 4)
    #expect(value["\u{E9}"]?.integer == 1)
    #expect(value["e\u{301}"]?.integer == 2)
    #expect(value["\u{212B}"]?.integer == 3)
    #expect(value["\u{C5}"]?.integer == 4)
    #expect(value["A\u{30A}"] == nil)
  }

  @Test(arguments: ["[", "{\"a\":", "[{\"a\":", "[[{\"a\":[", " [ "])
  func refusesDepthBombs(_ unit: String) {
    let bytes = Array(String(repeating: unit, count: 200_000).utf8)
    let error = #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
    #expect(error?.message == "more than 64 levels")
  }

  @Test(arguments: [1, 2, 8, 64])
  func nestsExactlyToTheMaximumDepth(_ depth: Int) throws {
    func nested(_ levels: Int) -> [UInt8] {
      Array((String(repeating: "[", count: levels) + String(repeating: "]", count: levels)).utf8)
    }
    var value = try JSON(parsing: nested(depth), maximumDepth: depth)
    var levels = 1
    while let inner = value.array?.first { (value, levels) = (inner, levels + 1) }
    #expect(levels == depth)
    #expect(throws: JSONError.self) { try JSON(parsing: nested(depth + 1), maximumDepth: depth) }
  }

  @Test func keepsTheOrderOfMembers() throws {
    let value = try JSON(parsing: Array(#"{"z":1,"a":2,"m":3}"#.utf8))
    #expect(value.members?.map(\.key) == ["z", "a", "m"])
  }

  @Test func namesTheByteOfAnError() {
    let error = #expect(throws: JSONError.self) { try JSON(parsing: Array("[1, x]".utf8)) }
    #expect(error?.description == "not a JSON value at byte 4")
  }

  @Test func parsesASlice() throws {
    let bytes = Array("xx[1]yy".utf8)
    #expect(areSame(try JSON(parsing: bytes[2..<5]), [1]))
  }
}
