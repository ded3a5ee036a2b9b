import Compute
import Evaluation
import Foundation
import LanguageModeling
import Recurrence
import Testing
import Tokenization

@Suite struct HeatMapTests {
  private func page(_ texts: [String], _ tokenizer: any Tokenizer = ByteTokenizer(normalization: .none)) throws
    -> String
  {
    let network = Network<LSTM<Float32Kernels>>(
      try ModelConfiguration(vocabularySize: tokenizer.vocabularySize, embeddingSize: 3, hiddenSize: 4, layers: 1))
    var reading = TextReading(
      RecurrentLanguageModel(network: network, parameters: network.initialParameters(seed: 1)), tokenizer)
    reading.detail = .init(alternatives: 2)
    let map = HeatMap(names: texts.indices.map { "text \($0)" }, tokenizer)
    let report = try PerplexityReport(of: texts, by: reading, followers: [map])
    return report.page(map, model: "/some/where/m<1>/")
  }

  /// The texts of the parts that the map shows.
  private func parts(_ page: String) -> [String] {
    page.components(separatedBy: "<div class=\"part\"").dropFirst().map { part in
      let markup = part.range(of: "</div>").map { String(part[..<$0.lowerBound]) } ?? part
      let text = String(markup.drop { $0 != ">" }.dropFirst()).replacing(/<[^>]*>/, with: "")
      return text.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&quot;", with: "\"").replacing(
        "&#39;", with: "'"
      ).replacing("&amp;", with: "&").replacing("↵", with: "")
    }
  }

  /// The text that the map shows.
  private func shown(_ page: String) -> String { parts(page).joined() }

  @Test(arguments: [
    ["a <b> & \"c\" 'd'\n\nné 日本 🦊\n"], ["one\n", "two é"],
    [String(repeating: "a long text of née words\n", count: 1200)],
  ])
  func showsTheText(_ texts: [String]) throws {
    let page = try page(texts)
    #expect(shown(page) == texts.joined())
    #expect(page.contains("<h1>How m&lt;1&gt; reads</h1>") && !page.contains("/some/where"))
    #expect(page.contains("likeliest: ") && !page.contains("http-equiv"))
    #expect(!page.contains("src=") && !page.contains("url(") && !page.contains("@import"))
  }

  /// Beyond the detailed beginning only words are elements, and those of one colour are joined.
  @Test func longTextsStayLight() throws {
    let text = String(repeating: "a long text of née words\n", count: 1200)
    let page = try page([text])
    #expect(page.components(separatedBy: " title=\"").count - 1 <= HeatMap.detailedTokens)
    let rest = page.components(separatedBy: "<i ").count - 1 - HeatMap.detailedTokens
    #expect(rest < 2500)
    #expect(parts(page).count > text.utf8.count / 2200)
    #expect(parts(page).dropLast().allSatisfy { $0.hasSuffix("\n") })
  }

  /// Browsers lay out part by part, so a long line has several: between words where there are some.
  @Test(arguments: [("née words ", 4100), ("née", 8100)])
  func longLinesAreParted(_ part: String, _ largest: Int) throws {
    let text = String(repeating: part, count: 40_000 / part.utf8.count)
    let page = try page([text])
    let parts = parts(page)
    #expect(parts.joined() == text && parts.count > 4 && parts.allSatisfy { $0.utf8.count <= largest })
    #expect(parts.dropLast().allSatisfy { $0.utf8.count >= 2000 })
    if part.contains(" ") {
      #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.hasSuffix(" ") || $1.hasPrefix(" ") })
    }
    for one in parts { #expect(page.contains("style=\"--lines:0;--bytes:\(one.utf8.count)\"")) }
  }

  /// What was left out comes in one piece, however long.
  @Test(arguments: ["日", "日\n"])
  func longUnknownTextIsParted(_ unknown: String) throws {
    let text = "abba" + String(repeating: unknown, count: 10_000) + "abba"
    let tokenizer = CharacterTokenizer(scalars: Array("ab".unicodeScalars), hasUnknown: false, normalization: .none)
    let parts = parts(try page([text], tokenizer))
    #expect(parts.joined() == text && parts.count > 2 && parts.allSatisfy { $0.utf8.count <= 10_100 })
  }
}
