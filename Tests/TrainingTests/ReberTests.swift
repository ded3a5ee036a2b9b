import Corpora
import LanguageModeling
import Recurrence
import TestSupport
import Testing
import Tokenization
import Training

/// The classic tasks of the LSTM: seconds for each seed, so they are long tests.
@Suite(.enabled(if: runsLongTests), .serialized) struct ReberTests {
  /// How a model does on a stream: at which places a legal successor is not likelier than every other symbol.
  struct Judgement {
    var places = 0
    var wrong = 0
    var outerPlaces = 0
    var outerWrong = 0
  }

  /// Reads one stream, never reset.
  ///
  /// - Parameter leadIn: Symbols that are read before any is judged. Lanes are cut anywhere and begin an epoch in the zero
  ///   state, so a trained model has hardly ever seen the beginning of a string in it.
  private func judge(
    _ stream: String, leadIn: Int, _ source: some SymbolSource<ReberProcess>, _ model: any LanguageModel,
    _ tokenizer: any Tokenizer
  ) throws -> Judgement {
    let ids = try tokenizer.encode(stream, unknown: .fail).ids
    let reader = model.makeReader(lanes: 1, steps: 1)
    let places = try source.vocabulary.map { try Int(#require(tokenizer.id(of: String($0)))) }
    var process = source.makeProcess()
    var judgement = Judgement()
    for (place, id) in ids.enumerated() {
      process.read(try #require(places.firstIndex(of: Int(id))))
      let logits = reader.logits(after: [id])
      guard place >= leadIn else { continue }
      let legal = places.indices.filter { process.probability(of: $0) > 0 }.map { logits[places[$0]] }
      let other = places.indices.filter { process.probability(of: $0) == 0 }.map { logits[places[$0]] }
      let isWrong = (legal.min() ?? 0) <= (other.max() ?? 0)
      judgement.places += 1
      judgement.wrong += isWrong ? 1 : 0
      guard process.recallsOuter else { continue }
      judgement.outerPlaces += 1
      judgement.outerWrong += isWrong ? 1 : 0
    }
    return judgement
  }

  private func train(
    _ source: some SymbolSource<ReberProcess>, _ cell: RecurrentCell = .lstm, seed: UInt64, in folder: String
  ) throws -> (loaded: ModelFolder.Loaded, end: TrainingEvent.End) {
    var configuration = TrainingConfiguration(source: source, length: 1_000_000, output: "\(folder)/model")
    configuration.cell = cell
    (configuration.embeddingSize, configuration.hiddenSize, configuration.layers) = (8, 32, 1)
    (configuration.lanes, configuration.k1) = (16, 50)
    configuration.learningRate = 0.003
    configuration.limit = .epochs(10)
    configuration.seed = seed
    let end = try Trainer.train(configuration, stop: StopRequest()) { _ in }
    return (try ModelFolder("\(folder)/model").load(precision: .float32), end)
  }

  /// Strings that the training text lacks, judged at every place; the state is carried from line to line.
  @Test(arguments: [RecurrentCell.lstm, .gru], 1...5 as ClosedRange<UInt64>)
  func embeddedReber(_ cell: RecurrentCell, _ seed: UInt64) throws {
    try withTemporaryFolder { folder in
      let source = EmbeddedReber()
      let (loaded, end) = try train(source, cell, seed: seed, in: folder)
      let seen = Set(source.text(length: 1_000_000, seed: seed).split(separator: "\n"))
      let unseen = source.text(length: 1_000_000, seed: seed + 1000).split(separator: "\n").dropLast()
        .filter { !seen.contains($0) }
      let leadIn = "BTBTXSETE\nBPBPVVEPE\n"
      let stream = leadIn + unseen.map { $0 + "\n" }.joined()
      let judgement = try judge(stream, leadIn: leadIn.count - 1, source, loaded.model, loaded.tokenizer)
      #expect(unseen.count > 1000 && judgement.outerPlaces == unseen.count)
      #expect(judgement.wrong == 0 && judgement.outerWrong == 0, "\(judgement)")
      #expect((end.bestValidationLoss ?? 1) < source.optimalLoss * 1.02)
    }
  }

  /// A stream of 100,000 symbols without a reset.
  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func continualReber(_ seed: UInt64) throws {
    try withTemporaryFolder { folder in
      let source = ContinualReber()
      let (loaded, end) = try train(source, seed: seed, in: folder)
      let judgement = try judge(
        source.text(length: 100_100, seed: seed + 1000), leadIn: 100, source, loaded.model, loaded.tokenizer)
      #expect(judgement.places == 100_000 && judgement.outerPlaces > 8000)
      #expect(judgement.wrong == 0 && judgement.outerWrong == 0, "\(judgement)")
      #expect((end.bestValidationLoss ?? 1) < source.optimalLoss * 1.02)
    }
  }
}
