/// LanguageModeling: embedding → recurrent stack → softmax, trained by truncated BPTT, and the model folder.

import Compute
import Recurrence
import Tokenization

/// A language model, whatever its cell and precision: the face that scoring and writing use.
public protocol LanguageModel: Sendable {
  var configuration: ModelConfiguration { get }
  /// A reader of `lanes` texts at once, at most `steps` tokens a window, from the zero state or the trained
  /// initial one.
  func makeReader(lanes: Int, steps: Int) -> any LanguageModelReader
}

/// Reads texts symbol by symbol, carrying the state. One thread at a time.
public protocol LanguageModelReader: AnyObject {
  var lanes: Int { get }
  /// The longest window.
  var steps: Int { get }
  /// Begins anew, from the zero state or the trained initial one.
  func reset()
  /// Reads a window's inputs; the surprisal of each target, −ln p in nats, `[T·B]`.
  func losses(_ window: TokenWindow) -> [Double]
  /// Reads `[T, B]` symbols; the logits of what follows the last of each lane, `[B, V]`, lane after lane.
  func logits(after symbols: [Int32]) -> [Double]
}

/// The numerical precision that a model runs in.
public enum Precision: String, Sendable, CaseIterable {
  case float32
  /// bfloat16 operands with float32 sums.
  case bfloat16 = "bf16"
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

  public func makeReader(lanes: Int, steps: Int) -> any LanguageModelReader {
    NetworkReader(self, lanes: lanes, steps: steps)
  }
}

/// The reader of a recurrent model; packs the weights once.
final class NetworkReader<Layer: RecurrentLayer>: LanguageModelReader {
  let lanes, steps: Int
  private let network: Network<Layer>
  private let packed: PackedNetwork<Layer>
  private let unrolled: UnrolledNetwork<Layer>
  private let state: [LayerState<Layer.K.Operand, Layer.K.Real>]
  private let logits: Rows<Layer.K.Real>

  /// A table of projected symbols up to this many elements is made once and serves every window.
  private static var largestTable: Int { 1 << 26 }

  init(_ model: RecurrentLanguageModel<Layer>, lanes: Int, steps: Int) {
    self.lanes = lanes
    self.steps = steps
    network = model.network
    let (vocabulary, hidden) = (model.configuration.vocabularySize, model.configuration.hiddenSize)
    let hasTable = vocabulary * hidden * Layer.gateCount <= Self.largestTable
    unrolled = UnrolledNetwork(network, steps: steps, lanes: lanes, hasTable: hasTable, forTraining: false)
    packed = network.pack(
      model.parameters, forTraining: false, rows: hasTable ? vocabulary : 0, reusing: nil, on: unrolled.kernels)
    state = network.zeroState(lanes: lanes)
    logits = Rows(lanes, vocabulary)
    reset()
  }

  func reset() { packed.begin(state) }

  func losses(_ window: TokenWindow) -> [Double] {
    unrolled.forward(window, from: state, packed)
    unrolled.copyState(after: window.steps, into: state)
    let rows = 0..<window.steps * lanes
    network.decoder.losses(
      unrolled.outputs(window.steps), targets: unrolled.targets[rows], packed.decoder,
      scratch: unrolled.decoderScratch, into: unrolled.losses[rows], on: unrolled.kernels)
    return unrolled.losses[rows].elements
  }

  func logits(after symbols: [Int32]) -> [Double] {
    precondition(!symbols.isEmpty && symbols.count % lanes == 0, "\(symbols.count) symbols for \(lanes) lanes")
    let window = TokenWindow(steps: symbols.count / lanes, lanes: lanes, inputs: symbols, targets: symbols)
    unrolled.forward(window, from: state, packed)
    unrolled.copyState(after: window.steps, into: state)
    let last = (window.steps - 1) * lanes..<window.steps * lanes
    network.decoder.logits(unrolled.outputs(window.steps)[last], packed.decoder, into: logits, on: unrolled.kernels)
    return Layer.K.Real.doubles(logits)
  }
}
