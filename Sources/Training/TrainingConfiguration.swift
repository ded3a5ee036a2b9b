/// Training: the loop over windows and epochs, validation, the training log and what is kept on disk.

import LanguageModeling
import Optimization
import UnicodeText

/// Everything that a training run is told; validated, complete.
public struct TrainingConfiguration: Sendable {
  /// Files, `-` for standard input; read one after another as one stream.
  public var corpus: [String]
  public var validation: Validation
  public var normalization: NormalizationForm
  /// Symbols seen less often in the training part become `<unk>`.
  public var minimumFrequency: Int

  public var cell: String
  public var embeddingSize, hiddenSize, layers: Int
  public var tiesWeights: Bool

  /// B.
  public var lanes: Int
  /// Steps between two updates, and steps that a gradient flows back.
  public var k1: Int
  public var limit: Limit

  public var optimizer: AdamConfiguration
  public var learningRate: Double
  /// The largest gradient norm; larger ones are scaled down to it.
  public var clip: Double

  public var precision: Precision
  public var threads: Int
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

  public init(corpus: [String], output: String) {
    self.corpus = corpus
    self.output = output
    validation = .fraction(0.1)
    normalization = .nfc
    minimumFrequency = 1
    cell = "lstm"
    embeddingSize = 128
    hiddenSize = 256
    layers = 2
    tiesWeights = false
    lanes = 32
    k1 = 64
    limit = .budget(300)
    optimizer = .init()
    learningRate = 0.003
    clip = 1
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
