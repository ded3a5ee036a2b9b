import Reports
import Testing

@Suite struct NumberTests {
  @Test(
    arguments: [
      (0, 0, "0"), (0, 2, "0.00"), (1.005, 2, "1.00"), (1.115, 1, "1.1"), (2.5, 0, "2"), (3.5, 0, "4"),
      (-1.25, 1, "-1.2"),
      (0.1, 17, "0.10000000000000001"), (999.999, 2, "1000.00"), (1e21, 1, "1000000000000000000000.0"),
      (5e-10, 3, "0.000"),
      (.infinity, 2, "infinite"), (-.infinity, 2, "-infinite"), (.nan, 2, "not a number"),
    ] as [(Double, Int, String)])
  func writesDecimals(_ value: Double, _ places: Int, _ expected: String) {
    #expect(decimal(value, places: places) == expected)
  }

  @Test(
    arguments: [
      (2.25, 1, "2.2"), (999_999_999, 0, "999999999"), (1e9, 1, "1.000e+09"), (-2.3489e129, 1, "-2.349e+129"),
      (.infinity, 1, "infinite"), (.nan, 1, "not a number"),
    ] as [(Double, Int, String)])
  func writesShortDecimals(_ value: Double, _ places: Int, _ expected: String) {
    #expect(shortDecimal(value, places: places) == expected)
  }

  @Test func writesTheLargestNumber() {
    #expect(Double(decimal(-.greatestFiniteMagnitude, places: 17)) == -.greatestFiniteMagnitude)
  }

  @Test(arguments: [
    (0, "0"), (7, "7"), (999, "999"), (1000, "1,000"), (12_345, "12,345"), (123_456, "123,456"),
    (1_115_394, "1,115,394"),
    (-1, "-1"), (-999, "-999"), (-1000, "-1,000"), (.max, "9,223,372,036,854,775,807"),
    (.min, "-9,223,372,036,854,775,808"),
  ])
  func groupsDigits(_ value: Int, _ expected: String) {
    #expect(grouped(value) == expected)
  }

  @Test(
    arguments: [
      (0, "0 s"), (0.4, "0 s"), (8, "8 s"), (59.4, "59 s"), (59.5, "1:00"), (60, "1:00"), (247, "4:07"),
      (3599.4, "59:59"),
      (3599.5, "1:00:00"), (3723, "1:02:03"), (360_000, "100:00:00"), (-1, "?"), (.nan, "?"), (.infinity, "?"),
      (1e9, "?"),
    ] as [(Double, String)])
  func saysDurations(_ seconds: Double, _ expected: String) {
    #expect(duration(seconds) == expected)
  }
}

@Suite struct TextTableTests {
  @Test func alignsColumns() {
    var table = TextTable()
    table.add("perplexity", "4.31", "of 1,000 symbols")
    table.add("bits", "12.107")
    table.add("é", "1", "one")
    #expect(
      table.text == """
        perplexity    4.31  of 1,000 symbols
        bits        12.107
        é                1  one

        """)
  }

  @Test func isEmptyWithoutRows() {
    #expect(TextTable().text.isEmpty)
  }

  @Test func isAValue() {
    var table = TextTable()
    table.add("a", "1")
    let copy = table
    table.add("b", "2")
    #expect(copy.text == "a  1\n")
    #expect(table.text == "a  1\nb  2\n")
  }
}
