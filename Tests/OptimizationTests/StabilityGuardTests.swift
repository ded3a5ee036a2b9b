import Compute
import Foundation
import Optimization
import Testing

/// What the guard says of made-up series, V being 64: ln V is 4.16 nats.
@Suite struct StabilityGuardTests {
  private static let patience = StabilityGuard.patience

  /// A guard after `count` steps of loss 1.5 and norm 2, with noise of a standard deviation of 0.05 in ln.
  private func settled(_ count: Int = 60) -> StabilityGuard {
    var guardian = StabilityGuard(vocabularySize: 64)
    var noise = Noise(seed: 1)
    for _ in 0..<count {
      let verdict = guardian.judge(
        loss: 1.5 * exp(0.05 * noise.next()), tokens: 512, norm: 2 * exp(0.05 * noise.next()))
      #expect(verdict == .update)
    }
    return guardian
  }

  /// The verdict on each step of a burst.
  private func verdicts(_ steps: [(loss: Double, norm: Double)], _ guardian: inout StabilityGuard) -> [StabilityGuard
    .Verdict]
  {
    steps.map { guardian.judge(loss: $0.loss, tokens: 512, norm: $0.norm) }
  }

  struct Spike: CustomTestStringConvertible {
    let loss, norm: Double
    let verdict: StabilityGuard.Verdict
    var testDescription: String { "loss \(loss), norm \(norm)" }
    init(_ loss: Double, _ norm: Double, _ verdict: StabilityGuard.Verdict) {
      (self.loss, self.norm, self.verdict) = (loss, norm, verdict)
    }
  }

  private static let spikes: [Spike] = [
    .init(.nan, 2, .skip(.lossNotFinite)), .init(.infinity, 2, .skip(.lossNotFinite)),
    .init(.nan, .nan, .skip(.lossNotFinite)), .init(1.5, .nan, .skip(.gradientNotFinite)),
    .init(1.5, .infinity, .skip(.gradientNotFinite)), .init(50, 2, .skip(.lossOutlying)),
    .init(19, 2, .skip(.lossOutlying)), .init(50, .nan, .skip(.lossOutlying)),
    .init(1.5, 26, .skip(.gradientOutlying)), .init(1.5, 1e30, .skip(.gradientOutlying)),
    // Nothing wild: less than 12 times the median, or small in itself.
    .init(1.5, 23, .update), .init(8, 2, .update), .init(16, 2, .update), .init(0, 0, .update),
    .init(1e-300, 9, .update),
  ]

  @Test(arguments: spikes) func judgesASpike(_ spike: Spike) {
    var guardian = settled()
    expectVerdict(&guardian, loss: spike.loss, tokens: 512, norm: spike.norm, spike.verdict)
    #expect(guardian.isInTrouble == (spike.verdict != .update))
    expectVerdict(&guardian, loss: 1.5, tokens: 512, norm: 2, .update)
    #expect(!guardian.isInTrouble && guardian.isCalm)
  }

  /// What is small in itself is no outlier, however quiet it was before; and what is large is none in a wild series.
  @Test func neitherSmallNorUsualIsOutlying() {
    var quiet = StabilityGuard(vocabularySize: 64)
    for _ in 0..<60 { expectVerdict(&quiet, loss: 1e-6, tokens: 512, norm: 1e-6, .update) }
    expectVerdict(&quiet, loss: 8.5, tokens: 512, norm: 9.9, .skip(.lossOutlying))
    expectVerdict(&quiet, loss: 8.3, tokens: 512, norm: 10.1, .skip(.gradientOutlying))
    expectVerdict(&quiet, loss: 8.3, tokens: 512, norm: 9.9, .update)
    // Now such numbers have been seen: more than twice as much is wanted.
    expectVerdict(&quiet, loss: 16, tokens: 512, norm: 19, .update)
    var wild = StabilityGuard(vocabularySize: 64)
    for step in 0..<60 { expectVerdict(&wild, loss: 1.5, tokens: 512, norm: step % 2 == 0 ? 0.1 : 20, .update) }
    expectVerdict(&wild, loss: 1.5, tokens: 512, norm: 45, .update)
    expectVerdict(&wild, loss: 1.5, tokens: 512, norm: 1e18, .skip(.gradientOutlying))
  }

  /// In the first steps only what is not finite, or above five times ln V, is bad.
  @Test func firstSteps() {
    var guardian = StabilityGuard(vocabularySize: 64)
    expectVerdict(&guardian, loss: 20.7, tokens: 512, norm: 1000, .update)
    #expect(!guardian.isCalm)
    expectVerdict(&guardian, loss: 21, tokens: 512, norm: 1, .skip(.lossOutlying))
    expectVerdict(&guardian, loss: .nan, tokens: 512, norm: 1, .skip(.lossNotFinite))
    for _ in 0..<30 { expectVerdict(&guardian, loss: 4.16, tokens: 512, norm: 1, .update) }
    #expect(guardian.isCalm)
    expectVerdict(&guardian, loss: 4, tokens: 512, norm: 1e6, .update, "31 steps are too few to compare with")
    expectVerdict(&guardian, loss: 4, tokens: 512, norm: 3e6, .skip(.gradientOutlying))
  }

  /// A rare symbol in a step of one token is bad luck, not divergence.
  @Test func fewTokensMayBeUnlucky() {
    var guardian = StabilityGuard(vocabularySize: 2)
    for _ in 0..<60 { _ = guardian.judge(loss: 0.01, tokens: 1, norm: 0.01) }
    expectVerdict(&guardian, loss: 20, tokens: 1, norm: 1.4, .update)
    expectVerdict(&guardian, loss: 20, tokens: 64, norm: 1.4, .skip(.lossOutlying))
  }

  /// Bad steps do not move the measure: a long burst with pauses is judged like its first step.
  @Test func badStepsDoNotCount() {
    var guardian = settled(100)
    for _ in 0..<40 {
      let burst = Array(repeating: (loss: 19.0, norm: 2.0), count: Self.patience - 1)
      #expect(verdicts(burst, &guardian).allSatisfy { $0 == .skip(.lossOutlying) })
      expectVerdict(&guardian, loss: 1.5, tokens: 512, norm: 2, .update)
    }
  }

  /// A burst ends in a rollback, a second one in giving up; the steps between are good again.
  @Test(arguments: [
    (Double.nan, 2.0, StabilityGuard.Reason.lossNotFinite), (1.5, .nan, .gradientNotFinite), (90, 1, .lossOutlying),
  ])
  func goesBackOnceThenGivesUp(_ loss: Double, _ norm: Double, _ reason: StabilityGuard.Reason) {
    var guardian = settled()
    let burst = Array(repeating: (loss: loss, norm: norm), count: Self.patience)
    let skips = Array(repeating: StabilityGuard.Verdict.skip(reason), count: Self.patience - 1)
    #expect(verdicts(burst, &guardian) == skips + [.rollBack(reason)])
    #expect(verdicts(Array(repeating: (loss: 1.5, norm: 2.0), count: 500), &guardian).allSatisfy { $0 == .update })
    #expect(verdicts(burst, &guardian) == skips + [.giveUp(reason)])
  }

  /// Right after a rollback there is nothing to compare with: a text that really became harder is taken.
  @Test func aHarderTextIsTakenAfterARollback() {
    var guardian = settled()
    let harder = Array(repeating: (loss: 19.0, norm: 2.0), count: Self.patience + 50)
    let verdicts = verdicts(harder, &guardian)
    #expect(verdicts[..<Self.patience].allSatisfy { $0 != .update })
    #expect(verdicts[Self.patience...].allSatisfy { $0 == .update })
  }

  /// Long gradients with ordinary losses are a new level: no rollback, however often.
  @Test func longGradientsAloneAreANewLevel() {
    var guardian = settled()
    for level in [100.0, 5e3, 2.5e5] {
      let steps = verdicts(Array(repeating: (loss: 1.5, norm: level), count: Self.patience + 60), &guardian)
      #expect(steps[..<Self.patience].allSatisfy { $0 == .skip(.gradientOutlying) })
      #expect(steps[Self.patience...].allSatisfy { $0 == .update })
    }
    // One loss among them that is bad, and it is a rollback.
    var burst = Array(repeating: (loss: 1.5, norm: 1e9), count: Self.patience)
    burst[3].loss = .nan
    #expect(verdicts(burst, &guardian).last == .rollBack(.gradientOutlying))
  }

  /// A burst is over after ten good steps; until then further bad steps belong to it.
  @Test func countsBursts() {
    var guardian = settled()
    func bad() -> Int {
      _ = guardian.judge(loss: .nan, tokens: 512, norm: 2)
      return guardian.burstLength
    }
    func good(_ count: Int) { for _ in 0..<count { _ = guardian.judge(loss: 1.5, tokens: 512, norm: 2) } }
    #expect(bad() == 1)
    #expect(bad() == 2)
    good(StabilityGuard.quiet - 1)
    #expect(bad() == 3)
    good(StabilityGuard.quiet)
    #expect(bad() == 1)
  }

  /// Drifts, up and down: by a factor of 2 in a hundred steps, a thousand-fold in all.
  @Test(arguments: [0.5, 2.0], [0, 0.2])
  func slowDriftIsNoOutlier(_ factor: Double, _ deviation: Double) {
    var guardian = StabilityGuard(vocabularySize: 64)
    var noise = Noise(seed: 2)
    let (loss, norm) = factor > 1 ? (0.02, 0.2) : (20, 200)
    for step in 0..<1000 {
      let drift = exp(log(factor) * Double(step) / 100 + deviation * noise.next())
      expectVerdict(&guardian, loss: min(20, loss * drift), tokens: 512, norm: norm * drift, .update, "step \(step)")
    }
  }

  /// Gaussian noise in ln, where the bound of size is passed: no false alarm, nor in 3,000,000 steps of each.
  @Test(arguments: [0.05, 0.25, 0.5, 1])
  func gaussianNoiseIsNoOutlier(_ deviation: Double) {
    var guardian = StabilityGuard(vocabularySize: 64)
    var noise = Noise(seed: 3)
    var alarms = 0
    for _ in 0..<50_000 {
      let verdict = guardian.judge(loss: 12, tokens: 512, norm: 100 * exp(deviation * noise.next()))
      if verdict != .update { alarms += 1 }
    }
    #expect(alarms == 0)
  }
}

private func expectVerdict(
  _ guardian: inout StabilityGuard, loss: Double, tokens: Int, norm: Double, _ expected: StabilityGuard.Verdict,
  _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
  let verdict = guardian.judge(loss: loss, tokens: tokens, norm: norm)
  #expect(verdict == expected, comment, sourceLocation: sourceLocation)
}

/// Standard Gaussian numbers (Box & Muller 1958).
private struct Noise {
  private var random: CounterRandom

  init(seed: UInt64) { random = CounterRandom(seed: seed, purpose: .corpus) }

  mutating func next() -> Double {
    let radius = (-2 * log(1 - random.uniform())).squareRoot()
    return radius * cos(2 * .pi * random.uniform())
  }
}
