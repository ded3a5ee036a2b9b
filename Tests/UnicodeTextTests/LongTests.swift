import Compute
import Foundation
import TestSupport
import Testing
import UnicodeText

/// Checks that take minutes, and what they say goes to standard output.
@Suite(.enabled(if: runsLongTests), .serialized) struct LongTests {
  /// Random bytes near valid UTF-8, through random steps, in random pieces: the stream must give what the whole text
  /// gives, and never trap. It stops after two minutes, and says how many inputs it tried.
  @Test func fuzzesDecodingAndNormalization() throws {
    var random = CounterRandom(seed: 99, purpose: .corpus)
    let clock = ContinuousClock()
    let start = clock.now
    var (inputs, invalid) = (0, 0)
    while clock.now - start < .seconds(120) {
      for _ in 0..<1000 {
        inputs += 1
        let bytes = damagedBytes(using: &random)
        let steps = (0..<Int.random(in: 0...4, using: &random)).compactMap { _ in
          Normalizer.Step.allCases.randomElement(using: &random)
        }
        let normalizer = Normalizer(steps)
        let sizes = (0..<4).map { _ in Int.random(in: 1...12, using: &random) }
        let text = String(decoding: bytes, as: UTF8.self)
        if !text.utf8.elementsEqual(bytes) { invalid += 1 }
        let whole = normalizer.normalize(text)
        let streamed = try normalizer.stream(bytes, sizes: sizes, invalid: .replace)
        let traced = try normalizer.trace(bytes, sizes: sizes)
        let isSame = streamed.elementsEqual(whole.utf8) && traced.utf8 == streamed
        if !isSame { Issue.record("\(bytes) through \(normalizer) in pieces of \(sizes)") }
        let clusters = GraphemeClusters(whole.unicodeScalars).joined()
        if !clusters.utf8.elementsEqual(whole.utf8) { Issue.record("the clusters of \(whole.scalarValues)") }
      }
    }
    print("fuzz: \(inputs) inputs, \(invalid) of them invalid UTF-8")
  }

  /// Megabytes a second on one thread, in pieces of 64 KiB, best of five.
  @Test(arguments: [
    "ASCII", "Russian", "Chinese", "Korean", "French", "Vietnamese", "marks",
  ])
  func measuresSpeed(_ language: String) throws {
    let line =
      switch language {
      case "ASCII": "The quick brown fox jumps over the lazy dog, and then it sleeps.\n"
      case "Russian": "Съешь же ещё этих мягких французских булок, да выпей чаю.\n"
      case "Chinese": "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。寒来暑往，秋收冬藏。\n"
      case "Korean": "키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다.\n"
      case "French": "Voix ambiguë d’un cœur qui, au zéphyr, préfère les jattes de kiwis.\n"
      case "Vietnamese": "Do bạch kim rất quý nên sẽ dùng để lắp vô xương của người bệnh.\n"
      default: "a" + String(repeating: "\u{301}\u{323}\u{327}", count: 200_000)
      }
    let text = Array(String(repeating: line, count: max(1, 16_000_000 / line.utf8.count)).utf8)
    let normalizers = [
      Normalizer(), Normalizer(.nfc), Normalizer(.nfd), Normalizer(.nfkc), Normalizer([.lowercase]),
      Normalizer([.lineEndings, .nfkc, .caseFolding, .nfc]),
    ]
    for normalizer in normalizers {
      let plain = try bestSpeed(text.count) {
        var stream = NormalizerStream(normalizer)
        var output: [UInt8] = []
        output.reserveCapacity(1 << 18)
        for start in stride(from: 0, to: text.count, by: 1 << 16) {
          output.removeAll(keepingCapacity: true)
          try stream.append(text[start..<min(text.count, start + 1 << 16)], to: &output)
        }
        try stream.finish(&output)
      }
      let traced = try bestSpeed(text.count) {
        var stream = TracingNormalizerStream(normalizer)
        var output = NormalizedText()
        try text.forEachPiece([1 << 16]) {
          output.removeAll()
          try stream.append($0, to: &output)
        }
        try stream.finish(&output)
      }
      print("\(language) \(normalizer): \(plain) MB/s, with offsets \(traced) MB/s")
    }
  }

  /// The speed of cutting into grapheme clusters, and of replacing invalid bytes.
  @Test func measuresOtherSpeeds() throws {
    let text = String(repeating: "Zo\u{308}e's family \u{1F469}\u{200D}\u{1F467} and съешь же ещё\n", count: 100_000)
    let clusters = bestSpeed(text.utf8.count) {
      var breaker = GraphemeBreaker()
      let count = text.unicodeScalars.count { breaker.beginsCluster(at: $0) }
      #expect(count == 32 * 100_000)
    }
    let damaged = Array(text.utf8) + [0xFF]
    let replacing = bestSpeed(damaged.count) { _ = decodeUTF8Replacing(damaged) }
    print("grapheme clusters: \(clusters) MB/s; replacing: \(replacing) MB/s")
  }

  #if os(Linux)
    /// 64 MiB go through a stream in the memory of a piece.
    @Test(arguments: [Normalizer(.nfd), Normalizer([.lineEndings, .nfkd, .caseFolding, .nfc])])
    func needsLittleMemory(_ normalizer: Normalizer) throws {
      var random = CounterRandom(seed: 4, purpose: .corpus)
      let piece = Array(randomText(20_000, using: &random).utf8)
      var stream = NormalizerStream(normalizer)
      var output: [UInt8] = []
      var first = 0
      let pieces = (1 << 26) / piece.count
      for index in 0..<pieces {
        output.removeAll(keepingCapacity: true)
        try stream.append(piece, to: &output)
        if index == pieces / 10 { first = try residentKilobytes() }
      }
      try stream.finish(&output)
      let growth = try residentKilobytes() - first
      print("memory grew by \(growth) kB over \(pieces * piece.count) bytes")
      #expect(growth < 4096)
    }

    private func residentKilobytes() throws -> Int {
      let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
      return try #require(Int(line.filter(\.isNumber)))
    }
  #endif

  private func bestSpeed(_ bytes: Int, _ body: () throws -> Void) rethrows -> Int {
    let clock = ContinuousClock()
    let best = try (0..<5).map { _ in try clock.measure { try body() } }.min() ?? .zero
    return Int(Double(bytes) / (best / .seconds(1)) / 1e6)
  }
}
