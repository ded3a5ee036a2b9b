import Compute
import Evaluation
import LanguageModeling
import Recurrence
import TestSupport
import Testing
import Tokenization

/// Documents are scored as if each were read alone, whole.
@Suite struct DocumentScoringTests {
  static let tokenizer = ByteTokenizer(normalization: .nfc, specialSymbols: ["<s>", "</s>"])
  static let symbols = DocumentSymbols(start: 256, end: 257, cut: .line)

  private func model<Layer: RecurrentLayer>(
    _: Layer.Type, _ documents: DocumentSymbols? = symbols
  ) throws -> any LanguageModel {
    let network = Network<Layer>(
      try ModelConfiguration(vocabularySize: 258, embeddingSize: 5, hiddenSize: 9, layers: 2, documents: documents))
    return RecurrentLanguageModel(network: network, parameters: network.initialParameters(seed: 1))
  }

  private static let texts = (0..<90).map { String(repeating: "ab\($0)", count: 1 + $0 * 7 % 13) }

  @Test func sumOfDocumentsAlone() throws {
    for model in [try model(LSTM<DoubleKernels>.self), try model(LSTM<Float32Kernels>.self)] {
      let scorer = Scorer(model)
      let stream = try Self.symbols.encode(Self.texts, by: Self.tokenizer, unknown: .fail).ids
      let together = scorer.score(documents: stream, Self.symbols)
      var alone = Score()
      for range in Self.symbols.ranges(of: stream) { alone = alone + scorer.score(Array(stream[range])) }
      #expect(together.all.tokens == stream.count - Self.texts.count && alone.tokens == together.all.tokens)
      #expect(abs(together.all.nats - alone.nats) < 1e-9 && abs(together.all.squaredNats - alone.squaredNats) < 1e-8)
      #expect(together.ends.tokens == Self.texts.count && together.ends.nats > 0)
      // Read as one stream the lane begins anew by itself; `<s>` is not scored.
      #expect(abs(scorer.score(stream).nats - alone.nats) < 1e-9 && scorer.score(stream).tokens == alone.tokens)
      #expect(scorer.scoreInLanes(stream, lanes: 4, warmUp: 100).tokens == alone.tokens)
      #expect(scorer.scoreQuickly(TokenStream(stream), lanes: 8, warmUp: 100) == together.all)
      let threads = Scorer(model, threads: 2).score(documents: stream, Self.symbols)
      #expect(threads == together)
    }
  }

  @Test func lanesAreEven() {
    let documents = [0..<5, 5..<45, 45..<50, 50..<60, 60..<80, 80..<81]
    let plan = DocumentLanes(documents, atMost: 64)
    #expect(plan.lanes.count == 3)
    #expect(plan.lanes.joined().sorted { $0.lowerBound < $1.lowerBound } == documents)
    #expect(plan.lanes[0] == [5..<45])
    #expect(DocumentLanes(documents, atMost: 2).lanes.count == 2 && DocumentLanes([], atMost: 2).lanes.isEmpty)
  }

  @Test func reports() throws {
    let model = try model(LSTM<DoubleKernels>.self)
    func report(_ texts: [String], _ cut: DocumentCut? = nil) throws -> PerplexityReport {
      try PerplexityReport(of: texts, by: model, Self.tokenizer, unknownPolicy: .skip, documents: cut)
    }
    let lines = try report(["one two\n\nthré\n", "4\n"])
    #expect(lines.documents?.count == 3 && lines.documents?.empty == 1)
    #expect(lines.tokens == 7 + 5 + 1 + 6 && lines.score.tokens == 7 + 5 + 1 + 3)
    #expect(lines.characters == 7 + 4 + 1 && lines.bytes == 13 && lines.words == 4)
    #expect(lines.json["documents"]?.integer == 3 && lines.json["empty_documents"]?.integer == 1)
    #expect(lines.json["nats_per_document_end"]?.double == lines.documents?.ends.mean)
    #expect(lines.text.contains("documents") && lines.text.contains("1 empty left out"))

    let files = try report(["one two\n\nthré\n", "4\n"], .file)
    #expect(files.documents?.count == 2 && files.score.tokens == 15 + 2 + 2 && files.characters == 16)
    let stream = try report(["one two\n\nthré\n", "4\n"], .stream)
    #expect(stream.documents == nil && stream.score.tokens == 14 + 1 && stream.json["documents"] == nil)
    #expect(throws: TooLittleText.self) { try report(["\n\n"]) }
    let literal = try report(["a<s>b\n"])
    #expect(literal.score.tokens == 3 && literal.characters == 2 && literal.bytes == 2)
  }

  /// Read one by one for their details, documents cost what they cost side by side, to the bit.
  @Test func detailsChangeNothing() throws {
    let texts = ["one two\n\nthré\n", "4\nfive\n"]
    for model in [try model(LSTM<DoubleKernels>.self), try model(LSTM<Float32Kernels>.self)] {
      var reading = TextReading(model, Self.tokenizer)
      var places: [[Int]] = []
      let plain = try PerplexityReport(of: texts, by: reading) { text, token in
        places.append([text, token.bytes.lowerBound, token.position, token.isDocumentEnd ? 1 : 0])
      }
      reading.detail = .init(alternatives: 1)
      let detailed = try PerplexityReport(of: texts, by: reading)
      #expect(detailed.score == plain.score && detailed.documents == plain.documents)
      #expect(places[8] == [0, 7, 8, 1] && places[9] == [0, 9, 0, 0] && places[10] == [0, 9, 1, 0])
      #expect(places[16] == [1, 0, 0, 0] && places[18] == [1, 1, 2, 1] && places[24] == [1, 6, 5, 1])
      #expect(plain.texts.map(\.score.tokens) == [14, 7] && plain.texts.map(\.characters) == [11, 5])
    }
  }

  @Test func documentsWantTheirSymbol() throws {
    let model = try model(LSTM<DoubleKernels>.self, nil)
    func report(_ cut: DocumentCut?) throws -> PerplexityReport {
      try PerplexityReport(of: ["ab\nc"], by: model, Self.tokenizer, unknownPolicy: .skip, documents: cut)
    }
    #expect(throws: ConfigurationError.self) { try report(.line) }
    #expect(try report(.stream).natsPerToken == report(nil).natsPerToken)
  }
}
