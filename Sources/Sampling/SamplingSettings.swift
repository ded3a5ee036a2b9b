/// How symbols are chosen. What is not set costs nothing.
public struct SamplingSettings: Sendable {
  /// A text and what is added to the logit of the symbol that ends it; see ``LogitBias``.
  public struct Bias: Sendable, Equatable {
    public var text: String
    public var value: Double

    public init(_ text: String, _ value: Double) {
      self.text = text
      self.value = value
    }
  }

  /// Above 1 flatter, below 1 sharper, 0 always the likeliest symbol.
  public var temperature = 0.8
  public var biases: [Bias] = []
  /// See ``RepetitionPenalty``; 1 is off.
  public var repetitionPenalty = 1.0
  /// See ``OccurrencePenalty``; 0 is off.
  public var presencePenalty = 0.0
  public var frequencyPenalty = 0.0
  /// How many of the last symbols the three penalties look at; nil is all of the text.
  public var penaltyWindow: Int?
  /// See ``RepeatedSequencePenalty``.
  public var repeatedSequences = RepeatedSequenceSettings()
  /// Texts that are not written.
  public var banned: [String] = []
  public var topNSigma: Double?
  public var topK: Int?
  public var topP: Double?
  public var minP: Double?
  public var typicalP: Double?
  /// See ``Mirostat``, which wants no other truncation beside it.
  public var mirostatTarget: Double?
  public var mirostatRate = 0.1

  /// Temperature 0.8 and nothing else.
  public init() {}

  /// Temperature and nothing else.
  public init(temperature: Double) { self.temperature = temperature }

  /// Whether anything but temperature and what depends on the text so far chooses.
  public var truncates: Bool {
    topNSigma != nil || topK != nil || topP != nil || minP != nil || typicalP != nil || mirostatTarget != nil
  }

  /// Checks what can be checked without a vocabulary.
  ///
  /// - Throws: ``InvalidSampling`` that names the setting.
  public func validate() throws {
    _ = try ProcessorChain(self, bytes: [], biases: biases.map { .init(tokens: [0], bias: $0.value) })
    try require(!biases.contains { $0.text.isEmpty }, "logit-bias has an empty text; it must be TEXT=NUMBER")
  }
}
