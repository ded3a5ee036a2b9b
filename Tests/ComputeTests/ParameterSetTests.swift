import Compute
import Synchronization
import Testing

@Suite struct ParameterSetTests {
  private func layout() -> (ParameterLayout, ParameterLayout.Slot, ParameterLayout.Slot) {
    var layout = ParameterLayout()
    let matrix = layout.add("matrix", 3, 5)
    let vector = layout.add("vector", 7)
    return (layout, matrix, vector)
  }

  /// A copy does not see what is written afterwards, on either side.
  @Test func isAValue() {
    let (layout, matrix, _) = layout()
    var first = ParameterSet<Double>(layout)
    first.writable(matrix)[1, 2] = 5
    var second = first
    first.writable(matrix)[1, 2] = 6
    second.writable(matrix)[0, 0] = 1
    #expect(first[matrix][1, 2] == 6 && first[matrix][0, 0] == 0)
    #expect(second[matrix][1, 2] == 5 && second[matrix][0, 0] == 1)
  }

  /// Two views to write into, held at the same time, write to the same value.
  @Test func severalViewsWriteToOneValue() {
    let (layout, matrix, vector) = layout()
    var set = ParameterSet<Float>(layout)
    let (a, b) = (set.writable(matrix), set.writable(vector))
    a[2, 4] = 3
    b[0, 6] = 4
    #expect(set[matrix][2, 4] == 3 && set[vector][0, 6] == 4)
    #expect(set.layout.count == 22 && set.layout.entries.map(\.name) == ["matrix", "vector"])
    #expect(Float.sumOfSquares(set.flat) == 25)
  }

  /// The sum of squares tells what is not finite, wherever it stands.
  @Test(arguments: [1, 15, 16, 17, 100])
  func sumOfSquaresTellsWhatIsNotFinite(_ count: Int) {
    for place in [0, count / 2, count - 1] {
      for bad: Float in [.nan, .infinity, -.infinity] {
        let rows = Rows<Float>(1, count)
        #expect(Float.sumOfSquares(rows) == 0)
        rows[0, place] = bad
        #expect(!Float.sumOfSquares(rows).isFinite)
      }
      // The largest float's square is finite in Double.
      let rows = Rows<Float>(1, count)
      rows[0, place] = Float.greatestFiniteMagnitude
      #expect(Float.sumOfSquares(rows).isFinite)
    }
  }
}
