import Optimization
import TestSupport
import Testing

@Suite struct LearningRateScheduleTests {
  private static let likePyTorch: [(String, LearningRateSchedule)] = [
    ("linear", .init(.linear, peak: 0.4, final: 0.1)),
    ("cosine", .init(.cosine, peak: 0.4, final: 0.1)),
    ("step", .init(.step, peak: 0.4, decayFactor: 0.3, decayEvery: .updates(7))),
    ("step", .init(.step, peak: 0.4, decayFactor: 0.3, decayEvery: .share(0.175))),
    ("one-cycle", .init(.oneCycle, peak: 0.4)),
    ("one-cycle", .init(.oneCycle, peak: 0.4, final: 0.4 / 25 / 1e4, warmUp: .updates(12))),
  ]

  @Test(arguments: likePyTorch)
  func followsPyTorch(_ name: String, _ schedule: LearningRateSchedule) throws {
    let golden = try Golden("schedules.safetensors")
    let rates = (0..<40).map { schedule.rate(step: $0, of: 40) }
    #expect(largestDifference(rates, golden[name].doubles) < 1e-15)
  }

  @Test func plateausFollowPyTorch() throws {
    let golden = try Golden("schedules.safetensors")
    let schedule = LearningRateSchedule(.plateau, peak: 0.4, decayFactor: 0.5)
    var plateau = PlateauDecay(patience: 2)
    var rates: [Double] = []
    for (step, loss) in golden["losses"].doubles.enumerated() {
      rates.append(schedule.rate(step: step, of: 40, plateaus: plateau.counters.plateaus))
      plateau.note(validationLoss: loss)
    }
    #expect(rates == golden["plateau"].doubles && plateau.counters.plateaus >= 3)
  }

  /// A warm-up rises in a line to the peak; what follows is the shape of the other updates alone.
  @Test(
    arguments: [.constant, .linear, .cosine, .step, .plateau] as [LearningRateSchedule.Shape],
    [.updates(8), .share(0.2)] as [LearningRateSchedule.Extent])
  func warmUp(_ shape: LearningRateSchedule.Shape, _ extent: LearningRateSchedule.Extent) {
    var schedule = LearningRateSchedule(shape, peak: 0.4, final: 0.1, warmUp: extent, decayEvery: .updates(6))
    for step in 0..<8 { #expect(schedule.rate(step: step, of: 40) == 0.4 * Double(step + 1) / 8) }
    let rest = (8..<40).map { schedule.rate(step: $0, of: 40) }
    schedule.warmUp = nil
    #expect(rest == (0..<32).map { schedule.rate(step: $0, of: 32) })
    #expect(rest[0] == 0.4)
  }

  /// No rate is above the peak or below the final one, beyond the planned end neither; the last ones come near the final.
  @Test(arguments: LearningRateSchedule.Shape.allCases, [1, 2, 3, 7, 1000])
  func staysWithinBounds(_ shape: LearningRateSchedule.Shape, _ planned: Int) {
    let schedule = LearningRateSchedule(shape, peak: 0.4, final: 0.01, decayFactor: 0.1, decayEvery: .updates(1))
    let rates = (0..<planned + 5).map { schedule.rate(step: $0, of: planned, plateaus: $0) }
    #expect(rates.allSatisfy { $0 >= 0.01 && $0 <= 0.4 })
    let end = shape == .constant ? 0.4 : 0.01
    #expect(planned == 1 && shape == .oneCycle || abs(rates[planned + 4] - end) < 1e-15)
    if shape == .constant { #expect(rates.allSatisfy { $0 == 0.4 }) }
  }

  /// The same share of a run has the same rate, however long the run.
  @Test(arguments: [.linear, .cosine, .step] as [LearningRateSchedule.Shape])
  func isAFunctionOfProgress(_ shape: LearningRateSchedule.Shape) {
    let schedule = LearningRateSchedule(shape, peak: 0.4, decayEvery: .share(0.25))
    for step in 0..<40 { #expect(schedule.rate(step: step, of: 40) == schedule.rate(step: step * 1000, of: 40_000)) }
  }

  @Test(arguments: [(1, 1), (2, 2), (3, 6), (5, nil)] as [(Int, Int?)])
  func earlyStopping(_ patience: Int, _ end: Int?) {
    var stopping = EarlyStopping(patience: patience)
    let isBest = [true, false, false, true, false, false, false, false]
    let ends = isBest.map { stopping.note(isBest: $0) }
    #expect(ends.firstIndex(of: true) == end)
  }
}
