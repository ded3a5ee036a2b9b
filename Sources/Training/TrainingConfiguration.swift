/// Training: the loop over windows and epochs, validation, the training log and what is kept on disk.

import Compute
import Corpora
import LanguageModeling
import Optimization
import Recurrence
import Tokenization
import UnicodeText

/// Everything that a training run is told.
public struct TrainingConfiguration: Sendable {
  /// Files, folders, `-` for standard input, gzip; read one after another as one stream. Or one file of token ids, which
  /// ``tokenizer`` must have made.
  public var corpus: [String]
  /// What is done about bytes of the corpus and the validation file that are not UTF-8.
  public var invalidUTF8 = InvalidUTF8.Policy.refuse
  /// A source with a known answer that makes the text instead; there are no corpus files then, and the vocabulary is the
  /// source's.
  public var source: Source?
  public var validation: Validation
  /// How the corpus is cut into documents.
  public var documents: DocumentCut
  /// The vocabulary's kind.
  public var tokenizer: TokenizerChoice
  /// How the vocabulary is learnt. Its normalization is applied to training, prompts and scored texts alike; characters
  /// seen less often than its minimum frequency become `<unk>`.
  public var vocabulary: SubwordTrainingOptions

  /// The model whose weights, architecture and vocabulary the run begins with, whatever is said of those here; nil for
  /// fresh weights.
  public var initialModel: InitialModelChoice?
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
  /// Steps between two updates; nil is a whole lane: full backpropagation through time.
  public var k1: Int?
  /// Steps that a gradient flows back; nil is k1.
  public var k2: Int?
  /// Steps whose activations are kept at once; nil keeps all, and computes none again.
  public var recompute: Int?
  /// Whether the steps of a window vary around k1, the learning rate with them; see `WindowSchedule`.
  public var variesK1: Bool
  /// Whether each epoch begins at a random place of the training part.
  public var hasRandomOffset: Bool
  /// What becomes of the state between two windows.
  public var statePolicy: StatePolicy
  /// Dropout and what else keeps the model from learning its text by heart.
  public var regularization: Regularization
  /// When the run ends.
  public var limit: Limit
  /// The most epochs that the plan of a budget has, however much time there is; nil for any number.
  public var mostEpochs: Int?

  /// The optimiser with its constants and the weight decay.
  public var optimizer: OptimizerConfiguration
  /// The highest learning rate of the schedule.
  public var learningRate: Double
  /// Whether a ``RangeTest`` finds the learning rate instead.
  public var findsLearningRate: Bool
  /// How the learning rate goes on from its highest.
  public var schedule: ScheduleConfiguration
  /// The average of the weights that is validated and saved instead of them; nil for none.
  public var average: Averaging?
  /// Whether the weights that are validated and saved have their logits divided by the temperature that fits the
  /// validation part best; see `Calibration`.
  public var calibrates: Bool
  /// Validations in a row without a new best after which the run ends; nil for no such end.
  public var patience: Int?
  /// The largest gradient norm; larger ones are scaled down to it. Nil for any.
  public var clip: Double?
  /// The largest magnitude of a gradient's element; larger ones are cut to it, before the norm is looked at. Nil for any.
  public var clipValue: Double?

  /// What is chosen from the corpus and the time that there is, whatever the settings say; see ``Recipe``.
  public var automatic: Set<Recipe.Choice>

  /// The arithmetic.
  public var precision: Precision
  /// The result is the same for any number.
  public var threads: Int
  /// Decides the fresh weights, windows, offsets, what regularisers drop, and what a source draws.
  public var seed: UInt64

  /// Steps between two validations; nil chooses one at each epoch's end, or every 100 or 500 steps where an epoch has
  /// fewer or more.
  public var validateEvery: Int?
  /// Validations between two samples of what the model writes; 0 for none.
  public var sampleEvery: Int
  /// A text that the best model is scored on once, at the end.
  public var test: String?
  /// A folder for TensorBoard's event files.
  public var tensorBoard: String?
  /// Steps between two lines of the log.
  public var logEvery: Int
  /// When checkpoints are written.
  public var checkpointEvery: Interval
  /// How many of the last checkpoints are kept; at least 1.
  public var keptCheckpoints: Int
  /// Whether a run in the output folder is taken up again at its last checkpoint, and not begun anew.
  public var resumes: Bool
  /// The model folder.
  public var output: String
  /// Whether a model in the output folder may be replaced.
  public var overwrites: Bool
  /// The command line, for the model card.
  public var command: String

  /// What the state of a lane is at the beginning of a window.
  public enum StatePolicy: Sendable, Equatable {
    /// The one that the last window left.
    case carried
    /// The zero state, or the trained initial one: windows know nothing of each other.
    case reset
    /// The one that the last window left, but zero with this probability, lane by lane.
    case dropped(Double)
  }

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

  /// A stretch of a run.
  public enum Interval: Sendable, Equatable {
    case steps(Int)
    /// Seconds of wall-clock time.
    case seconds(Double)
  }

  /// When training ends.
  public enum Limit: Sendable, Equatable {
    case epochs(Int)
    case steps(Int)
    /// Seconds of wall-clock time, of which a ``BudgetPlan`` makes steps.
    case budget(Double)
  }

  /// The defaults for `length` symbols of a source and an output.
  public init(source: any SymbolSource, length: Int, output: String) {
    self.init(corpus: [], output: output)
    self.source = Source(source, length: length)
  }

  /// What `unroll train` does where it is told no more: a cosine, averaged weights, calibration, and what ``Recipe``
  /// chooses.
  public static func recommended(corpus: [String], output: String) -> TrainingConfiguration {
    var configuration = TrainingConfiguration(corpus: corpus, output: output)
    configuration.automatic = Set(Recipe.Choice.allCases)
    configuration.cell = .layerNormLSTM
    configuration.k1 = 50
    configuration.learningRate = 0.004
    configuration.hasRandomOffset = true
    configuration.schedule = ScheduleConfiguration(.cosine, warmUp: .share(0.02))
    configuration.average = .exponential(decay: 0.999)
    configuration.calibrates = true
    configuration.optimizer.weightDecay = 0.02
    return configuration
  }

  /// The plain defaults for a corpus and an output: nothing is chosen, the learning rate is constant, nothing is dropped,
  /// averaged or calibrated.
  public init(corpus: [String], output: String) {
    self.corpus = corpus
    self.output = output
    source = nil
    validation = .fraction(0.1)
    documents = .stream
    tokenizer = .character
    vocabulary = .init(vocabularySize: 1000)
    initialModel = nil
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
    k2 = nil
    recompute = nil
    variesK1 = false
    hasRandomOffset = false
    statePolicy = .carried
    regularization = .init()
    limit = .budget(300)
    mostEpochs = nil
    optimizer = .init()
    learningRate = 0.003
    findsLearningRate = false
    schedule = .init()
    average = nil
    calibrates = false
    patience = nil
    clip = 1
    clipValue = nil
    automatic = []
    precision = .float32
    threads = 1
    seed = 1
    validateEvery = nil
    sampleEvery = 5
    test = nil
    tensorBoard = nil
    logEvery = 10
    checkpointEvery = .seconds(120)
    keptCheckpoints = 2
    resumes = false
    overwrites = false
    command = ""
  }
}

/// Why a training could not be begun or finished.
public struct TrainingError: Error, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}
