import Testing
import Tokenization

@Suite struct TokenWindowTests {
  // [T, B] = [3, 4]: step t, lane b is 10·t + b.
  private let window = TokenWindow(
    steps: 3, lanes: 4, inputs: [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23],
    targets: [100, 101, 102, 103, 110, 111, 112, 113, 120, 121, 122, 123])

  @Test(
    arguments: [
      (0..<4, [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]), (1..<3, [1, 2, 11, 12, 21, 22]), (3..<4, [3, 13, 23]),
      (2..<2, []),
    ] as [(Range<Int>, [Int32])])
  func takesLanes(_ range: Range<Int>, _ inputs: [Int32]) {
    let part = window.lanes(range)
    #expect(part.steps == 3)
    #expect(part.lanes == range.count)
    #expect(part.inputs == inputs)
    #expect(part.targets == inputs.map { $0 + 100 })
  }

  /// Groups of lanes, put side by side again, are the window.
  @Test func splitsIntoGroups() {
    let groups = [window.lanes(0..<1), window.lanes(1..<4)]
    for t in 0..<3 {
      let step = groups.flatMap { group in group.inputs[t * group.lanes..<(t + 1) * group.lanes] }
      #expect(step == Array(window.inputs[t * 4..<(t + 1) * 4]))
    }
  }
}
