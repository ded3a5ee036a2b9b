import LanguageModeling

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What several predictors make of the same texts, and how sure their differences are.
///
/// Predictors may have different symbols, so their surprisals are compared by character of the original text: that of a
/// token is shared evenly among its characters. Only characters that all of them scored are compared.
public struct Comparison: Sendable {
  /// One predictor.
  public struct Entry: Sendable {
    public let name: String
    /// What it made of all that it scored, each in its own tokens.
    public let score: Score
    /// Over the characters that all scored.
    public let bitsPerCharacter, bitsPerByte: Double
    /// Bits per character more than the first predictor, with a 95 % interval of the paired differences; nil for the
    /// first.
    public let difference: (mean: Double, interval: ClosedRange<Double>)?
  }

  /// In the order in which they were added.
  public let entries: [Entry]
  /// Characters that all scored.
  public let characters: Int

  /// What predicts texts.
  public struct Predictor: Sendable {
    let name: String
    let reading: TextReading
    private let kind: Kind

    private enum Kind: Sendable {
      case model
      case counts(NGramModel)
      case uniform
    }

    /// A model.
    public static func model(_ name: String, _ reading: TextReading) -> Predictor {
      Predictor(name: name, reading: reading, kind: .model)
    }

    /// N-grams, in the symbols of a model; what is scored is what the model scores.
    public static func counts(_ name: String, _ counts: NGramModel, in reading: TextReading) -> Predictor {
      Predictor(name: name, reading: reading, kind: .counts(counts))
    }

    /// What knowing the vocabulary of a model alone would cost.
    public static func uniform(in reading: TextReading) -> Predictor {
      Predictor(name: "uniform", reading: reading, kind: .uniform)
    }

    /// Nil where it is the model of the reading.
    func predictor() -> (any TokenPredictor)? {
      let start = reading.scorer.unpredicted
      switch kind {
      case .model: return nil
      case .counts(let model): return HistoryPredictor(model, start: start)
      case .uniform:
        let probability = 1 / Double(reading.tokenizer.vocabularySize)
        return HistoryPredictor(length: 0, start: start) { _, _, _ in probability }
      }
    }
  }

  /// Compares predictors on texts.
  ///
  /// - Throws: as ``RunningComparison``.
  public init(of texts: [String], by predictors: [Predictor]) throws {
    let comparison = try RunningComparison(predictors)
    for text in texts {
      try comparison.begin()
      try comparison.append(Array(text.utf8)[...])
      try comparison.endText()
    }
    self = try comparison.finish()
  }

  fileprivate init(_ entries: [Entry], characters: Int) { (self.entries, self.characters) = (entries, characters) }
}

/// A comparison on texts that come in pieces: all predictors read them side by side, so that memory does not grow with the
/// texts.
public final class RunningComparison {
  private let predictors: [Comparison.Predictor]
  private let columns: [CharacterLosses]
  /// Nats over the characters that all scored, by predictor.
  private var nats: [Double]
  /// What each predictor needs more than the first, in bits by character.
  private var differences: [CondensedSeries]
  private var characters = 0
  private var bytes = 0
  /// The most characters that waited for a slower predictor.
  package private(set) var most = 0

  /// - Throws: ``ConfigurationError`` for documents where a model knows none.
  public init(_ predictors: [Comparison.Predictor]) throws {
    precondition(!predictors.isEmpty, "nothing to compare")
    self.predictors = predictors
    columns = try predictors.map { try CharacterLosses($0) }
    nats = predictors.map { _ in 0 }
    differences = predictors.map { _ in CondensedSeries(capacity: 1 << 14) }
  }

  /// The next text begins.
  public func begin() throws { for column in columns { try column.reading.begin() } }

  /// Takes the next bytes of the text, whole scalars of UTF-8.
  ///
  /// - Throws: as ``RunningReport/append(_:)``.
  public func append(_ bytes: ArraySlice<UInt8>) throws {
    for column in columns { try column.reading.append(bytes) }
    compare()
  }

  /// Ends the text.
  ///
  /// - Throws: ``UnknownSymbolsError`` as a reading's policy says, and as ``append(_:)``.
  public func endText() throws {
    for column in columns { try column.reading.endText() }
    compare()
  }

  /// - Throws: ``TooLittleText`` where one of the predictors scored nothing, or all together fewer than two characters;
  ///   ``PredictionsNotFinite``.
  public func finish() throws -> Comparison {
    for column in columns { try column.reading.finish() }
    compare()
    for column in columns {
      guard column.score.tokens > 0 else {
        throw TooLittleText(tokens: column.reading.tokens, hasNoDocuments: column.reading.hasDocuments)
      }
      guard column.score.nats.isFinite else { throw PredictionsNotFinite() }
    }
    guard characters >= 2 else { throw TooLittleText(tokens: characters) }
    let bits = nats.map { $0 / log(2) }
    let entries = predictors.indices.map { index in
      Comparison.Entry(
        name: predictors[index].name, score: columns[index].score, bitsPerCharacter: bits[index] / Double(characters),
        bitsPerByte: bits[index] / Double(bytes),
        difference: index == 0
          ? nil
          : (
            (bits[index] - bits[0]) / Double(characters), BlockBootstrap(meanOf: differences[index].values).interval
          ))
    }
    return Comparison(entries, characters: characters)
  }

  /// Adds the characters that all predictors are through with.
  private func compare() {
    let counts = columns.map(\.queue.losses.count)
    most = max(most, counts.max() ?? 0)
    let count = counts.min() ?? 0
    for place in 0..<count where columns.allSatisfy({ $0.queue.losses[place].isFinite }) {
      let first = columns[0].queue.losses[place]
      for (index, column) in columns.enumerated() {
        nats[index] += column.queue.losses[place]
        differences[index].add((column.queue.losses[place] - first) / log(2))
      }
      characters += 1
      bytes += Int(columns[0].queue.widths[place])
    }
    for column in columns { column.queue.removeFirst(count) }
  }
}
