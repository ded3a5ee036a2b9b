import Corpora
import LanguageModeling
import ModelFiles
import Optimization

/// How far a run has come: all that its next steps, its log and its end depend on, beside weights, moments and state.
struct RunProgress {
  /// Steps made.
  var step = 0
  /// The last step's epoch: the first is 1.
  var epoch = 1
  /// Tokens read.
  var tokens = 0
  var cursor: WindowCursor
  /// The highest learning rate, as it was given or found.
  var peak: Double
  var rates: LearningRatePlan
  var stability: StabilityGuard
  var earlyStopping: EarlyStopping?
  var best = BestLoss()
  /// The step whose weights the model in the folder has; nil where there is no model yet.
  var savedStep: Int?
  /// The step that the run went back to, where it did.
  var wentBackTo: Int?
  var clips = ClipMeter()
  var recent = LossMeter()
  var ofEpoch = LossMeter()
  /// The last step's gradient, before clipping.
  var lastNorm = 0.0
  /// The last step's learning rate, its window's length counted in.
  var lastRate: Double
  var validations = 0
  /// The step after which the last validation was.
  var lastValidated: Int?
  /// Whether the validation that the last step is followed by is still to be made.
  var owesValidation = false

  /// A run's beginning.
  init(
    _ windows: WindowSchedule, peak: Double, rates: LearningRatePlan, patience: Int?, vocabularySize: Int
  ) {
    cursor = WindowCursor(windows)
    (self.peak, lastRate) = (peak, peak)
    self.rates = rates
    earlyStopping = patience.map(EarlyStopping.init)
    stability = StabilityGuard(vocabularySize: vocabularySize)
  }
}

// MARK: On disk

extension RunProgress {
  /// - Parameter now: Seconds since the run began.
  func json(now: Double) -> JSON {
    [
      "step": .integer(step), "epoch": .integer(epoch), "tokens": .integer(tokens),
      "epochs_done": .integer(cursor.epoch), "windows_done": .integer(cursor.index), "learning_rate": JSON(peak),
      "rate_scale": JSON(rates.scale), "plateau": rates.plateau.counters.json, "stability": stability.memory.json,
      "waited": earlyStopping.map { .integer($0.waited) } ?? .null, "best_loss": JSON(best.loss),
      "best_step": best.step.map { .integer($0) } ?? .null, "best_temperature": JSON(best.temperature),
      "saved_step": savedStep.map { .integer($0) } ?? .null,
      "went_back_to": wentBackTo.map { .integer($0) } ?? .null, "clips": clips.json,
      "recent": recent.json(now: now), "of_epoch": ofEpoch.json(now: now), "gradient_norm": JSON(lastNorm),
      "last_learning_rate": JSON(lastRate),
      "validations": .integer(validations), "owes_validation": .bool(owesValidation),
      "last_validated": lastValidated.map { .integer($0) } ?? .null,
    ]
  }

  /// Goes on from what ``json(now:)`` said.
  ///
  /// - Throws: ``JSONFields/Missing``, ``CheckpointDamage``.
  mutating func take(_ fields: JSONFields, now: Double) throws {
    func optional(_ key: String) throws -> Int? { fields.has(key) ? try fields.count(key) : nil }
    step = try fields.count("step")
    epoch = try fields.count("epoch")
    tokens = try fields.count("tokens")
    cursor = try cursor.schedule.cursor(epoch: fields.count("epochs_done"), window: fields.count("windows_done"))
    peak = try fields.finite("learning_rate")
    guard peak > 0 else { throw CheckpointDamage("its learning rate is \(peak)") }
    rates.scale = try fields.finite("rate_scale")
    rates.plateau.counters = try .init(fields.fields("plateau"))
    stability.memory = try .init(fields.fields("stability"))
    if let waited = try optional("waited") { earlyStopping?.waited = waited }
    best = try BestLoss(
      loss: fields.has("best_loss") ? fields.finite("best_loss") : nil, step: optional("best_step"),
      temperature: fields.has("best_temperature") ? fields.finite("best_temperature") : nil)
    savedStep = try optional("saved_step")
    wentBackTo = try optional("went_back_to")
    clips = try ClipMeter(fields.fields("clips"))
    recent = try LossMeter(fields.fields("recent"), now: now)
    ofEpoch = try LossMeter(fields.fields("of_epoch"), now: now)
    lastNorm = try fields.number("gradient_norm")
    lastRate = try fields.has("last_learning_rate") ? fields.finite("last_learning_rate") : peak
    validations = try fields.count("validations")
    owesValidation = try fields.flag("owes_validation")
    lastValidated = try optional("last_validated")
  }
}

extension WindowSchedule {
  /// A place that a file claims.
  fileprivate func cursor(epoch: Int, window: Int) throws -> WindowCursor {
    guard window < windowCount(ofEpoch: epoch) else {
      throw CheckpointDamage("its epoch \(epoch) has no window \(window)")
    }
    return WindowCursor(self, epoch: epoch, window: window)
  }
}

extension PlateauDecay.Counters {
  fileprivate var json: JSON {
    ["best": JSON(best), "waited": .integer(waited), "plateaus": .integer(plateaus)]
  }

  fileprivate init(_ fields: JSONFields) throws {
    self.init()
    best = fields.has("best") ? try fields.finite("best") : .infinity
    waited = try fields.count("waited")
    plateaus = try fields.count("plateaus")
  }
}

extension RecentLogarithms {
  fileprivate var json: JSON { ["values": .array(values.map { JSON($0) }), "next": .integer(next)] }

  fileprivate init(_ fields: JSONFields) throws {
    guard let recent = try RecentLogarithms(values: fields.numbers("values"), next: fields.count("next")) else {
      throw CheckpointDamage("its recent steps do not fit each other")
    }
    self = recent
  }
}

extension StabilityGuard.Memory {
  fileprivate var json: JSON {
    [
      "losses": losses.json, "norms": norms.json, "last_loss": JSON(lastLoss), "burst_length": .integer(burstLength),
      "is_in_trouble": .bool(isInTrouble), "bad_in_a_row": .integer(badInARow), "good_in_a_row": .integer(goodInARow),
      "only_long_gradients": .bool(onlyLongGradients), "has_rolled_back": .bool(hasRolledBack),
    ]
  }

  fileprivate init(_ fields: JSONFields) throws {
    self.init()
    losses = try RecentLogarithms(fields.fields("losses"))
    norms = try RecentLogarithms(fields.fields("norms"))
    lastLoss = fields.has("last_loss") ? try fields.finite("last_loss") : nil
    burstLength = try fields.count("burst_length")
    isInTrouble = try fields.flag("is_in_trouble")
    badInARow = try fields.count("bad_in_a_row")
    goodInARow = try fields.count("good_in_a_row")
    onlyLongGradients = try fields.flag("only_long_gradients")
    hasRolledBack = try fields.flag("has_rolled_back")
  }
}
