import Foundation
import ModelFiles
import TestSupport
import Testing

/// `unroll write` driven by a pipe, and state files of `unroll generate`.
@Suite struct WriteCommandTests {
  private func write(_ model: String, _ lines: String..., arguments: [String] = []) throws -> ProgramResult {
    let input = Array(lines.map { $0 + "\n" }.joined().utf8)
    return try run(
      unrollPath, ["write", model, "--seed", "3", "--length", "20", "--precision", "float32"] + arguments, input: input)
  }

  private func generate(_ model: String, _ arguments: String...) throws -> ProgramResult {
    try run(unrollPath, ["generate", "--model", model, "--precision", "float32"] + arguments)
  }

  @Test func writesOn() throws {
    try withSmallModel { folder, model, _ in
      let one = try generate(model, "--seed", "3", "--length", "45", "--prompt", "Line 7\n", "--no-echo").text
      let session = try write(model, "Line 7", "", "", "/more 5", "/quit", "never seen")
      #expect(session.status == 0 && session.text == one, "\(session.error)")
      #expect(try write(model, "Line \\", "7", "/more 45").text == one)
      #expect(
        try write(model, "Line 7", "", "/undo", "/undo", "/text", "/seed 3", "Line 7", "/more 45").text.hasSuffix(one))
      let other = try write(model, "Line 7", "", "/again").text
      #expect(other.hasPrefix(one.prefix(20)) && other.count == 40 && other.prefix(20) != other.suffix(20))
      #expect(try write(model, "/more 5", "/undo", "//\\", "/undo", "/text").text.unicodeScalars.count == 5)
      let greedy = try generate(model, "--greedy", "--length", "20", "--prompt", "Line 7\n").text
      #expect(try write(model, "Line 7", "/temperature 0", "", "/text").text.hasSuffix(greedy))
    }
  }

  @Test func alternativesHaveProbabilities() throws {
    try withSmallModel { _, model, _ in
      let lines = try write(model, "Line 7", "/alternatives 1000").text.split(separator: "\n")
      let probabilities = lines.compactMap { Double($0.prefix(6)) }
      #expect(probabilities.count == lines.count && abs(probabilities.reduce(0, +) - 1) < 0.01)
      #expect(probabilities == probabilities.sorted(by: >))
      #expect(try write(model, "/alternatives 3").text.split(separator: "\n").count == 3)
    }
  }

  /// What is wrong is said in a line, and the session goes on.
  @Test(arguments: [
    ("/what", "no command /what"), ("/more -3", "/more wants a number"), ("/temperature -1", "temperature is -1"),
    ("/temperature x", "/temperature wants"), ("/seed x", "/seed wants"), ("/save", "/save wants the name"),
    ("/load /nonexistent", "no such file"), ("/save /nonexistent/state", "/nonexistent"), ("/undo", "nothing to take"),
    ("/again", "nothing was written"), ("Ж", "U+0416"), ("/alternatives 0", "/alternatives wants"),
  ])
  func mistakesAreForgiven(_ line: String, _ message: String) throws {
    try withSmallModel { _, model, _ in
      let result = try write(model, line, "/more 5")
      #expect(result.status == 0 && result.text.unicodeScalars.count == 5, "\(result.error)")
      let told = result.error.split(separator: "\n").filter { $0.hasPrefix("Error: ") }
      #expect(told.count == 1 && told[0].contains(message), "\(result.error)")
    }
  }

  @Test func keepsAndGoesOn() throws {
    try withSmallModel { folder, model, _ in
      let one = try write(model, "Line 7", "/more 60").text
      let first = try write(model, "Line 7", "/more 25", "/save \(folder)/state").text
      #expect(first + (try write(model, "/load \(folder)/state", "/more 35").text) == one)
      let loaded = ["--load-state", "\(folder)/state"]
      #expect(first + (try write(model, "/more 35", arguments: loaded).text) == one)
      #expect(first + (try generate(model, "--load-state", "\(folder)/state", "--length", "35").text) == one)
      #expect(try write(model, "", "/load \(folder)/state", "/undo", "/text", arguments: []).error.contains("now ends"))
    }
  }

  /// Ctrl-C stops the writing; what was written stays, and the session goes on.
  @Test func controlCStopsTheWriting() throws {
    try withSmallModel { _, model, _ in
      let process = Process()
      // Whoever runs the tests in the background has them ignore SIGINT, and a session respects that.
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = ["--default-signal=INT", unrollPath, "write", model, "--seed", "3"]
      let (input, output) = (Pipe(), Pipe())
      (process.standardInput, process.standardOutput, process.standardError) = (input, output, FileHandle.nullDevice)
      try process.run()
      try input.fileHandleForWriting.write(contentsOf: Data("/more 3000000\n".utf8))
      var written = Data()
      while written.count < 1000 { written += output.fileHandleForReading.availableData }
      process.interrupt()
      try input.fileHandleForWriting.write(contentsOf: Data("/temperature 0\n/quit\n".utf8))
      try input.fileHandleForWriting.close()
      while true {
        let more = output.fileHandleForReading.availableData
        if more.isEmpty { break }
        written += more
      }
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 0)
      #expect(written.count < 2_900_000)
    }
  }

  // MARK: State files of generate

  @Test func twoGoesAreOne() throws {
    try withSmallModel { folder, model, _ in
      let state = "\(folder)/state"
      let one = try generate(model, "--seed", "7", "--length", "50", "--prompt", "Line ").text
      let first = try generate(
        model, "--seed", "7", "--length", "20", "--prompt", "Line ", "--save-state", state, "--threads", "1")
      let second = try generate(model, "--length", "30", "--load-state", state, "--save-state", state)
      #expect(first.text + second.text == one && second.error.isEmpty)
      let read = try generate(model, "--seed", "7", "--length", "0", "--prompt", "Line ", "--save-state", state)
      #expect(read.text == "Line ")
      #expect(try "Line " + generate(model, "--length", "50", "--load-state", state).text == one)
      let json = try JSON(parsing: generate(model, "--length", "50", "--load-state", state, "--json").output)
      #expect(json["text"]?.string.map { "Line " + $0 } == one && json["tokens"]?.array?.count == 50)
      let other = try generate(model, "--length", "50", "--load-state", state, "--seed", "8").text
      #expect("Line " + other != one)
    }
  }

  @Test func badStateFilesGetOneLine() throws {
    try withSmallModel { folder, model, text in
      let state = "\(folder)/state"
      #expect(try generate(model, "--seed", "1", "--length", "5", "--save-state", state).status == 0)
      let load = ["generate", "--model", model, "--load-state"]
      expectOneLine(
        try run(unrollPath, load + [state, "--precision", "int8"]), 65, "was saved in float32, and this is int8")
      expectOneLine(try run(unrollPath, load + ["/nonexistent"]), 66, "no such file")
      expectOneLine(try run(unrollPath, load + ["\(model)/model.safetensors"]), 65, "no state file")
      expectOneLine(try run(unrollPath, load + [text]), 65, "no state file")
      try Files.writeDurably(Array(Files.read(state).dropLast(10)), to: "\(folder)/cut")
      expectOneLine(try run(unrollPath, load + ["\(folder)/cut"]), 65, "damaged")
      let other = "\(folder)/other"
      let trained = try run(
        unrollPath, ["train", text, "-o", other, "--steps", "2", "--seed", "9", "--quiet"] + smallSizes)
      #expect(trained.status == 0)
      expectOneLine(
        try run(unrollPath, ["generate", "-m", other, "--precision", "float32", "--load-state", state]), 65,
        "another model")
      #expect(try run(unrollPath, load + [state, "--samples", "2"]).status == 64)
    }
  }
}
