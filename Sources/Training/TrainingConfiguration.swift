/// Training: the loop over windows and epochs, validation, the training log and what is kept on disk.

import Compute
import LanguageModeling
import Optimization
import Recurrence
import UnicodeText

/// Everything that a training run is told.
public struct TrainingConfiguration: Sendable {
  /// Files, `-` for standard input; read one after another as one stream.
  public var corpus: [String]
  public var validation: Validation
  /// Applied to training, prompts and scored texts alike.
  public var normalization: NormalizationForm
  /// Symbols seen less often in the training part become `<unk>`.
  public var minimumFrequency: Int

  /// The recurrent cell.
  public var cell: RecurrentCell
  /// Of a plain RNN.
  public var nonlinearity: Nonlinearity
  /// What the forget biases of a fresh LSTM add up to.
  public var forgetBias: Double
  /// E, H and L.
  public var embeddingSize, hiddenSize, layers: Int
  /// Whether the decoder uses the embedding's matrix.
  public var tiesWeights: Bool
  /// Whether the state that streams begin from is trained, or zero.
  public var trainsInitialState: Bool

  /// B.
  public var lanes: Int
  /// Steps between two updates, and steps that a gradient flows back.
  public var k1: Int
  /// When the run ends.
  public var limit: Limit

  /// Adam's constants and the weight decay.
  public var optimizer: AdamConfiguration
  /// The optimiser's learning rate, constant.
  public var learningRate: Double
  /// The largest gradient norm; larger ones are scaled down to it. Nil for any.
  public var clip: Double?
  /// The largest magnitude of a gradient's element; larger ones are cut to it, before the norm is looked at. Nil for any.
  public var clipValue: Double?

  /// The arithmetic.
  public var precision: Precision
  /// The result is the same for any number.
  public var threads: Int
  /// Decides the fresh weights.
  public var seed: UInt64

  /// Steps between two validations; nil chooses one an epoch, but at least 100 and at most 500 steps.
  public var validateEvery: Int?
  /// Steps between two lines of the log.
  public var logEvery: Int
  /// The model folder.
  public var output: String
  /// Whether a model in the output folder may be replaced.
  public var overwrites: Bool
  /// The command line, for the model card.
  public var command: String

  /// Where the text to validate on comes from.
  public enum Validation: Sendable, Equatable {
    /// The last part of the corpus; 0 for none.
    case fraction(Double)
    case file(String)
  }

  /// When training ends.
  public enum Limit: Sendable, Equatable {
    case epochs(Int)
    case steps(Int)
    /// Seconds of wall-clock time.
    case budget(Double)
  }

  /// The defaults for a corpus and an output.
  public init(corpus: [String], output: String) {
    self.corpus = corpus
    self.output = output
    validation = .fraction(0.1)
    normalization = .nfc
    minimumFrequency = 1
    cell = .lstm
    nonlinearity = .tanh
    forgetBias = 1
    embeddingSize = 128
    hiddenSize = 256
    layers = 2
    tiesWeights = false
    trainsInitialState = false
    lanes = 32
    k1 = 64
    limit = .budget(300)
    optimizer = .init()
    learningRate = 0.003
    clip = 1
    clipValue = nil
    precision = .float32
    threads = 1
    seed = 1
    validateEvery = nil
    logEvery = 10
    overwrites = false
    command = ""
  }
}

/// Why a training could not be begun or finished.
public struct TrainingError: Error, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}
