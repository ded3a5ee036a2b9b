import ModelFiles

/// The lowest validation loss and where it was.
struct BestLoss {
  private(set) var loss: Double?
  private(set) var step: Int?
  /// What logits were divided by; nil where nothing was fitted.
  private(set) var temperature: Double?

  init(loss: Double? = nil, step: Int? = nil, temperature: Double? = nil) {
    (self.loss, self.step, self.temperature) = (loss, step, temperature)
  }

  /// Whether `loss` is the lowest so far. One that is not a number never is.
  mutating func take(_ loss: Double, step: Int, temperature: Double?) -> Bool {
    guard loss < self.loss ?? .infinity else { return false }
    self = BestLoss(loss: loss, step: step, temperature: temperature)
    return true
  }
}

/// A mean of losses since it was last taken.
struct LossMeter {
  private var sum = 0.0
  private(set) var tokens = 0
  private(set) var start = 0.0

  init() {}

  /// What ``json(now:)`` said, the clock now being at another time.
  init(_ fields: JSONFields, now: Double) throws {
    sum = try fields.finite("sum")
    tokens = try fields.count("tokens")
    start = try now - fields.finite("seconds")
  }

  /// - Parameter now: Seconds since the run began.
  func json(now: Double) -> JSON { ["sum": JSON(sum), "tokens": .integer(tokens), "seconds": JSON(now - start)] }

  mutating func add(_ loss: Double, tokens count: Int) {
    sum += loss
    tokens += count
  }

  /// Begins anew.
  mutating func restart(now: Double) { (sum, tokens, start) = (0, 0, now) }

  /// Time that was spent on something else.
  mutating func leaveOut(seconds: Double) { start += seconds }

  /// The mean in nats per token and the tokens per second; begins anew.
  mutating func take(now: Double) -> (loss: Double, speed: Double) {
    defer { (sum, tokens, start) = (0, 0, now) }
    return mean(now: now)
  }

  /// The same, going on.
  func mean(now: Double) -> (loss: Double, speed: Double) {
    (sum / Double(max(1, tokens)), Double(tokens) / max(now - start, 1e-9))
  }
}

/// How often clipping bit.
struct ClipMeter {
  private var recent = (clipped: 0, updates: 0)
  private var all = (clipped: 0, updates: 0)

  init() {}

  init(_ fields: JSONFields) throws {
    recent = try (fields.count("recent_clipped"), fields.count("recent_updates"))
    all = try (fields.count("clipped"), fields.count("updates"))
  }

  var json: JSON {
    [
      "recent_clipped": .integer(recent.clipped), "recent_updates": .integer(recent.updates),
      "clipped": .integer(all.clipped), "updates": .integer(all.updates),
    ]
  }

  mutating func add(isClipped: Bool) {
    recent = (recent.clipped + (isClipped ? 1 : 0), recent.updates + 1)
    all = (all.clipped + (isClipped ? 1 : 0), all.updates + 1)
  }

  /// Begins to count the recent updates anew.
  mutating func restart() { recent = (0, 0) }

  /// The share of the recent updates, 0 where there were none.
  var share: Double { Double(recent.clipped) / Double(max(recent.updates, 1)) }
  /// The share of all updates.
  var overall: Double { Double(all.clipped) / Double(max(all.updates, 1)) }
}
