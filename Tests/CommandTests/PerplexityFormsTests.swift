import Foundation
import ModelFiles
import TestSupport
import Testing

/// `unroll perplexity` by units, as a page, and with several models.
@Suite struct PerplexityFormsTests {
  @Test func rowsOfUnits() throws {
    try withSmallModel { _, model, text in
      let json = try JSON(parsing: unroll("perplexity", "--model", model, "--format", "json", text).output)
      let total = try #require(json["nats_per_token"]?.double) / log(2) * Double(smallText.unicodeScalars.count - 1)
      for unit in ["token", "character", "word", "line", "file"] {
        let result = try unroll("perplexity", "--model", model, "--by", unit, "--format", "jsonl", text)
        let rows = try result.output.split(separator: 10).map { try JSON(parsing: $0) }
        #expect(
          rows[0].members?.map(\.key) == [
            "file", "line", "position", "text", "surprisal_bits", "rank", "entropy_bits",
          ])
        let sum = rows.reduce(0) { $0 + ($1["surprisal_bits"]?.double ?? 0) }
        #expect(abs(sum - total) < 1e-6 * total, "\(unit)")
        if unit == "line" {
          #expect(rows.count == 80 && rows[3]["text"]?.string?.hasPrefix("Line 3: the naïve") == true)
        }
        if unit == "character" { #expect(rows.compactMap { $0["text"]?.string }.joined() == smallText) }
      }
      let csv = try unroll("perplexity", "--model", model, "--by", "line", "--format", "csv", text).text
      #expect(csv.hasPrefix("file,line,position,text,surprisal_bits,rank,entropy_bits\n\(text),1,1,Line 0: the naïve"))
      let top = try unroll("perplexity", "--model", model, "--by", "word", "--top", "3", text).text
      #expect(top.split(separator: "\n").count == 4)
      let files = try unroll("perplexity", "--model", model, "--by", "file", text, text).text
      #expect(files.split(separator: "\n").count == 4 && files.contains("\nall "))
    }
  }

  /// Programs know the total of several files by its empty places.
  @Test func filesAndTheirTotal() throws {
    try withSmallModel { folder, model, text in
      try Files.writeDurably(Array("Line 9: the fox\n".utf8), to: "\(folder)/b")
      func rows(_ format: String, _ files: String...) throws -> [Substring] {
        try run(unrollPath, ["perplexity", "--model", model, "--by", "file", "--format", format] + files).text
          .split(separator: "\n")
      }
      let csv = try rows("csv", text, "\(folder)/b").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
      #expect(csv.count == 4 && csv[3].prefix(4).allSatisfy(\.isEmpty) && csv[2][0] == "\(folder)/b")
      for column in [4, 6] {
        let bits = csv.dropFirst().compactMap { Double($0[column]) }
        #expect(bits.count == 3 && abs(bits[0] + bits[1] - bits[2]) < 1e-5)
      }
      let ranks = csv.dropFirst().compactMap { Int($0[5]) }
      #expect(ranks.count == 3 && ranks[2] == max(ranks[0], ranks[1]))
      let json = try rows("jsonl", text, "\(folder)/b").map { try JSON(parsing: Array($0.utf8)) }
      #expect(json.count == 3 && json[2]["file"]?.isNull == true && json[2]["position"]?.isNull == true)
      #expect(json[2].members?.map(\.key) == json[0].members?.map(\.key))
      #expect(try rows("csv", text).count == 2)
    }
  }

  @Test func aPageAndAVerifiedReport() throws {
    try withSmallModel { _, model, text in
      let page = try unroll("perplexity", "--model", model, "--format", "html", text)
      #expect(page.status == 0 && page.text.hasPrefix("<!DOCTYPE html>") && page.text.hasSuffix("</html>\n"))
      let json = try JSON(parsing: unroll("perplexity", "--model", model, "--format", "json", "--verify", text).output)
      #expect(json["verified_predictions"]?.integer == smallText.unicodeScalars.count - 1)
      #expect((json["largest_excess_over_one"]?.double ?? 1) < 1e-5)
    }
  }

  @Test func comparesModels() throws {
    try withSmallModel { folder, model, text in
      let other = "\(folder)/other"
      let trained = try run(
        unrollPath, ["train", text, "--output", other, "--steps", "2", "--tokenizer", "byte"] + smallSizes)
      #expect(trained.status == 0, "\(trained.error)")
      let result = try unroll(
        "perplexity", "--model", model, "--model", other, "--baseline", "ngram:3", "--baseline-corpus", text,
        "--format", "json", text)
      let predictors = try #require(try JSON(parsing: result.output)["predictors"]?.array)
      #expect(predictors.compactMap { $0["name"]?.string } == [model, other, "unigram", "ngram:3", "uniform"])
      let json = try JSON(parsing: unroll("perplexity", "--model", model, "--format", "json", text).output)
      let alone = try #require(json["bits_per_character"]?.double)
      #expect(abs((predictors[0]["bits_per_character"]?.double ?? 0) - alone) < 1e-9)
      // The n-grams were counted on this very text.
      #expect((predictors[3]["difference_high"]?.double ?? 0) < 0)
      #expect((predictors[1]["difference_low"]?.double ?? 0) > 0)
    }
  }

  @Test(arguments: [
    (["--by", "word", "--format", "html"], "--by and --top"), (["--by", "word", "--format", "json"], "--by and --top"),
    (["--top", "0"], "--top is 0"), (["--baseline", "ngram:3"], "--baseline-corpus"),
    (["--baseline", "ngram:7", "--baseline-corpus", "x"], "ngram:7"), (["--baseline-corpus", "x"], "--baseline"),
    (["--model", "n", "--format", "csv"], "A comparison"), (["--model", "n", "--verify"], "--verify"),
  ])
  func refuses(_ flags: [String], _ words: String) throws {
    let result = try run(unrollPath, ["perplexity", "--model", "m", "text.txt"] + flags)
    #expect(result.status == 64 && result.error.contains(words), "\(result.error)")
  }

  @Test func aClosedPipeEndsQuietly() throws {
    try withSmallModel { _, model, text in
      let result = try run(
        "/bin/sh",
        [
          "-c",
          "'\(unrollPath)' perplexity --model '\(model)' --by token --format csv '\(text)' | head -c 20",
        ])
      #expect(result.status == 0 && result.output.count == 20 && result.error.isEmpty)
    }
  }
}
