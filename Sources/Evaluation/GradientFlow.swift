import LanguageModeling

/// How a gradient flows back through a model on a text: what `unroll gradients` reports.
public struct GradientFlow: Sendable {
  /// What was measured.
  public let configuration: ModelConfiguration
  public let settings: Settings
  /// The mean loss of the window, in nats per token.
  public let loss: Double
  /// By layer, the lowest first.
  public let layers: [Layer]
  /// Norms of ∂L/∂W_hh, all layers together, L the mean loss of the window.
  public let weightGradient: PathLengths
  /// How much of the full gradient truncated BPTT keeps, and what it costs: k1 = 1 and k1 = k2 for several k2, and last
  /// the whole window.
  public let truncation: [Truncation]

  /// How to look.
  public struct Settings: Sendable, Equatable {
    /// The largest lag.
    public var lags = 100
    /// T: steps of the window, more than lags.
    public var steps = 200
    /// B: lanes, which begin evenly spread over the text.
    public var lanes = 4
    /// Decides where the search for the Lyapunov exponent begins.
    public var seed: UInt64 = 1
    /// How long an update of each length is measured at least, in seconds.
    public var measuringSeconds = 0.02

    /// The defaults.
    public init() {}
  }

  /// One layer.
  public struct Layer: Sendable {
    /// Mean ‖∂L_t/∂h_{t−lag}‖ over lanes and all steps t that have so many steps before them.
    public let hidden: GradientDecay
    /// The same of what flows past the hidden state, through the cell of an LSTM.
    public let cell: GradientDecay?
    /// Norms of ∂L/∂W_hh of this layer.
    public let weightGradient: PathLengths
    /// The recurrent weights, gate by gate.
    public let matrices: [RecurrentMatrix]
    /// The largest Lyapunov exponent of the layer driven by the text, per step.
    public let lyapunovExponent: Double

    /// The largest of the gates' spectral radii.
    public var spectralRadius: Double { matrices.map(\.spectralRadius).max() ?? 0 }
  }

  /// A recurrent weight's gradient split by the length of the path from a loss back to the weight's use: 1 is the use at
  /// the loss's own step.
  public struct PathLengths: Sendable, Equatable {
    /// The norm of each part, path length 1 first.
    public let norms: [Double]
    /// The norm of all longer paths together.
    public let longer: Double
    /// The norm of the sum, the full gradient.
    public let full: Double
  }

  /// One (k1, k2) against full BPTT, weights held: the gradients of all updates over the window added up.
  public struct Truncation: Sendable, Equatable {
    public let k1, k2: Int
    /// ‖truncated − full‖ / ‖full‖, over all tensors of the recurrent layers.
    public let relativeError: Double
    /// The cosine of the angle between the two.
    public let cosine: Double
    /// Activations kept for one update, in float32, of the lanes that were looked at.
    public let activationBytes: Int
    /// Measured time of an update over the steps that it advances, in float32 on one thread.
    public let millisecondsPerStep: Double

    /// Whether little is lost: relative error at most 10 % and cosine at least 0.99.
    public var isFaithful: Bool { relativeError <= Self.largestError && cosine >= Self.smallestCosine }
    public static let largestError = 0.1
    public static let smallestCosine = 0.99
  }

  /// The smallest k2 looked at from which on little is lost; the window where nothing shorter will do.
  ///
  /// - Parameter everyStep: Whether for k1 = 1, where every loss sees k2 steps, and not for k1 = k2, where the losses see
  ///   1 to k2.
  public func recommended(everyStep: Bool) -> Int {
    let candidates = truncation.filter { everyStep ? $0.k1 == 1 : $0.k1 == $0.k2 }.sorted { $0.k2 < $1.k2 }
    let faithful = candidates.reversed().prefix(while: \.isFaithful)
    return faithful.last?.k2 ?? settings.steps
  }
}

/// A text too short for its lanes and steps.
public struct TextTooShort: Error, CustomStringConvertible {
  public let tokens, lanes, steps: Int

  public var description: String {
    "has \(tokens) symbol\(tokens == 1 ? "" : "s") that the model knows; \(lanes) lanes of \(steps) steps want at least "
      + "\(lanes * steps + 1): use more text, fewer --lanes or fewer --steps"
  }
}

/// A gradient that is not finite cannot be compared with another.
public struct GradientsNotFinite: Error, CustomStringConvertible {
  public var description: String {
    "the gradient of this model on this text is not finite; look at fewer --steps"
  }
}
