import Compute
import Foundation
import ModelFiles
import TestSupport
import Testing
import Tokenization

/// Damaged files, which must be refused with an error or read as what they say, and never trap.
@Suite struct FuzzTests {
  /// Small files of every kind, as this program writes them and as others do.
  static func seeds() throws -> [[UInt8]] {
    let text = "the fox – то же, e\u{301}\r\nthe fox's 日本 fox "
    func small(_ size: Int, _ cuts: PreTokenization, fallsBack: Bool) -> SubwordTrainingOptions {
      var small = options(size, cuts, .nfc, fallsBack: fallsBack)
      small.specialSymbols = ["<s>"]
      return small
    }
    let normalization = try TextNormalization(names: "line-endings,nfkd,strip-accents,lowercase,casefold")
    let tokenizers: [any Tokenizer] = [
      CharacterTokenizerTrainer(normalization: normalization, minimumFrequency: 2).train(text),
      GraphemeTokenizerTrainer(normalization: .nfd, minimumFrequency: 2).train(text),
      try BytePairTrainer(small(40, .gpt2, fallsBack: false), isByteLevel: false).train(text),
      try UnigramTrainer(small(50, .whitespace, fallsBack: false)).train(text),
      try BytePairTrainer(small(270, .none, fallsBack: true), isByteLevel: true).train(text),
    ]
    let llama =
      #"{"added_tokens":[{"id":0,"content":"<s>","special":true}],"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"},{"type":"Strip","strip_left":true,"strip_right":false}]},"model":{"type":"BPE","fuse_unk":true,"unk_token":"<s>","vocab":{"<s>":0,"a":1,"▁":2,"▁a":3},"merges":["▁ a"]}}"#
    return tokenizers.map { Array($0.tokenizerJSON().utf8) } + [
      Array(llama.utf8), try Files.read(Golden.path("sentencepiece-unigram.model")),
      try Files.read(Golden.path("sentencepiece-bpe.model")),
    ]
  }

  /// What numbers and names become, besides bytes of any kind.
  private static let words = [
    "-1", "0", "1", "4294967296", "9223372036854775807", "1e308", "null", "true", "[]", "{}", "\"\"", "\"a\"", "\"▁\"",
    "\\u0000", "\\ud83e\\udd8a", "<0x41>", "BPE", "Unigram", "WordLevel", "Sequence", "NFC", "e\u{301}",
  ].map { Array($0.utf8) }

  static func damaged(_ seeds: [[UInt8]], using random: inout CounterRandom) -> [UInt8] {
    var bytes = seeds.randomElement(using: &random) ?? []
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      let end = min(bytes.count, place + Int.random(in: 1...12, using: &random))
      switch Int.random(in: 0..<7, using: &random) {
      case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2: bytes.removeSubrange(place..<end)
      case 3: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
      case 4: bytes.replaceSubrange(place..<end, with: words.randomElement(using: &random) ?? [])
      case 5: bytes.removeSubrange(end...)
      default:
        // A whole number, so that ids and sizes change and the rest stays right.
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
        guard let first = bytes[place...].firstIndex(where: isDigit) else { continue }
        let last = bytes[first...].firstIndex { !isDigit($0) } ?? bytes.count
        bytes.replaceSubrange(first..<last, with: Array(String(Int.random(in: -1...60, using: &random)).utf8))
      }
    }
    return bytes
  }

  /// Reads a file; where that goes, encodes with it, and what it writes must be read again as the same.
  ///
  /// - Returns: Whether it was read.
  static func tries(_ bytes: [UInt8]) throws -> Bool {
    let isModel = bytes.first == 0x0A
    guard let tokenizer = try? isModel ? SentencePieceReader.read(bytes) : TokenizerReader.read(bytes) else {
      return false
    }
    let text = "  the fox’s e\u{301}\r\n日本<s> 🦊\0 a▁"
    let encoded = try tokenizer.encode(text, unknown: .skip, keepsOffsets: true)
    #expect(encoded.offsets?.count == encoded.ids.count)
    #expect(encoded.offsets?.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= text.utf8.count } == true)
    _ = tokenizer.decode(encoded.ids)
    let again = try TokenizerReader.read(Array(tokenizer.tokenizerJSON().utf8))
    #expect(try again.encode(text, unknown: .skip).ids == encoded.ids)
    return true
  }

  /// A few thousand in every run.
  @Test func survivesSomeDamage() throws { try fuzz(inputs: 3000, seconds: 60, seed: 1) }

  /// Two minutes; UNROLL_FUZZ_SECONDS says otherwise.
  @Test(.enabled(if: runsLongTests)) func survivesMuchDamage() throws {
    let seconds = ProcessInfo.processInfo.environment["UNROLL_FUZZ_SECONDS"].flatMap(Double.init) ?? 120
    try fuzz(inputs: .max, seconds: seconds, seed: UInt64(seconds) + 2)
  }

  private func fuzz(inputs: Int, seconds: Double, seed: UInt64) throws {
    let seeds = try Self.seeds()
    for seed in seeds { #expect(try Self.tries(seed), "an undamaged file") }
    var random = CounterRandom(seed: seed, purpose: .corpus)
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    var (tried, read) = (0, 0)
    while tried < inputs && (tried % 256 != 0 || clock.now < end) {
      let bytes = Self.damaged(seeds, using: &random)
      tried += 1
      do { if try Self.tries(bytes) { read += 1 } } catch {
        Issue.record("\(error) of \(Base64.encoded(bytes))")
        return
      }
    }
    #expect(read > tried / 1000, "\(read) of \(tried) were read")
    if seconds > 60 { print("fuzz of tokenizer files: \(tried) inputs, \(read) of them read") }
  }
}
