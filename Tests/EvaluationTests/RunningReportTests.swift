import Compute
import Evaluation
import Foundation
import LanguageModeling
import Recurrence
import Synchronization
import TestSupport
import Testing
import Tokenization

/// Texts that come in pieces are scored as whole ones are, and memory does not grow with them.
@Suite struct RunningReportTests {
  private func reading<Layer: RecurrentLayer>(
    _: Layer.Type, _ tokenizer: any Tokenizer, _ cut: DocumentCut? = nil
  ) throws -> TextReading {
    let symbols = cut.flatMap { DocumentSymbols(of: tokenizer, cut: $0) }
    let network = Network<Layer>(
      try ModelConfiguration(
        vocabularySize: tokenizer.vocabularySize, embeddingSize: 3, hiddenSize: 5, layers: 1, documents: symbols))
    return TextReading(
      RecurrentLanguageModel(network: network, parameters: network.initialParameters(seed: 3)), tokenizer)
  }

  private static let special = ["<s>", "</s>"]
  private static let characters = CharacterTokenizer(
    scalars: Set("Thefoxsnaïvétlinrubüla01234 ;'\n\r".unicodeScalars).sorted(), hasUnknown: false, normalization: .nfkc,
    specialSymbols: special)
  private static let bytes = ByteTokenizer(normalization: .nfc, specialSymbols: special)

  private static let texts = [
    " \n The fox's naïve e\u{301}t日本 <s>\r\n\r\n\r\nover\r it  all\n\n", "x", "Ж", "\n\n", "a\n\n\nb</s> \r",
    (0..<40).map { "line \($0) of a u\u{308}ber text; \u{FB01}n\n" }.joined(),
  ]

  private final class Rows {
    var rows: [String: [String]] = [:]
  }

  /// The report, and the rows of every unit.
  private func shown(_ texts: [String], _ reading: TextReading, scalars: Int) throws -> (json: String, rows: Rows) {
    let sink = Rows()
    let collectors = TextUnit.allCases.map { unit in
      UnitCollector(unit, reading.tokenizer) {
        sink.rows[unit.rawValue, default: []].append($0.csv(file: "\($0.file)"))
      }
    }
    let report = try RunningReport(by: reading, followers: collectors)
    for text in texts {
      try report.begin()
      for part in Array(text.unicodeScalars).pieces(of: scalars) {
        try report.append(Array(part.map { String($0) }.joined().utf8)[...])
      }
      try report.endText()
    }
    return (try report.finish().json.text(), sink)
  }

  @Test(arguments: [nil, .line, .file, .separator(" o"), .separator("\n\n")] as [DocumentCut?])
  func piecesChangeNothing(_ cut: DocumentCut?) throws {
    for tokenizer in [Self.characters, Self.bytes] as [any Tokenizer] {
      var reading = try reading(LSTM<DoubleKernels>.self, tokenizer, cut)
      let whole = try shown(Self.texts, reading, scalars: 1 << 20)
      #expect(whole.rows.rows.count == TextUnit.allCases.count)
      for (scalars, batch, window, kept) in [(1, 1, 3, 1), (7, 30, 512, 40), (64, 100, 8, 300)] {
        (reading.sizes.batch, reading.sizes.window, reading.sizes.documentTokens) = (batch, window, kept)
        let pieces = try shown(Self.texts, reading, scalars: scalars)
        #expect(pieces.json == whole.json && pieces.rows.rows == whole.rows.rows, "\(tokenizer.unitName) \(scalars)")
      }
      reading.detail = .init()
      let detailed = try shown(Self.texts, reading, scalars: 5)
      #expect(detailed.json == whole.json)
    }
  }

  /// In float32: any window and number of documents at once within 1e-5 nats per token, any threads to the bit.
  @Test(arguments: [nil, .line] as [DocumentCut?])
  func windowsAndThreads(_ cut: DocumentCut?) throws {
    var reading = try reading(LSTM<Float32Kernels>.self, Self.bytes, cut)
    let report = try PerplexityReport(of: Self.texts, by: reading)
    for threads in [2, 3] {
      reading.threads = threads
      #expect(try PerplexityReport(of: Self.texts, by: reading).score == report.score)
    }
    for (window, kept) in [(1, 1), (7, 60), (64, 1000)] {
      (reading.sizes.window, reading.sizes.documentTokens) = (window, kept)
      let other = try PerplexityReport(of: Self.texts, by: reading)
      #expect(abs(other.natsPerToken - report.natsPerToken) < 1e-5 && other.score.tokens == report.score.tokens)
    }
  }

  /// What is kept of a text three times as long is what is kept of it once. (Normalizing takes some thousand scalars at once.)
  @Test(arguments: [nil, .line, .file, .separator("\0")] as [DocumentCut?], ["a fox\n", "fox ", "日本語"])
  func keepsNoMoreOfMore(_ cut: DocumentCut?, _ part: String) throws {
    for tokenizer in [Self.characters, Self.bytes] as [any Tokenizer] {
      var reading = try reading(LSTM<Float32Kernels>.self, tokenizer, cut)
      (reading.sizes.batch, reading.sizes.window, reading.sizes.documentTokens) = (100, 16, 200)
      let tops = [3000, 9000].map { count in
        let running = try? RunningReport(
          by: reading, followers: [UnitCollector(.word, tokenizer) { _ in }, HeatMap(names: ["a"], tokenizer)])
        try? running?.begin()
        try? running?.append(Array("fox ".utf8)[...])
        for _ in 0..<count { try? running?.append(Array(part.utf8)[...]) }
        try? running?.endText()
        return running?.most
      }
      let (few, many) = (try #require(tops[0]), try #require(tops[1]))
      #expect(many.bytes <= few.bytes + part.utf8.count && many.tokens <= few.tokens + 20, "\(few) \(many)")
      #expect(few.bytes < 20_000 && few.tokens < 20_000)
    }
  }

  @Test func comparisonsKeepNoMoreOfMore() throws {
    var readings = [
      try reading(LSTM<Float32Kernels>.self, Self.characters),
      try reading(LSTM<Float32Kernels>.self, Self.bytes, .line),
    ]
    for index in readings.indices {
      (readings[index].sizes.batch, readings[index].sizes.window, readings[index].sizes.documentTokens) = (50, 8, 100)
    }
    let most = try [100, 1000].map { count in
      let running = try RunningComparison(readings.map { .model("a", $0) } + [.uniform(in: readings[0])])
      try running.begin()
      for _ in 0..<count { try running.append(Array("a naïve fox\n".utf8)[...]) }
      try running.endText()
      #expect(try running.finish().characters > 10 * count)
      return running.most
    }
    #expect(most[0] == most[1] && most[0] < 500, "\(most)")
  }

  /// What a progress bar hears never goes back and ends near the end, over several texts, side by side or not.
  @Test(arguments: [nil, .line] as [DocumentCut?])
  func tellsOfProgress(_ cut: DocumentCut?) throws {
    var reading = try reading(LSTM<Float32Kernels>.self, Self.bytes, cut)
    (reading.sizes.batch, reading.sizes.window, reading.sizes.documentTokens) = (20, 8, 40)
    let told = Mutex<[(bytes: Int, tokens: Int)]>([])
    reading.progress = { bytes, tokens in told.withLock { $0.append((bytes, tokens)) } }
    let report = try PerplexityReport(of: (0..<3).map { _ in String(repeating: "a fox\n", count: 50) }, by: reading)
    let (bytes, tokens) = told.withLock { ($0.map(\.bytes), $0.map(\.tokens)) }
    #expect(bytes == bytes.sorted() && tokens == tokens.sorted())
    let (last, all) = (try #require(bytes.last), report.score.tokens + (cut == nil ? 3 : 150))
    let lastTokens = try #require(tokens.last)
    #expect((800...900).contains(last) && (all - 60...all).contains(lastTokens), "\(last) \(tokens)")
  }

  /// All unknown symbols of a text are named, though it is not scored further than the first.
  @Test(arguments: [nil, .file] as [DocumentCut?])
  func refusesUnknownSymbols(_ cut: DocumentCut?) throws {
    var reading = try reading(LSTM<Float32Kernels>.self, Self.characters, cut)
    reading.unknownPolicy = .fail
    (reading.sizes.batch, reading.sizes.window, reading.sizes.documentTokens) = (10, 4, 10)
    let running = try RunningReport(by: reading, followers: [UnitCollector(.word, Self.characters) { _ in }])
    try running.begin()
    for part in Array((String(repeating: "fox ", count: 20) + "Ж fox 日本 Ж fox").utf8).pieces(of: 1000) {
      try running.append(part)
    }
    for _ in 0..<100 { try running.append(Array("fox ".utf8)[...]) }
    let error = #expect(throws: UnknownSymbolsError.self) { try running.endText() }
    #expect(error?.unknown.map(\.count) == [2, 1, 1] && error?.unknown.first?.firstPosition == 80)
  }
}
