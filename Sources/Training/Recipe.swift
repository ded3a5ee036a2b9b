import LanguageModeling
import Recurrence
import Reports

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a run chooses by itself where it is not told: the model's size and how strongly it is regularised, from the size of
/// the corpus and the work that there is time for.
///
/// - Size: of all models that can be trained on D tokens with 6·P·D operations, the one with ``tokensPerParameter`` tokens
///   for each of its P parameters; at most ``parametersPerToken`` for each token of the corpus.
/// - Dropout: ``dropoutPerDoubling`` for each doubling of the passes over the corpus beyond ``passesWithoutDropout``, none
///   where that is below ``leastDropout`` (it would cost more time than it brings), at most ``mostDropout``;
///   ``inputDropoutShare`` of that on the embeddings, and ``weightDropShare`` of it on the hidden-to-hidden matrices.
/// - Epochs: at most ``mostEpochs``, however much time there is.
/// - Lanes: 32, fewer where an epoch would have fewer than ``fewestWindows`` windows.
/// - Average: over a fiftieth of the steps, at most 1000.
///
/// The constants were found by trial on tinyshakespeare, the King James Bible and the letters and fables of the repository.
public struct Recipe: Sendable {
  /// What can be chosen.
  public enum Choice: String, Sendable, CaseIterable {
    case hiddenSize = "hidden-size"
    case embeddingSize = "embedding-size"
    case lanes
    case dropoutInput = "dropout-input"
    case dropoutHidden = "dropout-hidden"
    case dropoutOutput = "dropout-output"
    case weightDrop = "weight-drop"
    case averageDecay = "average-decay"
    case mostEpochs = "max-epochs"
  }

  /// A choice with what it was made from.
  public struct Reason: Sendable {
    public let choice: Choice
    public let value: String
    public let why: String
  }

  public static let tokensPerParameter = 10.0
  public static let parametersPerToken = 30.0
  public static let dropoutPerDoubling = 0.08
  public static let passesWithoutDropout = 2.0
  public static let leastDropout = 0.1
  public static let mostDropout = 0.5
  public static let inputDropoutShare = 0.25
  public static let weightDropShare = 0.65
  public static let fewestWindows = 64
  public static let mostEpochs = 40
  public static let sizes = [48, 64, 96, 128, 160, 192, 256, 320, 384, 448, 512, 640, 768, 896, 1024]
  /// Operations a second and thread that a budget is taken for before the trial: the order of size of today's processors.
  static let assumedSpeed = (bfloat16: 300e9, others: 60e9)

  /// The configuration with everything chosen.
  public private(set) var configuration: TrainingConfiguration
  /// What was chosen and why.
  public private(set) var reasons: [Reason] = []
  private let tokens: Double
  private let vocabularySize: Int

  /// - Parameter tokens: Of the training part.
  init(_ configuration: TrainingConfiguration, tokens: Int, vocabularySize: Int) {
    self.configuration = configuration
    self.tokens = Double(max(1, tokens))
    self.vocabularySize = vocabularySize
    chooseEpochs()
    chooseLanes()
    chooseSize()
    chooseDropout()
    chooseAverage()
    self.configuration.automatic = []
  }

  private mutating func choose(_ choice: Choice, _ value: Double, _ why: String) {
    guard configuration.automatic.contains(choice) else { return }
    configuration.set(choice, to: value)
    reasons.append(Reason(choice: choice, value: value == value.rounded() ? "\(Int(value))" : "\(value)", why: why))
  }

  // MARK: The work that there is time for

  /// Operations of the whole run, where a budget decides on them.
  private var operations: Double? {
    guard case .budget(let seconds) = configuration.limit else { return nil }
    let speed = configuration.precision == .bfloat16 ? Self.assumedSpeed.bfloat16 : Self.assumedSpeed.others
    return seconds * speed * Double(configuration.threads)
  }

  /// Tokens that the run reads, in a model of the configuration's size.
  private var tokensRead: Double {
    switch configuration.limit {
    case .epochs(let epochs): Double(epochs) * tokens
    case .steps(let steps): Double(steps) * tokensPerStep
    case .budget:
      min(
        (operations ?? 0) / (6 * parameters(configuration.hiddenSize)),
        Double(configuration.mostEpochs ?? .max) * tokens)
    }
  }

  private var tokensPerStep: Double { min(tokens, Double(configuration.lanes) * Double(configuration.k1 ?? .max)) }

  /// Parameters that cost a multiplication for each token: layer 0 reads the embedding from a table.
  private func parameters(_ hidden: Int) -> Double {
    let gates: Double =
      switch configuration.cell {
      case .lstm, .layerNormLSTM: 4
      case .gru: 3
      case .rnn: 1
      }
    let layers = Double(2 * configuration.layers - 1) * gates * Double(hidden) * Double(hidden)
    return layers + Double(vocabularySize * hidden)
  }

  // MARK: Choices

  private mutating func chooseEpochs() {
    guard case .budget = configuration.limit else { return }
    choose(.mostEpochs, Double(Self.mostEpochs), "more would learn the text by heart")
  }

  private mutating func chooseLanes() {
    let window = Double(configuration.k1 ?? 1)
    var lanes = 32
    while lanes > 1 && tokens / (Double(lanes) * window) < Double(Self.fewestWindows) { lanes /= 2 }
    let why =
      lanes == 32
      ? "text enough for windows of \(Int(window)) steps" : "a short text: \(Self.fewestWindows) windows an epoch"
    choose(.lanes, Double(lanes), why)
  }

  private mutating func chooseSize() {
    let wanted =
      operations.map { ($0 / (6 * Self.tokensPerParameter)).squareRoot() } ?? tokensRead / Self.tokensPerParameter
    let most = Self.parametersPerToken * tokens
    let target = min(wanted, most)
    func distance(_ size: Int) -> Double { abs(log2(parameters(size) / target)) }
    let size = Self.sizes.min { distance($0) < distance($1) } ?? 256
    let why =
      wanted <= most
      ? "the work of the run: \(Int(Self.tokensPerParameter)) tokens read for each parameter"
      : "the text: \(Int(Self.parametersPerToken)) parameters for each of its \(grouped(Int(tokens))) tokens"
    choose(.hiddenSize, Double(size), why)
    choose(
      .embeddingSize, Double(configuration.tiesWeights ? configuration.hiddenSize : min(128, configuration.hiddenSize)),
      configuration.tiesWeights ? "the hidden size, for tied weights" : "the hidden size, at most 128")
  }

  private mutating func chooseDropout() {
    let passes = tokensRead / tokens
    let wanted = Self.dropoutPerDoubling * log2(passes / Self.passesWithoutDropout)
    let dropout = wanted < Self.leastDropout ? 0 : rounded(min(Self.mostDropout, wanted))
    let why = "about \(decimal(passes, places: passes < 10 ? 1 : 0)) passes over the text"
    choose(.dropoutInput, rounded(dropout * Self.inputDropoutShare), why)
    choose(.dropoutHidden, dropout, why)
    choose(.dropoutOutput, dropout, why)
    choose(.weightDrop, rounded(dropout * Self.weightDropShare), why)
  }

  private mutating func chooseAverage() {
    guard case .exponential = configuration.average else { return }
    let steps = tokensRead / tokensPerStep
    choose(.averageDecay, 1 - 1 / min(1000, max(10, (steps / 50).rounded())), "about \(grouped(Int(steps))) steps")
  }

  /// To hundredths.
  private func rounded(_ share: Double) -> Double { (share * 100).rounded() / 100 }
}

extension TrainingConfiguration {
  /// Sets what would have been chosen, where there is a value.
  public mutating func give(_ choice: Recipe.Choice, _ value: Double?) {
    guard let value else { return }
    set(choice, to: value)
    automatic.remove(choice)
  }

  /// Sets what could be chosen.
  mutating func set(_ choice: Recipe.Choice, to value: Double) {
    switch choice {
    case .hiddenSize: hiddenSize = Int(value)
    case .embeddingSize: embeddingSize = Int(value)
    case .lanes: lanes = Int(value)
    case .dropoutInput: regularization.inputDropout = value
    case .dropoutHidden: regularization.hiddenDropout = value
    case .dropoutOutput: regularization.outputDropout = value
    case .weightDrop: regularization.weightDrop = value
    case .averageDecay: if case .exponential = average { average = .exponential(decay: value) }
    case .mostEpochs: mostEpochs = Int(value)
    }
  }
}
