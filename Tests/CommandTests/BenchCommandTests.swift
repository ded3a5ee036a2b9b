import ModelFiles
import TestSupport
import Testing

/// What `unroll bench` says, not how fast it is.
@Suite struct BenchCommandTests {
  private static let tasks = ["train", "generate", "perplexity"]

  @Test(arguments: tasks)
  func measures(_ task: String) throws { try expectMeasures(task, "float32") }

  @Test(.needsBFloat16, arguments: tasks)
  func measuresInBFloat16(_ task: String) throws { try expectMeasures(task, "bf16") }

  private func expectMeasures(_ task: String, _ precision: String) throws {
    let result = try unroll(
      "bench", task, "--hidden-size", "16", "--lanes", "4", "--k1", "10", "--seconds", "0.1", "--precision", precision,
      "--json")
    #expect(result.status == 0, "\(result.error)")
    let json = try JSON(parsing: result.output)
    #expect(json["task"]?.string == task && json["precision"]?.string == precision)
    for key in ["symbols_per_second", "threads", "achieved_gflops", "gemm_peak_gflops", "peak_rss_mb"] {
      #expect(try #require(json[key]?.double, "\(key)") >= 0)
    }
    #expect((json["symbols_per_second"]?.double ?? 0) > 0)
  }

  @Test(arguments: ["gru", "rnn"], ["train", "generate"])
  func measuresCells(_ cell: String, _ task: String) throws {
    let result = try unroll(
      "bench", task, "--cell", cell, "--hidden-size", "16", "--lanes", "4", "--k1", "10", "--seconds", "0.1")
    #expect(result.status == 0 && result.text.contains(cell), "\(result.error)")
  }

  @Test func speaksToPeople() throws {
    let result = try unroll("bench", "train", "--hidden-size", "16", "--k1", "10", "--seconds", "0.1")
    #expect(result.status == 0 && result.text.contains("best matrix product"))
  }

  @Test(arguments: [
    ["bench"], ["bench", "swim"], ["bench", "train", "--seconds", "0"], ["bench", "train", "--lanes", "0"],
  ])
  func wrongUsage(_ arguments: [String]) throws {
    #expect(try run(unrollPath, arguments).status == 64)
  }
}
