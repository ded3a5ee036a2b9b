import Compute
import Evaluation
import Foundation
import LanguageModeling
import Recurrence
import Testing
import Tokenization

@Suite struct HeatMapTests {
  private func page(_ texts: [String]) throws -> String {
    let tokenizer = ByteTokenizer(normalization: .none)
    let network = Network<LSTM<Float32Kernels>>(
      try ModelConfiguration(vocabularySize: 256, embeddingSize: 3, hiddenSize: 4, layers: 1))
    var reading = TextReading(
      RecurrentLanguageModel(network: network, parameters: network.initialParameters(seed: 1)), tokenizer)
    reading.detail = .init(alternatives: 2)
    let map = HeatMap(names: texts.indices.map { "text \($0)" }, tokenizer)
    let report = try PerplexityReport(of: texts, by: reading, followers: [map])
    return report.page(map, model: "m<1>")
  }

  /// The text that the map shows.
  private func shown(_ page: String) -> String {
    var shown = ""
    for part in page.components(separatedBy: "<div class=\"heat\">").dropFirst() {
      let end = part.range(of: "</div></div>\n").map { part[..<$0.lowerBound] } ?? part[...]
      shown += end.replacing("</div>\n<div class=\"part\">", with: "").replacing(/<[^>]*>/, with: "")
    }
    return shown.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&quot;", with: "\"").replacing(
      "&#39;", with: "'"
    ).replacing("&amp;", with: "&").replacing("↵", with: "")
  }

  @Test(arguments: [
    ["a <b> & \"c\" 'd'\n\nné 日本 🦊\n"], ["one\n", "two é"],
    [String(repeating: "a long text of née words\n", count: 1200)],
  ])
  func showsTheText(_ texts: [String]) throws {
    let page = try page(texts)
    #expect(shown(page) == texts.joined())
    #expect(page.contains("m&lt;1&gt;") && page.contains("likeliest: ") && !page.contains("http-equiv"))
    #expect(!page.contains("src=") && !page.contains("url(") && !page.contains("@import"))
  }

  /// Beyond the detailed beginning only words are elements, and those of one colour are joined.
  @Test func longTextsStayLight() throws {
    let text = String(repeating: "a long text of née words\n", count: 1200)
    let page = try page([text])
    #expect(page.components(separatedBy: " title=\"").count - 1 <= HeatMap.detailedTokens)
    let rest = page.components(separatedBy: "<i ").count - 1 - HeatMap.detailedTokens
    #expect(rest < 2500)
    #expect(page.components(separatedBy: "<div class=\"part\">").count > text.utf8.count / 2200)
  }
}
