import Reports
import Testing

@Suite struct TableTests {
  @Test func columns() {
    var table = ColumnTable(["run", "model", "loss"])
    table.add(["a", "lstm", "1.25"])
    table.add(["long name", "gru", "–"])
    #expect(
      table.text == """
        run        model  loss
        a          lstm   1.25
        long name  gru       –

        """)
  }

  @Test(arguments: [
    ("plain", "plain"), ("", ""), ("a,b", "\"a,b\""), ("say \"so\"", "\"say \"\"so\"\"\""), ("a\nb", "\"a\nb\""),
    ("a\r", "\"a\r\""), (" spaces ", " spaces "),
  ])
  func fields(_ text: String, _ field: String) { #expect(CSV.field(text) == field) }
}
