import ModelFiles

/// What a run's log, `training/metrics.jsonl`, says of it.
public struct RunHistory: Sendable {
  /// The first line: sizes, corpus, seed.
  public private(set) var start: JSON = .null
  public private(set) var steps: [Step] = []
  public private(set) var validations: [Validation] = []
  public private(set) var epochs: [TrainingEvent.Epoch] = []
  public private(set) var samples: [TrainingEvent.Sample] = []
  /// Updates that were left out.
  public private(set) var skipped = 0
  /// Nats per token on the test text, where there was one.
  public private(set) var testLoss: Double?
  /// The last line of a run that has ended.
  public private(set) var end: End?

  /// The steps since the line before.
  public struct Step: Sendable {
    public let step: Int
    /// Nats per token.
    public let loss: Double
    public let gradientNorm, learningRate, tokensPerSecond: Double
  }

  /// A look at the validation part.
  public struct Validation: Sendable {
    public let step: Int
    /// Nats per token, and bits per character.
    public let loss, bitsPerCharacter: Double
    /// What logits were divided by; nil where nothing was fitted.
    public let temperature: Double?
  }

  /// How it ended.
  public struct End: Sendable {
    public let reason: String
    public let steps: Int
    public let seconds: Double
  }

  /// The validation with the lowest loss.
  public var best: Validation? { validations.min { $0.loss < $1.loss } }

  /// The log of a model folder; nil where it has none.
  ///
  /// - Throws: ``FileError`` for a line that is not an event. A last line without a line feed is what a kill left, and is
  ///   passed over.
  public init?(ofModel folder: String) throws {
    let path = Paths.join(folder, OutputFolder.metricsName)
    guard Files.kind(path) == .file else { return nil }
    try self.init(parsing: Files.read(path, limit: 1 << 30, allowsPipes: false), name: path)
  }

  /// Checks the beginning of a model folder's log, which a run is to go on from.
  ///
  /// - Parameter length: In bytes.
  /// - Throws: ``FileError`` where it does not end with a line, or has one that is not an event.
  static func check(ofModel folder: String, length: Int) throws {
    let path = Paths.join(folder, OutputFolder.metricsName)
    let bytes = try Files.read(path, limit: 1 << 30, allowsPipes: false).prefix(length)
    guard bytes.last == UInt8(ascii: "\n") else {
      throw FileError(.invalid, path, "has no line that ends at byte \(length), where the run is to go on")
    }
    _ = try RunHistory(parsing: Array(bytes), name: path)
  }

  /// - Parameter name: The file's, for errors.
  package init(parsing bytes: [UInt8], name: String) throws {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.dropLast().enumerated() {
      do { try add(JSON(parsing: Array(line))) } catch {
        throw FileError(.invalid, name, "line \(index + 1) is not an event of a run: \(error)")
      }
    }
  }

  private mutating func add(_ event: JSON) throws {
    let fields = JSONFields(event)
    switch try fields.string("event") {
    case "start": start = event
    case "step":
      steps.append(
        try Step(
          step: fields.count("step"), loss: fields.number("loss"), gradientNorm: fields.number("gradient_norm"),
          learningRate: fields.number("learning_rate"), tokensPerSecond: fields.number("tokens_per_second")))
    case "validation":
      validations.append(
        try Validation(
          step: fields.count("step"), loss: fields.number("loss"),
          bitsPerCharacter: fields.number("bits_per_character"),
          temperature: fields.has("temperature") ? fields.number("temperature") : nil))
    case "epoch":
      epochs.append(
        try TrainingEvent.Epoch(
          epoch: fields.count("epoch"), step: fields.has("step") ? fields.count("step") : 0,
          loss: fields.number("loss"), seconds: fields.number("seconds")))
    case "sample": samples.append(try TrainingEvent.Sample(step: fields.count("step"), text: fields.string("text")))
    case "skipped": skipped += 1
    case "test": testLoss = try fields.number("loss")
    case "end":
      end = try End(reason: fields.string("reason"), steps: fields.count("steps"), seconds: fields.number("seconds"))
    default: break  // of a later version
    }
  }
}
