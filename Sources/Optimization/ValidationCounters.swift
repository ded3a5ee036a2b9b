/// Counts plateaus: validations that do not improve, as PyTorch's ReduceLROnPlateau does.
///
/// A loss improves on the best where it is below it by a ten-thousandth. After more than ``patience`` in a row that do
/// not, there is a plateau, and the count begins anew.
public struct PlateauDecay: Sendable, Equatable {
  /// The share of the best loss that an improvement is at least.
  public static let threshold = 1e-4
  /// Validations in a row without improvement that are borne.
  public let patience: Int
  /// What is remembered.
  public var counters = Counters()

  /// What a checkpoint holds.
  public struct Counters: Sendable, Equatable {
    public var best = Double.infinity
    /// Validations in a row without improvement.
    public var waited = 0
    public var plateaus = 0

    public init() {}
  }

  public init(patience: Int) {
    precondition(patience >= 0, "a patience of \(patience) validations")
    self.patience = patience
  }

  /// Takes a validation loss.
  public mutating func note(validationLoss loss: Double) {
    if loss < counters.best * (1 - Self.threshold) {
      counters.best = loss
      counters.waited = 0
    } else {
      counters.waited += 1
    }
    guard counters.waited > patience else { return }
    counters.plateaus += 1
    counters.waited = 0
  }
}

/// Counts validations that do not improve, to end a run when there were enough.
public struct EarlyStopping: Sendable, Equatable {
  /// Validations in a row without a new best after which the run ends.
  public let patience: Int
  /// Validations in a row without a new best; all that a checkpoint holds.
  public var waited = 0

  public init(patience: Int) {
    precondition(patience >= 1, "a patience of \(patience) validations")
    self.patience = patience
  }

  /// Takes a validation.
  ///
  /// - Returns: Whether the run is to end.
  public mutating func note(isBest: Bool) -> Bool {
    waited = isBest ? 0 : waited + 1
    return isOver
  }

  /// Whether the last validation was one too many.
  public var isOver: Bool { waited >= patience }
}
