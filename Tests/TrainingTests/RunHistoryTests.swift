import ModelFiles
import TestSupport
import Testing
import Training

@Suite struct RunHistoryTests {
  private static func log(_ losses: [Double], every steps: Int = 100) -> String {
    losses.enumerated().map { index, loss in
      "{\"event\":\"validation\",\"step\":\((index + 1) * steps),\"loss\":\(loss),\"bits_per_character\":\(loss * 1.5),"
        + "\"best\":true}\n"
    }.joined()
  }

  private func history(_ text: String) throws -> RunHistory { try RunHistory(parsing: Array(text.utf8), name: "log") }

  @Test func everyEventIsRead() throws {
    let log = try history(
      """
      {"event":"start","parameters":7,"corpus_sha256":"ab","seed":"3"}
      {"event":"step","step":10,"loss":2.5,"gradient_norm":0.5,"learning_rate":0.01,"tokens_per_second":900}
      {"event":"skipped","step":11,"reason":"loss","loss":null,"gradient_norm":null}
      {"event":"validation","step":20,"loss":2.25,"bits_per_character":3.2,"best":true}
      {"event":"sample","step":20,"text":"a\\nb"}
      {"event":"epoch","epoch":1,"loss":2.75,"seconds":1.5}
      {"event":"of another version"}
      {"event":"test","loss":2.125,"bits_per_character":3.1,"bits_per_byte":3.0,"tokens":9}
      {"event":"end","reason":"steps","steps":30,"seconds":4.5,"best_validation_loss":2.25}

      """)
    #expect(log.start["corpus_sha256"]?.string == "ab")
    #expect(log.steps.map(\.step) == [10] && log.steps[0].loss == 2.5 && log.steps[0].tokensPerSecond == 900)
    #expect(log.validations.map(\.step) == [20] && log.best?.loss == 2.25 && log.best?.bitsPerCharacter == 3.2)
    #expect(log.samples.map(\.text) == ["a\nb"])
    #expect(log.epochs.map(\.seconds) == [1.5])
    #expect(log.skipped == 1 && log.testLoss == 2.125)
    #expect(log.end?.reason == "steps" && log.end?.steps == 30 && log.end?.seconds == 4.5)
  }

  @Test func whatAKillCutOffIsPassedOver() throws {
    let log = try history(Self.log([2, 1.9]) + "{\"event\":\"valid")
    #expect(log.validations.count == 2 && log.end == nil)
  }

  @Test(arguments: [
    "nonsense\n", "{\"event\":\"validation\",\"step\":-1,\"loss\":1,\"bits_per_character\":1}\n",
    "{\"event\":\"step\",\"step\":1}\n", "{\"event\":\"sample\",\"step\":1,\"text\":7}\n", "[]\n", "{}\n",
    "{\"event\":\"step\",\"step\":1e300,\"loss\":1,\"gradient_norm\":1,\"learning_rate\":1,\"tokens_per_second\":1}\n",
  ])
  func damagedLinesAreNamed(_ line: String) {
    let error = #expect(throws: FileError.self) { try self.history(Self.log([2]) + line) }
    #expect(error?.message.hasPrefix("line 2 is not an event of a run") == true)
  }

  @Test func adviceFollowsTheCurves() throws {
    #expect(try history(Self.log([2, 1.8, 1.5, 1.4, 1.45, 1.5, 1.55, 1.6])).advice?.contains("overfits") == true)
    #expect(try history(Self.log([2, 1.8, 1.5, 1.4, 1.3, 1.2, 1.1, 1.0])).advice?.contains("still falling") == true)
    #expect(try history(Self.log([2, 1.8, 1.5, 1.4, 1.4, 1.4, 1.401, 1.4])).advice == nil)
    #expect(try history(Self.log([2, 1])).advice == nil)
    // A best step in the last quarter is no overfitting yet.
    #expect(try history(Self.log([2, 1.8, 1.5, 1.4, 1.3, 1.3, 1.295, 1.35])).advice == nil)
  }

  @Test(arguments: [2, 3, 5, 10])
  func thinningKeepsTheEnds(_ count: Int) {
    let thin = thinned(Array(0..<10), to: count)
    #expect(thin.count == count && thin.first == 0 && thin.last == 9 && thin == thin.sorted())
    #expect(Set(thin).count == count)
  }
}
