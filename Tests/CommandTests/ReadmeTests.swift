import Foundation
import ModelFiles
import TestSupport
import Testing
import Unroll

/// Every example of the README is run.
@Suite struct ReadmeTests {
  static let readme = String(
    decoding: (try? Files.read("\(packagePath)/README.md")) ?? [], as: UTF8.self)

  /// The fenced blocks of a language, in order.
  static func blocks(_ language: String) -> [String] {
    readme.components(separatedBy: "```\(language)\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
  }

  /// The shell examples in order, in one folder, as a reader would type them after the first block's set-up; only the
  /// five minutes of training are cut to two seconds. (scripts/test runs scripts/demo, the first block's first line.)
  @Test func shellExamples() throws {
    let blocks = Self.blocks("sh")
    #expect(blocks.first == "scripts/demo\nscripts/test\n")
    #expect(blocks.count > 4)
    try withTemporaryFolder { folder in
      for name in ["corpora", "models"] {
        try FileManager.default.createSymbolicLink(
          atPath: "\(folder)/\(name)", withDestinationPath: "\(packagePath)/\(name)")
      }
      let path = URL(filePath: unrollPath).deletingLastPathComponent().path + ":/usr/local/bin:/usr/bin:/bin"
      for block in blocks.dropFirst() {
        let script = block.replacingOccurrences(of: "--budget 5m", with: "--budget 2s")
        let result = try run("/bin/sh", ["-e", "-c", script], folder: folder, environment: ["PATH": path])
        #expect(result.status == 0, "\(script)\(result.error)")
        #expect(block.contains("unroll train ") || !result.output.isEmpty, "nothing was written by: \(script)")
      }
    }
  }

  /// The Swift example, compiled here line by line as it stands there.
  @Test func swiftExample() throws {
    #expect(
      Self.blocks("swift") == [
        """
        import Unroll

        let model = try Model(folder: "models/harbour")
        print(try model.write(after: "Dear ", length: 200, seed: 1))
        print(try model.perplexity(of: "The tide was out.\\n").bitsPerCharacter)

        """
      ])
    let model = try Model(folder: "\(packagePath)/models/harbour")
    #expect(try model.write(after: "Dear ", length: 200, seed: 1).unicodeScalars.count == 200)
    #expect(try model.perplexity(of: "The tide was out.\n").bitsPerCharacter < 4)
  }

  /// The bundled model is small, says how it was made, and predicts its validation part as its card says.
  @Test func bundledModel() throws {
    let folder = "\(packagePath)/models/harbour"
    #expect(try Files.read("\(folder)/model.safetensors").count <= 3_000_000)
    let card = String(decoding: try Files.read("\(folder)/README.md"), as: UTF8.self)
    let corpus = try ["harbour-letters.txt", "hill-fables.txt"].flatMap {
      try Files.read("\(packagePath)/corpora/\($0)")
    }
    #expect(card.contains(sha256(corpus)))
    let scalars = Array(String(decoding: corpus, as: UTF8.self).unicodeScalars)
    let part = scalars[Int(Double(scalars.count) * 0.9)...].reduce(into: "") { $0.unicodeScalars.append($1) }
    let report = try Model(folder: folder).perplexity(of: part)
    let stated = try #require(card.firstMatch(of: /best validation loss \| ([0-9.]+) nats/).flatMap { Double($0.1) })
    // The run validated in lanes, each warmed by 256 characters; on 8,000 that is within 2e-3 of reading them in one.
    #expect(abs(report.natsPerToken - stated) < 3e-3)
  }
}
