import Foundation
import ModelFiles
import TestSupport
import Testing
import Unroll

/// The options of `unroll generate`, by the bundled model.
@Suite struct GenerateOptionsTests {
  private static let model = "\(packagePath)/models/harbour"

  private func generate(_ arguments: String..., input: [UInt8] = []) throws -> ProgramResult {
    try run(
      unrollPath, ["generate", "--model", Self.model, "--precision", "float32", "--seed", "3"] + arguments, input: input
    )
  }

  private func text(_ arguments: String..., input: [UInt8] = []) throws -> String {
    let result = try run(
      unrollPath, ["generate", "--model", Self.model, "--precision", "float32", "--seed", "3"] + arguments, input: input
    )
    #expect(result.status == 0 && result.error.isEmpty, "\(result.error)")
    return result.text
  }

  @Test func severalTextsAreSeparated() throws {
    let three = try text("-p", "Dear ", "--length", "70", "--samples", "3")
    let texts = three.components(separatedBy: "---\n")
    #expect(texts.count == 3 && texts.allSatisfy { $0.hasPrefix("Dear ") && $0.hasSuffix("\n") })
    let one = try text("-p", "Dear ", "--length", "70")
    #expect(texts[0] == one + (one.hasSuffix("\n") ? "" : "\n") && Set(texts).count == 3)
    for threads in ["1", "2", "3"] {
      #expect(try text("-p", "Dear ", "--length", "70", "--samples", "3", "--threads", threads) == three)
    }
    #expect(try text("--length", "0", "--samples", "2", "-p", "Dear") == "Dear\n---\nDear\n")
    #expect(try text("--length", "0", "-p", "Dear") == "Dear")
    #expect(try text("--length", "150", "--samples", "150", "--no-echo").components(separatedBy: "---\n").count == 150)
  }

  @Test func stopsBeforeAText() throws {
    let whole = try text("-p", "Dear ", "--no-echo", "--length", "300")
    for (length, begin) in [(1, 40), (3, 60), (9, 90)] {
      let stop = String(whole.dropFirst(begin).prefix(length))
      let expected = String(whole[..<(try #require(whole.firstRange(of: stop)).lowerBound)])
      #expect(try text("-p", "Dear ", "--no-echo", "--length", "300", "--stop", "#~", "--stop", stop) == expected)
    }
    #expect(try text("-p", "Dear ", "--no-echo", "--length", "300", "--stop", "#~") == whole)
    let sentence = try text("-p", "Dear ", "--no-echo", "--length", "2000", "--until-sentence")
    let sentenceEnd = try #require(sentence.last)
    #expect(".!?\"')".contains(sentenceEnd) && sentence.count < 2000)
  }

  @Test func readsPrompts() throws {
    try withTemporaryFolder { folder in
      try Files.writeDurably(Array("The heron \n".utf8), to: "\(folder)/prompt")
      let expected = try text("-p", "The heron \n", "--length", "30")
      #expect(try text("--prompt-file", "\(folder)/prompt", "--length", "30") == expected)
      #expect(try text("-p", "-", "--length", "30", input: Array("The heron \n".utf8)) == expected)
      #expect(try text("--prompt-file", "-", "--length", "30", input: Array("The heron \n".utf8)) == expected)
      expectOneLine(try generate("--prompt-file", "\(folder)/nothing"), 66, "no such file")
      try Files.writeDurably([0xC3, 0x28], to: "\(folder)/bad")
      expectOneLine(try generate("--prompt-file", "\(folder)/bad"), 65, "\(folder)/bad: invalid UTF-8")
    }
  }

  @Test func tellsPrograms() throws {
    let plain = try text("-p", "Dear ", "--no-echo", "--length", "50", "--top-p", "0.8")
    let output = try text(
      "-p", "Dear ", "--length", "50", "--top-p", "0.8", "--samples", "2", "--json", "--top-alternatives", "4")
    let lines = output.split(separator: "\n")
    try #require(lines.count == 2)
    let json = try JSON(parsing: Array(lines[0].utf8))
    #expect(
      json.members?.map(\.key) == ["prompt", "text", "tokens", "log_probabilities", "finish_reason", "alternatives"])
    #expect(json["prompt"]?.string == "Dear " && json["text"]?.string == plain)
    #expect(json["tokens"]?.array?.compactMap(\.string).joined() == plain)
    #expect(json["finish_reason"]?.string == "length")
    let probabilities = try #require(json["log_probabilities"]?.array).compactMap(\.double)
    #expect(probabilities.count == 50 && probabilities.allSatisfy { $0 < 0 })
    let places = try #require(json["alternatives"]?.array).compactMap(\.array)
    #expect(places.count == 50 && places.allSatisfy { $0.count == 4 })
    for (place, list) in places.enumerated() {
      let token = json["tokens"]?.array?[place].string
      if let same = list.first(where: { $0["token"]?.string == token }) {
        #expect(same["log_probability"]?.double == probabilities[place])
      }
    }
    let greedy = try JSON(
      parsing: Array(text("-p", "Dear ", "--length", "5", "--greedy", "--json", "--top-alternatives", "1").utf8))
    #expect(
      greedy["alternatives"]?.array?.compactMap { $0.array?[0]["token"]?.string }
        == greedy["tokens"]?.array?.compactMap(\.string))
    let stopped = try JSON(parsing: Array(text("--json", "--stop", "e").utf8))
    #expect(stopped["finish_reason"]?.string == "stop" && stopped["tokens"]?.array?.last?.string == "e")
    #expect(stopped["alternatives"] == nil)
    let sentence = try JSON(parsing: Array(text("--json", "--until-sentence", "--length", "3000").utf8))
    #expect(sentence["finish_reason"]?.string == "sentence")
  }

  @Test func searchesWithBeams() throws {
    func likelihood(_ arguments: String...) throws -> Double {
      let output = try text("-p", "The heron ", "--length", "60", "--json", arguments: arguments)
      let json = try JSON(parsing: Array(output.split(separator: "\n")[0].utf8))
      return try #require(json["log_probabilities"]?.array).compactMap(\.double).reduce(0, +)
    }
    #expect(try likelihood("--beams", "1") == likelihood("--greedy"))
    #expect(try likelihood("--beams", "6") > likelihood("--greedy"))
    let two = try text("-p", "The heron ", "--length", "60", "--beams", "6", "--samples", "2")
    let texts = two.components(separatedBy: "---\n")
    #expect(texts.count == 2 && texts[0] != texts[1] && texts.allSatisfy { $0.hasPrefix("The heron ") })
    #expect(try text("-p", "The heron ", "--length", "60", "--beams", "6") + "\n" == texts[0])
    #expect(
      try text("-p", "The heron ", "--length", "60", "--beams", "6", "--samples", "2", "--threads", "1") == two)
  }

  private func text(_ first: String..., arguments: [String]) throws -> String {
    let result = try run(
      unrollPath, ["generate", "--model", Self.model, "--precision", "float32", "--seed", "3"] + first + arguments)
    #expect(result.status == 0, "\(result.error)")
    return result.text
  }

  @Test(arguments: [
    ["--top-k", "5"], ["--top-p", "0.5"], ["--min-p", "0.2"], ["--typical-p", "0.4"], ["--top-n-sigma", "1"],
    ["--mirostat", "1"], ["--repetition-penalty", "1.3", "--penalty-window", "9"], ["--presence-penalty", "-1"],
    ["--frequency-penalty", "0.5"], ["--dry-multiplier", "2"], ["--logit-bias", "e=-3"], ["--ban", "th"],
    ["--temperature", "0.3"],
  ])
  func eachChoosesDifferently(_ arguments: [String]) throws {
    let plain = try text("-p", "The ", "--length", "200")
    let chosen = try text("-p", "The ", "--length", "200", arguments: arguments)
    #expect(chosen != plain && chosen.count == plain.count)
    if arguments[0] == "--ban" { #expect(plain.contains("th") && !chosen.contains("th")) }
  }

  /// Off a terminal, and on one that wants no colours, the text is plain.
  @Test func showsProbabilitiesOnTerminalsOnly() throws {
    let plain = try text("--length", "40")
    let shown = try generate("--length", "40", "--show-probabilities")
    #expect(shown.status == 0 && shown.text == plain && shown.error.contains("on a terminal"))
  }

  @Test(arguments: [
    ["--top-k", "0"], ["--top-p", "0"], ["--top-p", "nan"], ["--min-p", "2"], ["--typical-p", "0"],
    ["--top-n-sigma", "inf"], ["--mirostat", "0"], ["--mirostat", "3", "--top-k", "3"],
    ["--mirostat", "3", "--greedy"],
    ["--mirostat-rate", "0", "--mirostat", "2"], ["--repetition-penalty", "0"], ["--presence-penalty", "nan"],
    ["--frequency-penalty", "inf"], ["--penalty-window", "0"], ["--dry-multiplier", "nan"], ["--dry-base", "0"],
    ["--dry-allowed-length", "0"], ["--dry-window", "0"], ["--dry-breaker", ""], ["--logit-bias", "e"],
    ["--logit-bias", "=1"], ["--logit-bias", "e=x"], ["--logit-bias", "e=inf"], ["--ban", ""], ["--stop", ""],
    ["--samples", "0"], ["--samples", "2", "--greedy"], ["--samples", "2", "--temperature", "0"], ["--beams", "0"],
    ["--beams", "100000"], ["--beams", "3", "--temperature", "1"], ["--beams", "3", "--greedy"],
    ["--beams", "3", "--top-k", "3"], ["--beams", "2", "--samples", "3"], ["--length-penalty", "1"],
    ["--beams", "2", "--length-penalty", "nan"], ["--top-alternatives", "3"], ["--json", "--top-alternatives", "1001"],
    ["--json", "--show-probabilities"], ["--prompt", "a", "--prompt-file", "b"], ["--prompt-file", ""],
  ])
  func wrongUsage(_ arguments: [String]) throws {
    let result = try run(unrollPath, ["generate", "--model", Self.model] + arguments)
    #expect(result.status == 64 && result.output.isEmpty, "\(result.error)")
    #expect(result.error.hasPrefix("Error: --") || result.error.hasPrefix("Error: The value"), "\(result.error)")
  }

  @Test func whatIsUnknownOrAllBanned() throws {
    expectOneLine(try generate("--logit-bias", "Ж=1"), 64, "logit-bias 'Ж' never comes")
    let tokenizer = try Model(folder: Self.model).tokenizer
    let bans = (0..<Int32(tokenizer.vocabularySize)).flatMap { ["--ban", tokenizer.text(of: $0)] }
    let result = try text("--length", "0", arguments: bans)
    #expect(result.isEmpty)
    let banned = try run(unrollPath, ["generate", "--model", Self.model, "--seed", "1"] + bans)
    expectOneLine(banned, 64, "no symbol is left")
    let beams = try run(unrollPath, ["generate", "--model", Self.model, "--beams", "3"] + bans)
    expectOneLine(beams, 64, "no symbol is left")
  }
}
