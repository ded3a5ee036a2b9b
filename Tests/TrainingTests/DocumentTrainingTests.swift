import Compute
import Corpora
import LanguageModeling
import ModelFiles
import Recurrence
import Sampling
import TestSupport
import Testing
import Tokenization
import Training

@Suite struct DocumentTrainingTests {
  /// The edge nearest to the wanted place, with a document on both sides.
  @Test(arguments: [
    (["aaaa", "bbbb", "cc"], 0.2, 2), (["aaaa", "bbbb", "cc"], 0.5, 1), (["aaaa", "bbbb", "cc"], 0.45, 1),
    (["aaaa", "bbbb", "cc"], 0.35, 2), (["aaaa", "bbbb", "cc"], 0.01, 2), (["aaaa", "bbbb", "cc"], 0.99, 1),
    (["aaaa", "bbbb", "cc"], 0, 3), (["é", "aaaaaaaaa"], 0.1, 1), (["a"], 0, 1),
  ])
  func edges(_ documents: [String], _ fraction: Double, _ edge: Int) throws {
    #expect(try DocumentParts.edge(documents, lastFraction: fraction) == edge)
  }

  private func data(
    _ files: [String], _ cut: DocumentCut, _ change: (inout TrainingConfiguration) -> Void = { _ in }
  ) throws -> TrainingData {
    try withTemporaryFolder { folder in
      let paths = files.indices.map { "\(folder)/\($0).txt" }
      for (path, text) in zip(paths, files) { try Files.writeDurably(Array(text.utf8), to: path) }
      var configuration = TrainingConfiguration(corpus: paths, output: "\(folder)/model")
      configuration.documents = cut
      configuration.lanes = 1
      configuration.k1 = 2
      change(&configuration)
      return try TrainingData(configuration)
    }
  }

  @Test func linesOfFiles() throws {
    let data = try data(["ab\n\nba\n", "aab"], .line)
    let symbols = try #require(data.documents)
    #expect(symbols == DocumentSymbols(start: 0, end: 1, cut: .line) && data.startToken == 0)
    #expect(data.tokenizer.vocabularySize == 4)
    #expect(Array(data.training.tokens) == [0, 2, 3, 1, 0, 3, 2, 1])
    #expect(Array(data.validation) == [0, 2, 2, 3, 1])
    #expect(data.predictedTargets == 6 && data.validationTokens == 4)
    #expect(data.validationTokensPerCharacter == 4.0 / 3)
    let counts = try #require(data.documentCounts)
    #expect(counts.training == 2 && counts.validation == 1 && counts.empty == 1 && counts.literalSymbols == 0)
  }

  @Test func filesAndSeparators() throws {
    #expect(try data(["ab\nab", "ba"], .file).documentCounts?.training == 1)
    let separated = try data(["ab%%a<s>b%%b", "ba"], .separator("%%"))
    #expect(separated.documentCounts?.training == 3 && separated.documentCounts?.validation == 1)
    #expect(separated.documentCounts?.literalSymbols == 1)
    // Nothing reaches across two files.
    #expect(try data(["ab%", "%ba%%a"], .separator("%%")).documentCounts?.training == 2)
  }

  /// One stream has no symbols, and what was there before.
  @Test func aStream() throws {
    let data = try data(["abab\nbaab\n"], .stream) { $0.validation = .fraction(0.3) }
    #expect(data.documents == nil && data.documentCounts == nil && data.tokenizer.vocabularySize == 3)
  }

  @Test(arguments: [
    (["abc"], DocumentCut.separator("%"), "never occurs"), (["abc"], .file, "single document"),
    (["\n\n"], .line, "no document"),
  ])
  func refuses(_ files: [String], _ cut: DocumentCut, _ expected: String) {
    let error = #expect(throws: TrainingError.self) { try data(files, cut) }
    #expect(error?.description.contains(expected) == true, "\(error?.description ?? "nothing")")
  }

  @Test func aTokenizerWithoutTheSymbols() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/tokenizer.json"
      func write(_ symbols: [String]) throws {
        let tokenizer = ByteTokenizer(normalization: .none, specialSymbols: symbols)
        try Files.writeDurably(Array(tokenizer.tokenizerJSON().utf8), to: path)
      }
      try write([])
      #expect(throws: TrainingError.self) { try data(["ab\nb"], .line) { $0.tokenizer = .file(path) } }
      try write(["</s>", "<s>"])
      #expect(try data(["ab\nb"], .line) { $0.tokenizer = .file(path) }.documents?.start == 257)
    }
  }

  /// A model of names learns to end them: what it writes is about as long as they are, and an end costs little.
  @Test func namesComeToAnEnd() throws {
    try withTemporaryFolder { folder in
      var configuration = TrainingConfiguration(
        corpus: ["\(packagePath)/corpora/village-names.txt"], output: "\(folder)/names")
      configuration.documents = .line
      configuration.hiddenSize = 64
      configuration.embeddingSize = 32
      configuration.layers = 1
      configuration.lanes = 8
      configuration.k1 = 24
      configuration.limit = .steps(600)
      let end = try Trainer.train(configuration, stop: StopRequest()) { _ in }
      #expect(try #require(end.bestValidationLoss) < 1.2)
      let model = try ModelFolder("\(folder)/names").load(precision: .float32)
      let names = try CorpusText(reading: configuration.corpus).documents(.line).documents
      let mean = Double(names.reduce(0) { $0 + $1.count }) / Double(names.count)
      var settings = GenerationSettings()
      settings.length = 200
      settings.sampling.temperature = 1
      let generator = Generator(
        model: model.model, tokenizer: model.tokenizer, start: model.startToken, settings: settings, seed: 1)
      let written = try generator.texts(after: [], samples: 0..<40)
      #expect(written.allSatisfy { $0.finishReason == .eos })
      #expect(!written.contains { $0.text.contains("<s>") || $0.text.contains("</s>") || $0.text.contains("\n") })
      let lengths = written.map(\.text.count)
      #expect(lengths.allSatisfy { (1..<60).contains($0) }, "\(lengths)")
      #expect(abs(Double(lengths.reduce(0, +)) / 40 - mean) < 4, "\(lengths), mean \(mean)")
    }
  }
}
