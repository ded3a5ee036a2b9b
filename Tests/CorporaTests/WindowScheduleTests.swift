import Corpora
import Testing
import Tokenization

@Suite struct WindowScheduleTests {
  /// A stream 0, 1, 2, …: so a token says its place.
  private static func reader(_ tokens: Int, lanes: Int, steps: Int) throws -> LaneReader {
    try LaneShape(tokens: tokens, lanes: lanes, steps: steps).reader()
  }

  /// Windows of any length, epochs of any offset: every place of every lane once, one window after another.
  @Test(arguments: [(2001, 4, 10), (2004, 4, 70), (501, 5, 100), (101, 1, 100), (30, 2, 12)], [false, true])
  func everyTargetOnceAnEpoch(_ shape: (Int, Int, Int), _ hasRandomOffset: Bool) throws {
    let reader = try Self.reader(shape.0, lanes: shape.1, steps: shape.2)
    let schedule = WindowSchedule(reader, variesLengths: true, hasRandomOffset: hasRandomOffset, seed: 5)
    var cursor = WindowCursor(schedule)
    for epoch in 0..<4 {
      var targets: [Int32] = []
      var next = 0
      for index in 0..<schedule.windowCount(ofEpoch: epoch) {
        #expect(cursor.epoch == epoch && cursor.index == index && cursor.steps.lowerBound == next)
        #expect((1...schedule.longestWindow).contains(cursor.steps.count))
        next = cursor.steps.upperBound
        let window = reader.window(cursor.steps, offset: cursor.offset)
        #expect(zip(window.inputs, window.targets).allSatisfy { $1 == $0 + 1 })
        targets += window.targets
        cursor.advance()
      }
      #expect(next == reader.laneLength && cursor.epoch == epoch + 1 && cursor.index == 0)
      // The targets left out are the ones before the offset, around the stream's end.
      let offset = schedule.offset(ofEpoch: epoch)
      let all = Set(1..<Int32(shape.0))
      let leftOut = (0..<reader.leftOut).map { place in
        Int32((offset - 1 - place + shape.0 - 1) % (shape.0 - 1) + 1)
      }
      #expect(targets.count == reader.targetsPerEpoch && Set(targets) == all.subtracting(leftOut))
    }
  }

  /// Where lanes have an offset, each is contiguous but where it comes to the stream's end.
  @Test func lanesGoRound() throws {
    let reader = try Self.reader(12, lanes: 2, steps: 5)
    #expect(reader.window(0..<5, offset: 0).inputs == [0, 5, 1, 6, 2, 7, 3, 8, 4, 9])
    #expect(reader.window(0..<5, offset: 4).inputs == [4, 9, 5, 10, 6, 0, 7, 1, 8, 2])
    #expect(reader.window(0..<5, offset: 10).targets == [11, 5, 1, 6, 2, 7, 3, 8, 4, 9])
  }

  /// Offsets reach the whole stream, and differ from epoch to epoch and from seed to seed.
  @Test func offsets() throws {
    let reader = try Self.reader(1000, lanes: 3, steps: 20)
    func offsets(_ seed: UInt64) -> [Int] {
      let schedule = WindowSchedule(reader, hasRandomOffset: true, seed: seed)
      return (0..<2000).map { schedule.offset(ofEpoch: $0) }
    }
    let drawn = offsets(1)
    #expect(drawn.min() ?? 1000 < 5 && (drawn.max() ?? 0) > 993 && Set(drawn).count > 800)
    #expect(abs(drawn.reduce(0, +) / 2000 - 499) < 25)
    #expect(offsets(1) == drawn && offsets(2) != drawn)
    let fixed = WindowSchedule(reader, seed: 1)
    #expect((0..<10).allSatisfy { fixed.offset(ofEpoch: $0) == 0 })
  }

  /// The law of Merity et al. 2018: N(k1, 5) in 95 of 100 windows and N(k1 / 2, 5) in the others, rounded down.
  @Test func lengthsHaveTheirLaw() throws {
    let reader = try Self.reader(7_000_001, lanes: 1, steps: 70)
    let steps = WindowSchedule(reader, variesLengths: true, seed: 3).steps(ofEpoch: 0).map { Double($0.count) }
    func moments(_ values: [Double]) -> (mean: Double, deviation: Double) {
      let mean = values.reduce(0, +) / Double(values.count)
      return (mean, (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot())
    }
    let long = moments(steps.filter { $0 > 52 })
    let short = moments(steps.filter { $0 <= 52 })
    let shareOfShort = Double(steps.count { $0 <= 52 }) / Double(steps.count)
    // Rounding down takes half a step off the mean and adds 1/12 to the variance. Bounds of five standard errors.
    #expect(abs(long.mean - 69.5) < 0.08 && abs(long.deviation - 5.01) < 0.06, "\(long)")
    #expect(abs(short.mean - 34.5) < 0.4 && abs(short.deviation - 5.01) < 0.25, "\(short)")
    #expect(abs(shareOfShort - 0.05) < 0.0034, "\(shareOfShort)")
  }

  /// No window but the last is under 5 steps or more than 25 above k1, though the law would have some.
  @Test func lengthsAreBounded() throws {
    let reader = try Self.reader(1_000_001, lanes: 1, steps: 10)
    let schedule = WindowSchedule(reader, variesLengths: true, seed: 3)
    let counts = schedule.steps(ofEpoch: 0).map(\.count)
    #expect(counts.dropLast().min() == 5 && (26...35).contains(counts.max() ?? 0))
    #expect(schedule.longestWindow == 35)
    #expect(try WindowSchedule(Self.reader(21, lanes: 1, steps: 10), variesLengths: true).longestWindow == 20)
    #expect(WindowSchedule(reader).longestWindow == 10)
  }

  /// A function of the seed, the epoch and the window: the place in the run makes no difference.
  @Test(arguments: [false, true], [false, true])
  func aCursorCanBeTakenUpAnywhere(_ varies: Bool, _ hasRandomOffset: Bool) throws {
    let reader = try Self.reader(1000, lanes: 2, steps: 15)
    let schedule = WindowSchedule(reader, variesLengths: varies, hasRandomOffset: hasRandomOffset, seed: 9)
    var cursor = WindowCursor(schedule)
    for _ in 0..<100 {
      #expect(cursor == WindowCursor(schedule, epoch: cursor.epoch, window: cursor.index))
      cursor.advance()
    }
    #expect(cursor.epoch >= 2)
    let other = WindowSchedule(reader, variesLengths: varies, hasRandomOffset: hasRandomOffset, seed: 10)
    #expect((schedule.steps(ofEpoch: 0) == schedule.steps(ofEpoch: 1)) == !varies)
    #expect((schedule.steps(ofEpoch: 0) == other.steps(ofEpoch: 0)) == !varies)
  }

  /// The learning rate goes with the length, and how far an epoch is with its text.
  @Test func progressAndLearningRate() throws {
    let reader = try Self.reader(201, lanes: 1, steps: 40)
    var cursor = WindowCursor(WindowSchedule(reader, variesLengths: true, seed: 2), epoch: 3)
    var read = 0
    while cursor.epoch == 3 {
      #expect(cursor.learningRateScale == Double(cursor.steps.count) / 40)
      #expect(cursor.epochs == 3 + Double(read) / 200)
      read += cursor.steps.count
      cursor.advance()
    }
    #expect(cursor.epochs == 4)
    // A short last window of a regular epoch is trained at the full rate.
    let fixed = WindowCursor(WindowSchedule(try Self.reader(211, lanes: 1, steps: 40)), window: 5)
    #expect(fixed.steps == 200..<210 && fixed.learningRateScale == 1)
  }
}
