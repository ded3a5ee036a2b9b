/// Training: the loop over windows and epochs, validation, the training log and what is kept on disk.

import Corpora
import LanguageModeling
import Optimization
import UnicodeText

/// Everything that a training run is told.
public struct TrainingConfiguration: Sendable {
  /// Files, `-` for standard input; read one after another as one stream.
  public var corpus: [String]
  /// A source with a known answer that makes the text instead; there are no corpus files then, and the vocabulary is the
  /// source's.
  public var source: Source?
  public var validation: Validation
  /// Applied to training, prompts and scored texts alike.
  public var normalization: NormalizationForm
  /// Symbols seen less often in the training part become `<unk>`.
  public var minimumFrequency: Int

  /// The recurrent cell: `lstm`.
  public var cell: String
  /// E, H and L.
  public var embeddingSize, hiddenSize, layers: Int
  /// Whether the decoder uses the embedding's matrix.
  public var tiesWeights: Bool

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
  /// The largest gradient norm; larger ones are scaled down to it.
  public var clip: Double

  /// The arithmetic.
  public var precision: Precision
  /// The result is the same for any number.
  public var threads: Int
  /// Decides the fresh weights, and what a source draws.
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
    /// The last part of the corpus, or of a source's text so long a share of another draw; 0 for none.
    case fraction(Double)
    case file(String)
  }

  /// A source, and how many symbols of it are trained on.
  public struct Source: Sendable {
    public var source: any SymbolSource
    public var length: Int

    /// `length` symbols of a source to train on.
    public init(_ source: any SymbolSource, length: Int) {
      self.source = source
      self.length = length
    }
  }

  /// When training ends.
  public enum Limit: Sendable, Equatable {
    case epochs(Int)
    case steps(Int)
    /// Seconds of wall-clock time.
    case budget(Double)
  }

  /// The defaults for `length` symbols of a source and an output.
  public init(source: any SymbolSource, length: Int, output: String) {
    self.init(corpus: [], output: output)
    self.source = Source(source, length: length)
  }

  /// The defaults for a corpus and an output.
  public init(corpus: [String], output: String) {
    self.corpus = corpus
    self.output = output
    source = nil
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
