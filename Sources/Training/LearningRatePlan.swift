import Optimization

/// The learning rate of each step of a run: its schedule, the plateaus that validations showed, and what was halved when
/// the run went back.
struct LearningRatePlan {
  let schedule: LearningRateSchedule
  /// Steps of the whole run.
  let planned: Int
  var plateau: PlateauDecay
  /// Halved each time the run goes back to good weights.
  var scale = 1.0

  init(_ schedule: LearningRateSchedule, planned: Int, plateauPatience: Int) {
    self.schedule = schedule
    self.planned = planned
    plateau = PlateauDecay(patience: plateauPatience)
  }

  /// The rate of the update after `step` steps.
  func rate(step: Int) -> Double {
    scale * schedule.rate(step: step, of: planned, plateaus: plateau.counters.plateaus)
  }
}

/// A schedule without its highest rate.
public struct ScheduleConfiguration: Sendable, Equatable {
  public var shape: LearningRateSchedule.Shape
  /// The lowest rate after the warm-up; nil for the shape's own.
  public var final: Double?
  /// Nil for the shape's own.
  public var warmUp: LearningRateSchedule.Extent?
  /// What a step decay or a plateau multiplies the rate by.
  public var decayFactor: Double
  /// The length of the steps of step decay.
  public var decayEvery: LearningRateSchedule.Extent
  /// Validations in a row without improvement before a plateau.
  public var plateauPatience: Int

  public init(
    _ shape: LearningRateSchedule.Shape = .constant, final: Double? = nil, warmUp: LearningRateSchedule.Extent? = nil,
    decayFactor: Double = 0.5, decayEvery: LearningRateSchedule.Extent = .share(0.2), plateauPatience: Int = 2
  ) {
    self.shape = shape
    self.final = final
    self.warmUp = warmUp
    self.decayFactor = decayFactor
    self.decayEvery = decayEvery
    self.plateauPatience = plateauPatience
  }

  /// The plan of a run of so many steps.
  func plan(peak: Double, planned: Int) -> LearningRatePlan {
    let schedule = LearningRateSchedule(
      shape, peak: peak, final: final, warmUp: warmUp, decayFactor: decayFactor, decayEvery: decayEvery)
    return LearningRatePlan(schedule, planned: max(1, min(planned, 1 << 53)), plateauPatience: plateauPatience)
  }

  /// For people: `cosine to 0.0001 after a warm-up of 5%`.
  var description: String {
    func words(_ extent: LearningRateSchedule.Extent) -> String {
      switch extent {
      case .updates(let count): "\(count) steps"
      case .share(let share): "\(share * 100)%"
      }
    }
    let end = shape == .constant ? nil : final.map { " to \($0)" }
    return shape.rawValue + (end ?? "") + (warmUp.map { " after a warm-up of \(words($0))" } ?? "")
  }
}
