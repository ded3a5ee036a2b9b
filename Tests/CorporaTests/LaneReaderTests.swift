import Corpora
import Testing
import Tokenization

/// Sizes of a stream, its lanes and its windows.
struct LaneShape: CustomTestStringConvertible {
  let tokens, lanes, steps: Int
  var testDescription: String { "\(tokens) tokens, \(lanes) lanes, \(steps) steps" }

  func reader() throws -> LaneReader { try LaneReader((0..<Int32(tokens)).map { $0 }, lanes: lanes, steps: steps) }

  /// The windows of an epoch that all have the same length.
  func windows() throws -> [TokenWindow] {
    let reader = try reader()
    return WindowSchedule(reader).steps(ofEpoch: 0).map { reader.window($0) }
  }
}

extension WindowSchedule {
  /// The steps of an epoch's windows, one after another.
  func steps(ofEpoch epoch: Int) -> [Range<Int>] {
    var cursor = WindowCursor(self, epoch: epoch)
    var steps: [Range<Int>] = []
    while cursor.epoch == epoch {
      steps.append(cursor.steps)
      cursor.advance()
    }
    return steps
  }
}

@Suite struct LaneReaderTests {
  /// From the shortest streams on: windows that fit, a short last one, targets left out.
  private static let shapes: [LaneShape] = [
    (2, 1, 1), (3, 1, 1), (3, 2, 1), (11, 1, 10), (12, 1, 10), (10, 1, 3), (101, 4, 25), (101, 4, 10), (104, 4, 10),
    (105, 4, 10), (1000, 7, 13), (65, 8, 8), (66, 8, 8), (72, 8, 8), (73, 8, 8),
  ].map { LaneShape(tokens: $0.0, lanes: $0.1, steps: $0.2) }

  /// The stream is 0, 1, 2, …: so a token says its place.
  @Test(arguments: shapes)
  func readsEveryTargetOnce(_ shape: LaneShape) throws {
    let reader = try shape.reader()
    let windows = try shape.windows()
    let targets = windows.flatMap(\.targets)
    #expect(targets.sorted() == (1...Int32(reader.targetsPerEpoch)).map { $0 })
    #expect(reader.leftOut == shape.tokens - 1 - targets.count)
    #expect((0..<shape.lanes).contains(reader.leftOut))
  }

  @Test(arguments: shapes)
  func everyTargetIsTheNextInput(_ shape: LaneShape) throws {
    let windows = try shape.windows()
    for (index, window) in windows.enumerated() {
      #expect(zip(window.inputs, window.targets).allSatisfy { $1 == $0 + 1 })
      #expect(window.targets.dropLast(shape.lanes) == window.inputs.dropFirst(shape.lanes))
      guard index + 1 < windows.count else { continue }
      #expect(Array(window.targets.suffix(shape.lanes)) == Array(windows[index + 1].inputs.prefix(shape.lanes)))
    }
  }

  @Test(arguments: shapes)
  func lanesAreContiguous(_ shape: LaneShape) throws {
    let reader = try shape.reader()
    let windows = try shape.windows()
    for lane in 0..<shape.lanes {
      let inputs = windows.flatMap { $0.lanes(lane..<lane + 1).inputs }
      let start = Int32(lane * reader.laneLength)
      #expect(inputs == (start..<start + Int32(reader.laneLength)).map { $0 })
    }
  }

  @Test(arguments: shapes)
  func onlyTheLastWindowIsShort(_ shape: LaneShape) throws {
    let reader = try shape.reader()
    let lengths = try shape.windows().map(\.steps)
    #expect(WindowSchedule(reader).windowCount(ofEpoch: 3) == lengths.count)
    #expect(lengths.dropLast().allSatisfy { $0 == shape.steps })
    #expect((1...shape.steps).contains(lengths.last ?? 0))
    #expect(lengths.reduce(0, +) == reader.laneLength)
  }

  @Test func namesAllSizes() throws {
    let reader = try LaneShape(tokens: 24, lanes: 2, steps: 4).reader()
    #expect(reader.laneLength == 11)
    #expect(WindowSchedule(reader).windowCount(ofEpoch: 0) == 3)
    #expect(reader.targetsPerEpoch == 22)
    #expect(reader.leftOut == 1)
    #expect(
      reader.window(8..<11)
        == TokenWindow(steps: 3, lanes: 2, inputs: [8, 19, 9, 20, 10, 21], targets: [9, 20, 10, 21, 11, 22]))
  }

  @Test(arguments: [(0, 1, 1), (1, 1, 1), (2, 2, 1), (10, 1, 10), (40, 4, 10), (0, 32, 64), (2048, 32, 64)])
  func refusesAStreamThatIsTooShort(_ tokens: Int, _ lanes: Int, _ steps: Int) {
    let error = #expect(throws: CorpusTooShort.self) {
      try LaneShape(tokens: tokens, lanes: lanes, steps: steps).reader()
    }
    #expect(
      error?.description
        == "the training part has \(tokens) symbols; \(lanes) lanes of \(steps) steps want at least \(lanes * steps + 1): "
        + "use more text, fewer --lanes or a smaller --k1")
  }

  @Test(arguments: [(1, 1), (4, 10), (32, 64)])
  func acceptsTheLeastThatItAsksFor(_ lanes: Int, _ steps: Int) throws {
    let reader = try LaneShape(tokens: lanes * steps + 1, lanes: lanes, steps: steps).reader()
    #expect(WindowSchedule(reader).windowCount(ofEpoch: 0) == 1)
    #expect(reader.leftOut == 0)
  }
}
