import Compute
import Foundation
import ModelFiles
import TestSupport
import Testing
import Tokenization

/// Checks that take minutes.
@Suite(.enabled(if: runsLongTests)) struct LongTests {
  /// Sixty kills at random moments: there is always a whole model.
  @Test func manyKills() throws {
    try withSmallModel { _, model, text in
      var random = CounterRandom(seed: 1, purpose: .sampling)
      for index in 0..<60 {
        let sizes = ["--hidden-size", "\(8 + index % 5)", "--embedding-size", "6", "--lanes", "4", "--k1", "12"]
        let arguments = ["train", text, "-o", model, "--overwrite", "--steps", "1000000", "--validate-every", "1"]
        let killed = try run(unrollPath, arguments + sizes) { process in
          Thread.sleep(forTimeInterval: random.uniform() * 0.4)
          kill(process.processIdentifier, SIGKILL)
        }
        #expect(killed.status == 128 + SIGKILL, "\(killed.error)")
        let report = try unroll("perplexity", "--model", model, text)
        #expect(report.status == 0, "\(report.error)")
      }
    }
  }

  /// Half a million damaged files each: refused or read, never a trap.
  @Test func damagedFiles() throws {
    try withSmallModel { _, model, _ in
      var weights = Array(try Files.read("\(model)/model.safetensors"))
      weights = Array(weights[..<1200])  // the header and a little
      let tokenizer = try Files.read("\(model)/tokenizer.json")
      var random = CounterRandom(seed: 2, purpose: .sampling)
      func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...Int(random.next() % 4) {
          let place = Int(random.next() % UInt64(bytes.count))
          switch random.next() % 4 {
          case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
          case 1: bytes.remove(at: place)
          case 2: bytes.insert(Array("0123456789[]{},:\"-eE.\\u".utf8)[Int(random.next() % 23)], at: place)
          default: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.next() % 20)))
          }
          if bytes.isEmpty { break }
        }
        return bytes
      }
      var read = 0
      for _ in 0..<500_000 {
        if (try? Safetensors(parsing: damaged(weights))) != nil { read += 1 }
        if (try? CharacterTokenizer(tokenizerJSON: damaged(tokenizer))) != nil { read += 1 }
      }
      #expect(read > 0, "no damage was harmless: the inputs are not near enough to real ones")
    }
  }
}
