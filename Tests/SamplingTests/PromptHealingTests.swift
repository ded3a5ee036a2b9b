import Sampling
import Testing
import Tokenization

@Suite struct PromptHealingTests {
  /// BPE of characters with these tokens in this order, all merged from their first part and last character.
  private static func tokenizer(_ tokens: [String]) throws -> any Tokenizer {
    let vocabulary = tokens.enumerated().map { "\"\($1)\":\($0)" }.joined(separator: ",")
    let merges = tokens.filter { $0.count > 1 }.map { "[\"\($0.dropLast())\",\"\($0.suffix(1))\"]" }
    return try TokenizerReader.read(
      Array(#"{"model":{"type":"BPE","vocab":{\#(vocabulary)},"merges":[\#(merges.joined(separator: ","))]}}"#.utf8))
  }

  private static let tokens = ["h", "a", "r", "b", "o", "ha", "har", "harb", "ho"]

  private static func allowed(_ healing: PromptHealing) -> [Int] {
    var logits = (0..<tokens.count).map { Double($0) }
    healing.constrain(&logits)
    for (id, logit) in logits.enumerated() where logit.isFinite { #expect(logit == Double(id)) }
    return logits.indices.filter { logits[$0].isFinite }
  }

  /// What is taken back, and what may come first: all tokens that the rest begins with, or that begin with it.
  @Test(arguments: [
    ("oha", "o", "ha", [0, 5, 6, 7]), ("ob", "ob", "", Array(0..<9)), ("harb", "harb", "", Array(0..<9)),
    ("h", "", "h", [0, 5, 6, 7, 8]), ("", "", "", Array(0..<9)), ("bar", "bar", "", Array(0..<9)),
  ])
  func takesBack(_ prompt: String, _ kept: String, _ rest: String, _ first: [Int]) throws {
    let tokenizer = try Self.tokenizer(Self.tokens)
    let healing = PromptHealing(try tokenizer.encode(prompt, unknown: .fail).ids, tokenizer)
    #expect(tokenizer.decode(healing.prompt) == kept && String(decoding: healing.rest, as: UTF8.self) == rest)
    #expect(Self.allowed(healing) == first && healing.isDone == rest.isEmpty)
  }

  /// Several tokens are taken back where they begin a longer one together, and may be drawn again one by one.
  @Test func takesBackSeveralTokens() throws {
    let tokenizer = try Self.tokenizer(Self.tokens)
    // As no text is cut, but as a prompt may be given: h, a.
    var healing = PromptHealing([4, 0, 1], tokenizer)
    #expect(healing.prompt == [4] && healing.rest == Array("ha".utf8))
    #expect(Self.allowed(healing) == [0, 5, 6, 7])
    healing.take(1)
    #expect(Self.allowed(healing) == [1] && !healing.isDone)
    healing.take(1)
    #expect(Self.allowed(healing) == Array(0..<9) && healing.isDone)
  }

  /// A token after which the rest cannot be spelt is not allowed.
  @Test func leavesNoDeadEnd() throws {
    let tokenizer = try TokenizerReader.read(
      Array(#"{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1],["ab",-2],["abc",-3]]}}"#.utf8))
    var logits = [0.0, 1, 2, 3]
    PromptHealing([2], tokenizer).constrain(&logits)
    #expect(logits == [-.infinity, -.infinity, 2, 3])
  }

  /// Vocabularies whose tokens never begin one another are left alone.
  @Test func leavesCharactersAlone() throws {
    let healing = PromptHealing([0x61, 0xC3], ByteTokenizer(normalization: .none))
    #expect(healing.prompt == [0x61, 0xC3] && healing.rest.isEmpty)
  }

  @Test func decoderLeavesOutWhatWasWrittenBefore() {
    var decoder = StreamingDecoder(ByteTokenizer(normalization: .none), goesOn: true)
    decoder.leaveOut(3)
    #expect("aé日".utf8.map { decoder.take(Int32($0)) }.joined() == "日")
  }
}
