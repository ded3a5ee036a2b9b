import Foundation
import ModelFiles
import TestSupport
import Testing

/// What a run shows of itself, and what `info` and `runs` make of it.
@Suite struct RecordTests {
  @Test func aRunLeavesAReport() throws {
    try withSmallModel(["--validate-every", "5", "--sample-every", "2"]) { _, model, _ in
      let page = String(decoding: try Files.read("\(model)/training/report.html"), as: UTF8.self)
      #expect(page.contains("Training of model") && page.contains("What it wrote") && page.contains("<svg"))
      #expect(!page.contains("<script") && !page.contains("http-equiv") && !page.contains(" src="))
      #expect(page.contains(sha256(Array(smallText.utf8))))
      // Validations after steps 5, 10, …, 30; a sample at every second one.
      let samples = try events("sample", model)
      #expect(samples.compactMap { $0["step"]?.integer } == [5, 15, 25])
      #expect(samples.allSatisfy { $0["text"]?.string?.unicodeScalars.count == 160 })
    }
  }

  @Test func samplesCanBeTurnedOff() throws {
    try withSmallModel(["--validate-every", "5", "--sample-every", "0"]) { _, model, _ in
      let silent = try events("sample", model)
      #expect(silent.isEmpty)
    }
  }

  @Test func theBestModelIsTestedOnce() throws {
    try withTemporaryFolder { other in
      let test = "\(other)/test.txt"
      try Files.writeDurably(Array(smallText.utf8.prefix(700)), to: test)
      try withSmallModel(["--test", test]) { _, model, _ in
        let tests = try events("test", model)
        #expect(tests.count == 1)
        let scored = try unroll("perplexity", "--model", model, "--format", "json", test)
        let json = try JSON(parsing: scored.output)
        #expect(json["nats_per_token"]?.double == tests[0]["loss"]?.double)
        #expect(json["bits_per_byte"]?.double == tests[0]["bits_per_byte"]?.double)
        let card = String(decoding: try Files.read("\(model)/README.md"), as: UTF8.self)
        #expect(card.contains("| test loss |"))
      }
    }
  }

  @Test func tensorBoardGetsAFile() throws {
    try withTemporaryFolder { other in
      try withSmallModel(["--tensorboard", "\(other)/board", "--k1", "100"]) { _, model, _ in
        let names = Files.names(in: "\(other)/board")
        #expect(names.count == 1 && names[0].hasPrefix("events.out.tfevents."))
        var rest = try Files.read("\(other)/board/\(names[0])")[...]
        var records = 0
        // What a restart takes back, TensorBoard finds by the step: all records count the steps, none the epochs.
        var ofEpochs: [UInt8] = []
        while !rest.isEmpty {
          let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
          let event = Array(rest.dropFirst(12).prefix(length))
          // Field 1, eight bytes of time; then field 2, the step, here of one byte.
          if event.contains("loss/epoch".utf8), event[9] == 2 << 3 { ofEpochs.append(event[10]) }
          rest = rest.dropFirst(8 + 4 + length + 4)
          records += 1
        }
        #expect(records >= 4)
        #expect(try ofEpochs.map(Int.init) == events("epoch", model).compactMap { $0["step"]?.integer })
        #expect(ofEpochs.count > 1)
      }
    }
  }

  @Test func info() throws {
    try withSmallModel { folder, model, _ in
      let text = try unroll("info", model).text
      #expect(text.contains("lstm") && text.contains("best validation loss"))
      #expect(text.contains(sha256(Array(smallText.utf8))) && text.contains("ended by: steps"))
      let json = try JSON(parsing: unroll("info", model, "--format", "json").output)
      let end = try events("end", model)[0]
      #expect(json["steps"]?.integer == 30)
      #expect(json["best_validation_loss"]?.double == end["best_validation_loss"]?.double)
      let start = try events("start", model)[0]
      #expect(json["parameters"]?.integer == start["parameters"]?.integer)
      try Files.remove("\(model)/training")
      let bare = try unroll("info", model)
      #expect(bare.text.contains("no training log"))
      let missing = try unroll("info", "\(folder)/nothing")
      #expect(missing.status == 66 && missing.error.contains("no such model folder"))
    }
  }

  @Test func runsAreSortedByLoss() throws {
    try withSmallModel { folder, model, text in
      let longer = try run(
        unrollPath, ["train", text, "--output", "\(folder)/longer", "--steps", "120"] + smallSizes)
      #expect(longer.status == 0, "\(longer.error)")
      let table = try unroll("runs", folder)
      let lines = table.text.split(separator: "\n")
      #expect(lines.count == 3 && lines[0].hasPrefix("run") && lines[1].hasPrefix("longer"), "\(table.text)")
      let csv = try unroll("runs", model, "\(folder)/longer", "--format", "csv").text.split(separator: "\n")
      #expect(csv.count == 3 && csv[0].hasPrefix("path,cell") && csv[1].contains("longer"))
      let lone = try unroll("runs", "\(folder)/longer/training")
      #expect(lone.status == 66 && lone.error.contains("neither a model folder nor a folder of them"))
    }
  }
}
