/// LanguageModeling: embedding → recurrent stack → softmax, trained by truncated BPTT, and the model folder.

import Compute
import Recurrence
import Tokenization

/// A language model, whatever its cell and precision: the face that scoring and writing use.
public protocol LanguageModel: Sendable {
  var configuration: ModelConfiguration { get }
  /// A reader of `lanes` texts at once, at most `steps` tokens a window, from the zero state or the trained
  /// initial one. The number of threads does not change a bit of what it returns.
  func makeReader(lanes: Int, steps: Int, threads: Int) -> any LanguageModelReader
}

extension LanguageModel {
  /// A reader on one thread.
  public func makeReader(lanes: Int, steps: Int) -> any LanguageModelReader {
    makeReader(lanes: lanes, steps: steps, threads: 1)
  }
}

/// Reads texts symbol by symbol, carrying the state. One thread at a time.
public protocol LanguageModelReader: AnyObject {
  var lanes: Int { get }
  /// The longest window.
  var steps: Int { get }
  /// Where the threads' time went since this was set; nil, as at first, where nobody asks.
  var times: PhaseTimes? { get set }
  /// The threads that share its windows: free for other work between two calls.
  var workers: Workers { get }
  /// Begins anew, from the zero state or the trained initial one.
  func reset()
  /// Reads a window's inputs; the surprisal of each target, −ln p in nats, `[T·B]`.
  func losses(_ window: TokenWindow) -> [Double]
  /// Reads a window's inputs; what is predicted at each target, `[T·B]` predictions: their surprisals are those of
  /// ``losses(_:)`` to the bit.
  func predictions(_ window: TokenWindow, _ detail: PredictionDetail) -> Predictions
  /// Reads `[T, B]` symbols; the logits of what follows the last of each lane, `[B, V]`, lane after lane.
  func logits(after symbols: [Int32]) -> [Double]
  /// The same, handed out: calls `use` once for each lane with its logits `[V]`, on several threads at once where that
  /// pays.
  func forEachLane(after symbols: [Int32], _ use: @Sendable (Int, ArraySlice<Double>) -> Void)
  /// Lane i goes on from the state that lane `lanes[i]` has: one number for each lane, any of them more than once.
  func gather(lanes: [Int])
  /// What a lane remembers of its text.
  func state(ofLane lane: Int) -> ReaderState
  /// Every lane goes on from a state that a reader of the same model had, to the bit where its precision was the same.
  func restore(_ state: ReaderState)
  /// The top layer's hidden states after each step of the last window, `[T·B, H]`, of at most ``stepsKept`` steps.
  func outputs(steps: Int) -> Rows<Float>
  /// The longest window whose ``outputs(steps:)`` can be asked for.
  var stepsKept: Int { get }
}

/// The numerical precision that a model runs in.
public enum Precision: String, Sendable, CaseIterable {
  case float32
  /// bfloat16 operands with float32 sums.
  case bfloat16 = "bf16"
  /// Weights and hidden states as bytes: the smallest, for reading only.
  case int8
  /// The reference: slow, exact.
  case float64

  /// The fastest that this processor has in hardware: bfloat16 or float32.
  public static var fastest: Precision { hasBFloat16Hardware ? .bfloat16 : .float32 }

  /// - Throws: ``ConfigurationError`` where this processor does not have it.
  public func requireSupport() throws {
    guard self != .bfloat16 || hasBFloat16Hardware else {
      throw ConfigurationError("this processor has no bfloat16 products; use --precision float32")
    }
  }

  /// - Throws: ``ConfigurationError`` where nothing can be trained in it, or this processor does not have it.
  public func requireTraining() throws {
    guard self != .int8 else {
      throw ConfigurationError("int8 is for reading; train with --precision bf16 or float32")
    }
    try requireSupport()
  }
}

/// A network with its weights.
public struct RecurrentLanguageModel<Layer: RecurrentLayer>: LanguageModel {
  /// The shape.
  public let network: Network<Layer>
  /// The weights, of the network's layout.
  public let parameters: ParameterSet<Layer.K.Real>

  public var configuration: ModelConfiguration { network.configuration }

  /// A model of a network and weights of its layout.
  public init(network: Network<Layer>, parameters: ParameterSet<Layer.K.Real>) {
    self.network = network
    self.parameters = parameters
  }

  public func makeReader(lanes: Int, steps: Int, threads: Int) -> any LanguageModelReader {
    let network = Network<Layer.Reading>(configuration)
    let packed = network.packForReading(parameters)
    return SideBySideReader<Layer.Reading>.suits(configuration, lanes: lanes, threads: threads)
      ? SideBySideReader(network, packed, lanes: lanes, steps: steps, threads: threads)
      : NetworkReader(network, packed, lanes: lanes, steps: steps, threads: threads)
  }
}
