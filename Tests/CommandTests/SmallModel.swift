import Foundation
import ModelFiles
import TestSupport

/// A text of some variety: 4,000 characters or so, with characters of two and four bytes.
let smallText = (0..<80).map { "Line \($0): the naïve fox \($0 % 7) jumps – over 🦊 \($0 * 37 % 101).\n" }.joined()

/// Trains a small model on ``smallText`` in a temporary folder and hands over the paths of both.
func withSmallModel<Result>(
  _ extra: [String] = [], _ body: (_ folder: String, _ model: String, _ text: String) throws -> Result
) throws -> Result {
  try withTemporaryFolder { folder in
    let (model, text) = ("\(folder)/model", "\(folder)/text.txt")
    try Files.writeDurably(Array(smallText.utf8), to: text)
    let result = try run(unrollPath, ["train", text, "--output", model] + smallSizes + ["--steps", "30"] + extra)
    guard result.status == 0 else { throw Unexpected(message: result.error) }
    return try body(folder, model, text)
  }
}

let smallSizes = ["--hidden-size", "12", "--embedding-size", "6", "--lanes", "4", "--k1", "12"]

/// Waits until a run has logged its first steps: its signal handlers are there, and the run goes on.
func waitForSteps(_ model: String) throws {
  for _ in 0..<6000 {
    let log = (try? Files.read("\(model)/training/metrics.jsonl")) ?? []
    if String(decoding: log, as: UTF8.self).contains("\"event\":\"step\"") { return }
    Thread.sleep(forTimeInterval: 0.01)
  }
  throw Unexpected(message: "no step was logged in a minute")
}

struct Unexpected: Error { let message: String }

/// The lines of a run's log with a given event.
func events(_ name: String, _ model: String) throws -> [JSON] {
  let lines = try Files.read("\(model)/training/metrics.jsonl").split(separator: UInt8(ascii: "\n"))
  return try lines.map { try JSON(parsing: $0) }.filter { $0["event"]?.string == name }
}
