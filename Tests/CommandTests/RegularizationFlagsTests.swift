import Foundation
import ModelFiles
import TestSupport
import Testing

/// `--dropout`, `--weight-drop`, `--ar` and the others.
@Suite struct RegularizationFlagsTests {
  private func weights(_ flags: [String]) throws -> [UInt8] {
    try withSmallModel(flags + ["--precision", "float32", "--seed", "3", "--steps", "5"]) { _, model, _ in
      try Files.read("\(model)/model.safetensors")
    }
  }

  /// Each flag does something of its own, and 0 nothing; `--dropout` sets three places.
  @Test func flagsAreHeeded() throws {
    let flags = ["dropout-input", "dropout-hidden", "dropout-output", "dropout-embedding", "weight-drop", "ar", "tar"]
    let plain = try weights([])
    var seen: Set<[UInt8]> = [plain]
    for flag in flags {
      #expect(try seen.insert(weights(["--\(flag)", "0.5"])).inserted, "\(flag)")
      #expect(try weights(["--\(flag)", "0"]) == plain, "\(flag)")
    }
    let places = try weights(["--dropout-input", "0.3", "--dropout-hidden", "0.3", "--dropout-output", "0.3"])
    #expect(try weights(["--dropout", "0.3"]) == places)
    #expect(try weights(["--dropout", "0.3", "--dropout-output", "0.1"]) != places)
  }

  @Test func theCardTells() throws {
    try withSmallModel(["--dropout", "0.3", "--weight-drop", "0.2", "--tar", "1"]) { _, model, _ in
      let card = String(decoding: try Files.read("\(model)/README.md"), as: UTF8.self)
      #expect(
        card.contains(
          "| regularisation | input dropout 0.3, hidden dropout 0.3, output dropout 0.3, weight drop 0.2, TAR 1.0 |"))
    }
  }

  @Test(arguments: [
    ["--dropout", "1"], ["--dropout", "-0.1"], ["--dropout-hidden", "nan"], ["--weight-drop", "1.5"], ["--ar=-1"],
    ["--tar", "inf"],
  ])
  func wrongUsage(_ flags: [String]) throws {
    let result = try run(unrollPath, ["train", "t", "-o", "m"] + flags)
    #expect(result.status == 64 && result.error.hasPrefix("Error: "), "\(result.error)")
  }
}
