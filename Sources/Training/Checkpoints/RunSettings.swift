import Corpora
import LanguageModeling
import ModelFiles
import Optimization
import Tokenization

/// One thing that a run was told, in the words of the command: `hidden-size` `256`. A flag without a value has an empty one.
public struct RunSetting: Sendable, Equatable {
  public let name: String
  public let value: String

  /// Settings that say when a run ends.
  public static let limits: Set = ["epochs", "steps", "budget", "max-epochs"]
  /// Settings that a resumed run may have otherwise than before.
  public static let changeable = limits.union([
    "learning-rate", "threads", "checkpoint-every", "keep-checkpoints", "tensorboard", "test",
  ])
  /// What is given without a flag: a file or folder of the corpus.
  public static let corpus = "corpus"

  /// What is different in two runs, for people, where it may not be: `hidden-size was 128 and is now 256`.
  static func conflicts(_ before: [RunSetting], _ now: [RunSetting]) -> [String] {
    func values(_ settings: [RunSetting], _ name: String) -> String? {
      let values = settings.filter { $0.name == name }.map { $0.value.isEmpty ? "on" : $0.value }
      return values.isEmpty ? nil : values.joined(separator: " ")
    }
    var names: [String] = []
    for setting in before + now where !changeable.contains(setting.name) && !names.contains(setting.name) {
      names.append(setting.name)
    }
    return names.compactMap { name in
      let (old, new) = (values(before, name), values(now, name))
      return old == new ? nil : "\(name) was \(old ?? "not given") and is now \(new ?? "not given")"
    }
  }
}

extension TrainingConfiguration {
  /// Everything that decides what a run makes, as the flags of `unroll train` take it; paths are absolute.
  public var settings: [RunSetting] {
    corpusSettings + modelSettings + streamSettings + updateSettings + regularizationSettings + recordSettings
  }

  private typealias Pair = (name: String, value: String?)

  /// Settings of those that have a value.
  private func settings(_ pairs: [Pair]) -> [RunSetting] {
    pairs.compactMap { pair in pair.value.map { RunSetting(name: pair.name, value: $0) } }
  }

  /// A flag without a value.
  private func flag(_ isOn: Bool) -> String? { isOn ? "" : nil }

  private var corpusSettings: [RunSetting] {
    let isLearnt = source == nil && tokenizer.isLearnt
    let isSubword = source == nil && tokenizer.isSubword
    let isOwn = initialModel == nil
    let (kind, unit) = isOwn ? vocabularyKind : (nil, nil)
    let pairs: [Pair] = [
      ("source", source?.source.description), ("source-length", source.map { "\($0.length)" }),
      ("invalid-utf8", invalidUTF8.rawValue), ("documents", documents.argument), ("tokenizer", kind), ("unit", unit),
      ("vocabulary-size", isSubword ? "\(vocabulary.vocabularySize)" : nil),
      ("normalization", isOwn ? vocabulary.normalization.description : nil),
      ("min-frequency", isLearnt || !isOwn ? "\(vocabulary.minimumFrequency)" : nil),
      ("pre-tokenization", PreTokenization.named.first { $0.kind == vocabulary.preTokenization }?.name),
      ("character-coverage", "\(vocabulary.characterCoverage)"),
      (vocabulary.byteFallback ? "byte-fallback" : "no-byte-fallback", ""),
    ]
    let validated: Pair =
      switch validation {
      case .fraction(let fraction): ("validation-fraction", source == nil || fraction != 0.1 ? "\(fraction)" : nil)
      case .file(let path): ("validation", Files.resolved(path))
      }
    return settings(corpus.map { (RunSetting.corpus, $0 == "-" ? $0 : Files.resolved($0)) } + pairs + [validated])
      + settings(vocabulary.specialSymbols.map { ("special-symbol", $0) })
  }

  /// The vocabulary's name, and its unit where it is one of characters.
  private var vocabularyKind: (String?, String?) {
    switch tokenizer {
    case .character: ("character", "scalar")
    case .grapheme: ("character", "grapheme")
    case .byte: ("byte", nil)
    case .bytePair(let isByteLevel): (isByteLevel ? "bpe" : "bpe-character", nil)
    case .unigram: ("unigram", nil)
    case .file(let path), .extended(let path): (Files.resolved(path), nil)
    }
  }

  private var modelSettings: [RunSetting] {
    let isNormalized = cell == .layerNormLSTM
    let hasForgetBias = initialModel == nil && (isNormalized || cell == .lstm)
    return settings([
      ("init-from", initialModel?.path),
      ("cell", (isNormalized ? .lstm : cell).rawValue), ("layer-norm", flag(isNormalized)),
      ("nonlinearity", cell == .rnn ? nonlinearity.rawValue : nil),
      ("forget-bias", hasForgetBias ? "\(forgetBias)" : nil), ("layers", "\(layers)"),
      ("hidden-size", "\(hiddenSize)"),
      ("embedding-size", "\(embeddingSize)"), ("tie-weights", flag(tiesWeights)),
      ("train-initial-state", flag(trainsInitialState)),
    ])
  }

  private var streamSettings: [RunSetting] {
    let (state, drop): (String, String?) =
      switch statePolicy {
      case .carried: ("carried", nil)
      case .reset: ("reset", nil)
      case .dropped(let probability): ("carried", "\(probability)")
      }
    let length: [Pair] =
      switch limit {
      case .epochs(let epochs): [("epochs", "\(epochs)")]
      case .steps(let steps): [("steps", "\(steps)")]
      case .budget(let seconds): [("budget", "\(seconds)s"), ("max-epochs", mostEpochs.map { "\($0)" })]
      }
    return settings(
      [
        ("lanes", "\(lanes)"), ("k1", k1.map { "\($0)" } ?? "all"), ("k2", k2.map { "\($0)" }),
        ("recompute", recompute.map { "\($0)" }), ("variable-k1", flag(variesK1)),
        (hasRandomOffset ? "random-offset" : "no-random-offset", ""), ("state", state), ("state-drop", drop),
      ] + length)
  }

  private var updateSettings: [RunSetting] {
    let isCoordinated = optimizer.method.hasBetas
    let (averaging, decay, interval): (String?, String?, String?) =
      switch average {
      case nil: ("none", nil, nil)
      case .exponential(let decay): ("ema", "\(decay)", nil)
      case .triggered(let interval): ("asgd", nil, "\(interval)")
      }
    let isUsual = schedule.shape == .linear || schedule.shape == .cosine
    let warmUp = schedule.warmUp?.argument ?? (isUsual ? "0" : nil)
    let decays = schedule.shape == .step || schedule.shape == .plateau
    return settings([
      ("optimizer", optimizer.method.rawValue),
      ("learning-rate", findsLearningRate ? "auto" : "\(learningRate)"),
      ("momentum", optimizer.method.hasMomentum ? "\(optimizer.momentum)" : nil),
      ("nesterov", flag(optimizer.isNesterov)),
      ("beta1", isCoordinated ? "\(optimizer.beta1)" : nil), ("beta2", isCoordinated ? "\(optimizer.beta2)" : nil),
      ("alpha", optimizer.method == .rmsprop ? "\(optimizer.alpha)" : nil),
      ("epsilon", optimizer.epsilon.map { "\($0)" }), ("weight-decay", "\(optimizer.weightDecay)"),
      ("schedule", schedule.shape.rawValue), ("final-learning-rate", schedule.final.map { "\($0)" }),
      ("warmup", warmUp), ("decay-factor", decays ? "\(schedule.decayFactor)" : nil),
      ("decay-every", schedule.shape == .step ? schedule.decayEvery.argument : nil),
      ("plateau-patience", schedule.shape == .plateau ? "\(schedule.plateauPatience)" : nil),
      ("average", averaging), ("average-decay", decay), ("average-interval", interval),
      (calibrates ? "calibrate" : "no-calibrate", ""), ("patience", patience.map { "\($0)" }),
      ("clip", clip.map { "\($0)" }),
      ("clip-value", clipValue.map { "\($0)" }),
    ])
  }

  private var regularizationSettings: [RunSetting] {
    settings([
      ("dropout-input", "\(regularization.inputDropout)"), ("dropout-hidden", "\(regularization.hiddenDropout)"),
      ("dropout-output", "\(regularization.outputDropout)"),
      ("dropout-embedding", "\(regularization.embeddingDropout)"), ("weight-drop", "\(regularization.weightDrop)"),
      ("ar", "\(regularization.activation)"), ("tar", "\(regularization.temporalActivation)"),
    ])
  }

  private var recordSettings: [RunSetting] {
    let interval: String =
      switch checkpointEvery {
      case .steps(let steps): "\(steps)"
      case .seconds(let seconds): "\(seconds)s"
      }
    return settings([
      ("precision", precision.rawValue), ("threads", "\(threads)"), ("seed", "\(seed)"),
      ("validate-every", validateEvery.map { "\($0)" }), ("sample-every", "\(sampleEvery)"),
      ("log-every", "\(logEvery)"), ("checkpoint-every", interval), ("keep-checkpoints", "\(keptCheckpoints)"),
      ("tensorboard", tensorBoard.map(Files.resolved)), ("test", test.map { $0 == "-" ? $0 : Files.resolved($0) }),
    ])
  }
}

extension LearningRateSchedule.Extent {
  /// As a flag takes it: `500`, or `5%` where that is the same share.
  fileprivate var argument: String {
    switch self {
    case .updates(let count): "\(count)"
    case .share(let share): "\(percent(of: share))%"
    }
  }

  /// The percentage that is the share again when it is divided by 100.
  private func percent(of share: Double) -> Double {
    let product = share * 100
    return [product, product.nextDown, product.nextUp].first { $0 / 100 == share } ?? product
  }
}

extension DocumentCut {
  /// What ``init(argument:)`` reads.
  fileprivate var argument: String {
    guard case .separator(let text) = self else { return name }
    let escapes: [Unicode.Scalar: String] = ["\n": "\\n", "\r": "\\r", "\t": "\\t", "\u{C}": "\\f", "\\": "\\\\"]
    return text.unicodeScalars.map { escapes[$0] ?? String($0) }.joined()
  }
}
