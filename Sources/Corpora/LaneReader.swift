import Tokenization

/// A stream of tokens cut into B contiguous lanes. Which steps of them are a window, a ``WindowSchedule`` says.
///
/// Lane b holds the tokens b·n … (b+1)·n and predicts the ones after each, n = (tokens − 1) / B rounded down; so every
/// target stands once, and the (tokens − 1) mod B targets at the end are left out (``leftOut``).
///
/// With an offset, the first lane begins so many tokens later, and the stream's targets go round: after its last one
/// comes its first. Every target still has the token before it for an input; those left out are the ones before the
/// offset.
/// target stands once, and the (tokens − 1) mod B targets at the end are left out (``leftOut``). The last window of an
/// epoch is as short as what is left. Every epoch reads the windows in this order, so that each lane reads its stretch of
/// the text from its beginning to its end; files follow one another in the stream as they were named.
public struct LaneReader: Sendable {
  /// The whole stream.
  public let tokens: TokenStream
  /// B.
  public let lanes: Int
  /// k1: steps of a window, or what its steps vary around.
  public let steps: Int
  /// n: targets in each lane.
  public let laneLength: Int

  /// Lanes of tokens in memory.
  ///
  /// - Throws: ``CorpusTooShort`` where a lane would not fill one window.
  public init(_ tokens: [Int32], lanes: Int, steps: Int) throws {
    try self.init(TokenStream(tokens), lanes: lanes, steps: steps)
  }

  /// - Throws: ``CorpusTooShort`` where a lane would not fill one window.
  public init(_ tokens: TokenStream, lanes: Int, steps: Int) throws {
    precondition(lanes >= 1 && steps >= 1, "lanes and steps must be at least 1, not \(lanes) and \(steps)")
    self.tokens = tokens
    self.lanes = lanes
    self.steps = steps
    laneLength = (tokens.count - 1) / lanes
    guard laneLength >= steps else { throw CorpusTooShort(tokens: tokens.count, lanes: lanes, steps: steps) }
  }

  /// Targets in an epoch.
  public var targetsPerEpoch: Int { laneLength * lanes }
  /// Targets that no epoch has.
  public var leftOut: Int { tokens.count - 1 - targetsPerEpoch }

  /// Some steps of every lane, `[T, B]`.
  ///
  /// - Parameter offset: Where in the stream the first lane begins.
  public func window(_ steps: Range<Int>, offset: Int = 0) -> TokenWindow {
    precondition(
      steps.lowerBound >= 0 && steps.upperBound <= laneLength && !steps.isEmpty,
      "steps \(steps) of lanes of \(laneLength)")
    precondition((0..<tokens.count - 1).contains(offset), "an offset of \(offset) in \(tokens.count) tokens")
    let length = steps.count
    var inputs: [Int32] = []
    var targets: [Int32] = []
    inputs.reserveCapacity(length * lanes)
    targets.reserveCapacity(length * lanes)
    for t in steps {
      for lane in 0..<lanes {
        var place = offset + lane * laneLength + t
        if place >= tokens.count - 1 { place -= tokens.count - 1 }
        inputs.append(tokens[place])
        targets.append(tokens[place + 1])
      }
    }
    return TokenWindow(steps: length, lanes: lanes, inputs: inputs, targets: targets)
  }
}

/// A text is too short for its lanes and windows.
public struct CorpusTooShort: Error, CustomStringConvertible {
  public let tokens, lanes, steps: Int

  public var description: String {
    "the training part has \(tokens) symbols; \(lanes) lanes of \(steps) steps want at least \(lanes * steps + 1): "
      + "use more text, fewer --lanes or a smaller --k1"
  }
}
