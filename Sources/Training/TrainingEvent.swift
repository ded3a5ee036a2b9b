import ModelFiles
import Optimization
import Synchronization

/// What happens in a run, as it happens: for the log file, and for whoever shows it.
public enum TrainingEvent: Sendable {
  case start(Start)
  /// A learning rate was found.
  case rangeTest(RangeTest)
  /// A budget has become a number of steps.
  case plan(BudgetPlan)
  case step(Step)
  case validation(Validation)
  case epoch(Epoch)
  case sample(Sample)
  case skipped(Skipped)
  case rollback(Rollback)
  case test(Test)
  /// Validations ceased to improve: from this step on the mean of the weights is validated and saved.
  case averaging(step: Int)
  /// A run goes on from its checkpoint after so many steps.
  case resumed(step: Int)
  /// A checkpoint was written. The log has those that a number of steps asked for, not those that the clock did.
  case checkpoint(Checkpoint)
  /// Something could not be written; it is tried again. The error's words, or nil when it has been written after all.
  case trouble(String?)
  case end(End)

  /// A run begins.
  public struct Start: Sendable {
    public let parameters, vocabularySize: Int
    /// Targets in an epoch, targets that lane cutting leaves out, tokens to validate on.
    public let trainingTokens, leftOutTokens, validationTokens: Int
    /// Symbols of the validation part that the vocabulary lacks, and the first few by name.
    public let unknownInValidation: Int
    public let unknownNames: [String]
    /// Sequences of bytes of the corpus that were not UTF-8 and became U+FFFD.
    public let replacements: Int
    /// Updates in the first epoch, and whether other epochs have some more or fewer.
    public let stepsPerEpoch: Int
    public let stepsVary: Bool
    /// Whether each epoch begins at another place, and so leaves out other targets.
    public let offsetsVary: Bool
    /// SHA-256 of the corpus files, or of the source's text.
    public let corpusHash: String
    /// How many files the corpus is, 0 of a source; what a person should know of them.
    public let corpusFiles: Int
    public let notes: [String]
    /// What is known of the source, where there is one.
    public let source: SourceFigures?
    /// How many documents there are, where the corpus is cut into such.
    public let documents: DocumentCounts?
    public let seed: UInt64
    public let threads: Int
    public let precision: String
    /// What a token is: a character, a byte or a token.
    public let unit: String

    fileprivate var json: JSON {
      let members: [JSON.Member] = [
        .init("event", "start"), .init("parameters", .integer(parameters)),
        .init("vocabulary_size", .integer(vocabularySize)), .init("training_tokens", .integer(trainingTokens)),
        .init("left_out_tokens", .integer(leftOutTokens)), .init("validation_tokens", .integer(validationTokens)),
        .init("unknown_validation_tokens", .integer(unknownInValidation)),
        .init("invalid_sequences", .integer(replacements)), .init("steps_per_epoch", .integer(stepsPerEpoch)),
        .init("corpus_sha256", .string(corpusHash)),
        .init("corpus_files", .integer(corpusFiles)), .init("notes", .array(notes.map { .string($0) })),
        .init("seed", .string(String(seed))), .init("threads", .integer(threads)),
        .init("precision", .string(precision)),
      ]
      return .object(members + (source?.members ?? []) + (documents?.members ?? []))
    }
  }

  /// The steps since the last such event.
  public struct Step: Sendable {
    public let step, epoch: Int
    /// Tokens read since the beginning.
    public let tokens: Int
    /// Mean loss in nats per token over the steps since the last event.
    public let loss: Double
    /// Of the last step, before clipping.
    public let gradientNorm: Double
    /// The share of updates that clipping changed, 0 … 1: of those since the last event, and of all.
    public let clipped, clippedOverall: Double
    /// The optimiser's learning rate in the last step, as used.
    public let learningRate: Double
    /// Tokens a second since the last event, validation left out.
    public let tokensPerSecond: Double
    /// How far the run is, 0 … 1, and how many seconds it will go on.
    public let progress, remaining: Double
  }

  /// The validation part was scored.
  public struct Validation: Sendable {
    public let step: Int
    /// Nats per token.
    public let loss: Double
    /// Tokens for each character of the validation part.
    public let tokensPerCharacter: Double
    /// What logits were divided by; nil where nothing was fitted.
    public let temperature: Double?
    /// Whether no earlier loss was as low; the model is then saved.
    public let isBest: Bool

    fileprivate var json: JSON {
      let members: [JSON.Member] = [
        .init("event", "validation"), .init("step", .integer(step)), .init("loss", JSON(loss)),
        .init("bits_per_character", JSON(loss * tokensPerCharacter * bitsPerNat)), .init("best", .bool(isBest)),
      ]
      return .object(members + (temperature.map { [.init("temperature", JSON($0))] } ?? []))
    }
  }

  /// An epoch is done.
  public struct Epoch: Sendable {
    public let epoch: Int
    /// The last step of the epoch; 0 in logs that do not tell.
    public let step: Int
    /// Mean loss in nats per token over the epoch.
    public let loss: Double
    public let seconds: Double
  }

  /// The model wrote a little.
  public struct Sample: Sendable {
    public let step: Int
    /// What it wrote, drawn at temperature 0.8.
    public let text: String
  }

  /// The best model was scored on the test text.
  public struct Test: Sendable {
    /// Nats per token, bits per character and bits per byte.
    public let loss, bitsPerCharacter, bitsPerByte: Double
    public let tokens: Int
  }

  /// An update was left out, since the loss or the gradient was bad (``StabilityGuard``).
  public struct Skipped: Sendable {
    public let step: Int
    public let reason: StabilityGuard.Reason
    /// Mean loss of the step in nats per token, and the norm of its gradient before clipping.
    public let loss, gradientNorm: Double
    /// Updates left out in this burst; 1 is its first.
    public let inBurst: Int
  }

  /// Too many updates in a row were left out: the run went back to good weights, and on with a smaller learning rate.
  public struct Rollback: Sendable {
    /// The step after which it went back, and the one whose weights, moments and carried state it took up again.
    public let step, toStep: Int
    /// From now on.
    public let learningRate: Double
  }

  /// A checkpoint is on the disk.
  public struct Checkpoint: Sendable {
    public let step: Int
    /// Whether a number of steps asked for it, and not the clock or the end.
    public let isPlanned: Bool
  }

  /// The run is over.
  public struct End: Sendable {
    public let reason: EndReason
    public let steps: Int
    public let seconds: Double
    public let bestValidationLoss: Double?
    /// Of the best model, where there was a test text.
    public var testLoss: Double? = nil
    /// A line on what the curves say, where they say something.
    public var advice: String? = nil
    /// Whether the run was over before, and nothing was done.
    public var wasOver = false
  }

  /// Why a run ended.
  public enum EndReason: String, Sendable {
    case epochs, steps, budget, signal
    /// Enough validations in a row without a new best.
    case patience
    /// The time was ``BudgetPlan/overrun`` times the budget, the planned steps not made.
    case overrun
    /// Bad steps in a row, also after going back; an error follows.
    case diverged
  }

  /// Whether the log has the event.
  var isLogged: Bool {
    switch self {
    case .resumed, .trouble: false
    case .checkpoint(let checkpoint): checkpoint.isPlanned
    default: true
    }
  }

  /// One line of `metrics.jsonl`.
  var json: JSON {
    switch self {
    case .start(let start): start.json
    case .rangeTest(let test):
      ["event": "range_test", "steps": .integer(test.points.count), "learning_rate": JSON(test.suggestion)]
    case .plan(let plan):
      JSON.object([JSON.Member("event", "plan")] + (plan.json.members ?? []))
    case .resumed(let step): ["event": "resumed", "step": .integer(step)]
    case .checkpoint(let checkpoint): ["event": "checkpoint", "step": .integer(checkpoint.step)]
    case .trouble(let what): ["event": "trouble", "what": what.map { .string($0) } ?? .null]
    case .averaging(let step): ["event": "averaging", "step": .integer(step)]
    case .step(let step):
      [
        "event": "step", "step": .integer(step.step), "epoch": .integer(step.epoch), "tokens": .integer(step.tokens),
        "loss": JSON(step.loss), "gradient_norm": JSON(step.gradientNorm), "clipped": JSON(step.clipped),
        "learning_rate": JSON(step.learningRate), "tokens_per_second": .integer(Int(step.tokensPerSecond.rounded())),
      ]
    case .validation(let validation): validation.json
    case .epoch(let epoch):
      [
        "event": "epoch", "epoch": .integer(epoch.epoch), "step": .integer(epoch.step), "loss": JSON(epoch.loss),
        "seconds": JSON(epoch.seconds),
      ]
    case .sample(let sample): ["event": "sample", "step": .integer(sample.step), "text": .string(sample.text)]
    case .test(let test):
      [
        "event": "test", "loss": JSON(test.loss), "bits_per_character": JSON(test.bitsPerCharacter),
        "bits_per_byte": JSON(test.bitsPerByte), "tokens": .integer(test.tokens),
      ]
    case .skipped(let skipped):
      [
        "event": "skipped", "step": .integer(skipped.step), "reason": .string(skipped.reason.rawValue),
        "loss": JSON(skipped.loss), "gradient_norm": JSON(skipped.gradientNorm),
      ]
    case .rollback(let rollback):
      [
        "event": "rollback", "step": .integer(rollback.step), "to_step": .integer(rollback.toStep),
        "learning_rate": JSON(rollback.learningRate),
      ]
    case .end(let end):
      [
        "event": "end", "reason": .string(end.reason.rawValue), "steps": .integer(end.steps),
        "seconds": JSON(end.seconds), "best_validation_loss": JSON(end.bestValidationLoss),
      ]
    }
  }
}

/// 1 / ln 2.
public let bitsPerNat = 1.4426950408889634

/// A wish to end a run after the step at hand; may be raised from any thread, or from a signal handler.
public final class StopRequest: Sendable {
  private let raised = Atomic<Bool>(false)

  public init() {}

  public var isRaised: Bool { raised.load(ordering: .relaxed) }
  public func raise() { raised.store(true, ordering: .relaxed) }
}
