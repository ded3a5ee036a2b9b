import ModelFiles
import TestSupport
import Testing
import Tokenization

@Suite struct SubwordJSONTests {
  @Test func readsWhatItWrote() throws {
    var all = try completeTokenizers(.nfc)
    all.append(("no fallback", try UnigramTrainer(options(200, .gpt2, fallsBack: false)).train(trainingText)))
    all.append(
      (
        "no fallback",
        try BytePairTrainer(options(200, .gpt2, fallsBack: false), isByteLevel: false).train(trainingText)
      ))
    var special = options(300)
    special.specialSymbols = ["<s>", "</s>"]
    all.append(("special", try BytePairTrainer(special, isByteLevel: true).train(trainingText)))
    for (name, tokenizer) in all {
      let again = try read(tokenizer.tokenizerJSON())
      #expect(again.tokenizerJSON() == tokenizer.tokenizerJSON() && type(of: again) == type(of: tokenizer), "\(name)")
      #expect(again.unknownID == tokenizer.unknownID && again.vocabularySize == tokenizer.vocabularySize)
      for text in hardTexts + [trainingText] {
        #expect(try again.encode(text, unknown: .skip).ids == tokenizer.encode(text, unknown: .skip).ids, "\(name)")
      }
    }
  }

  @Test func readsCharactersAsCharacters() throws {
    let tokenizer = CharacterTokenizer(scalars: ["a", "b"], hasUnknown: true, normalization: .nfc)
    #expect(try read(tokenizer.tokenizerJSON()) as? CharacterTokenizer == tokenizer)
    let bundled = try Files.read("\(packagePath)/models/harbour/tokenizer.json")
    let harbour = try TokenizerReader.read(bundled)
    #expect(harbour is CharacterTokenizer && Array(harbour.tokenizerJSON().utf8) == bundled)
  }

  /// The parts that Hugging Face's reader gives meaning to.
  @Test func writesByteLevelAsGPT2Does() throws {
    let tokenizer = try BytePairTrainer(options(257), isByteLevel: true).train("a a a")
    let document = try JSON(parsing: Array(tokenizer.tokenizerJSON().utf8))
    #expect(document["pre_tokenizer"]?["type"]?.string == "ByteLevel")
    #expect(
      document["pre_tokenizer"]?["use_regex"]?.bool == true
        && document["pre_tokenizer"]?["add_prefix_space"]?.bool == false)
    #expect(document["decoder"]?["type"]?.string == "ByteLevel")
    let vocabulary = try #require(document["model"]?["vocab"]?.members)
    #expect(vocabulary.first?.key == "!" && vocabulary[255].key == "\u{143}" && vocabulary[256].key == "Ġa")
    #expect(document["model"]?["merges"]?.array?.first?.array?.map(\.string) == ["Ġ", "a"])
  }

  private static func bpe(_ vocabulary: String, _ merges: String, rest: String = "") -> String {
    #"{"model":{"type":"BPE","vocab":{\#(vocabulary)},"merges":[\#(merges)]}\#(rest)}"#
  }

  private static func unigram(_ vocabulary: String, settings: String = #","unk_id":0"#, rest: String = "") -> String {
    #"{"model":{"type":"Unigram","vocab":[\#(vocabulary)]\#(settings)}\#(rest)}"#
  }

  private static let abc = #""a":0,"b":1,"ab":2"#

  static let hostile: [(String, String)] = [
    ("[1", "is not JSON"), ("{}", "has no model"), (String(repeating: "[", count: 100_000), "more than 64 levels"),
    (#"{"model":{"type":"WordPiece","vocab":{}}}"#, "\"WordPiece\", which this version does not know"),
    (#"{"model":{"type":"BPE","vocab":{"ab":0,"a":1}}}"#, "has no list of merges"),
    (bpe(#""a":0,"ab":1"#, #"["a","b"]"#), "of a token that its vocabulary lacks"),
    (bpe(#""a":0,"b":1"#, #"["a","b"]"#), "whose result its vocabulary lacks"),
    (bpe(abc, #"["a","b"],["a","b"]"#), "number 2, a b twice"), (bpe(abc, #"["a"]"#), "is not a pair"),
    (bpe(abc, #""a b c""#), "is not a pair"), (bpe(abc, "[1,2]"), "is not a pair"), (bpe(abc, "7"), "is not a pair"),
    (bpe(#""a":0,"b":0,"ab":2"#, #"["a","b"]"#), "\"b\" an id that is taken or not of 0 ..< 3"),
    (bpe(#""a":0,"b":-1,"ab":2"#, #"["a","b"]"#), "\"b\" an id that is taken or not of 0 ..< 3"),
    (bpe(#""a":0,"b":1,"ab":1000000000"#, #"["a","b"]"#), "\"ab\" an id that is taken or not of 0 ..< 3"),
    (bpe(#""a":0,"b":1,"ab":9223372036854775807"#, #"["a","b"]"#), "an id that is taken"),
    (bpe(#""a":0,"a":1,"ab":2"#, #"["a","b"]"#), "stands twice"), (bpe(#""a":0,"":1"#, #"["a",""]"#), "without text"),
    (
      bpe(abc, #"["a","b"]"#, rest: #","added_tokens":[{"id":1000000000,"content":"<s>"}]"#),
      "\"<s>\" an id that is taken"
    ),
    (bpe(abc, #"["a","b"]"#, rest: #","added_tokens":[{"id":0,"content":"<s>"}]"#), "\"<s>\" an id that is taken"),
    (bpe(abc, #"["a","b"]"#, rest: #","added_tokens":[{"id":1,"content":"a"}]"#), "\"a\" two ids"),
    (bpe(abc, #"["a","b"]"#, rest: #","added_tokens":[{"id":-3,"content":"<s>"}]"#), "without content or id"),
    (bpe(abc, #"["a","b"]"#, rest: #","added_tokens":[{"id":3,"content":"x","lstrip":true}]"#), "settings that this"),
    (bpe(abc, #"["a","b"]"#, rest: #","pre_tokenizer":{"type":"BertPreTokenizer"}"#), "has a pre-tokenizer that"),
    (
      bpe(abc, #"["a","b"]"#, rest: #","pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true}"#),
      "has a pre-tokenizer"
    ),
    (bpe(abc, #"["a","b"]"#, rest: #","post_processor":{"type":"TemplateProcessing"}"#), "has a post-processor that"),
    (bpe(abc, #"["a","b"]"#, rest: #","truncation":{"max_length":8}"#), "asks for truncation"),
    (
      bpe(
        #""é":0,"日":1,"é日":2"#, #"["é","日"]"#, rest: #","pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false}"#),
      "not written in the byte-level alphabet"
    ),
    (unigram(""), "has no vocabulary"), (unigram(#"["<unk>",0],["a",-1],["a",-2]"#), "\"a\" twice"),
    (unigram(#"["<unk>",0],["a",NaN]"#), "is not JSON"), (unigram(#"["<unk>",0],["a",1e999]"#), "is not JSON"),
    (unigram(#"["<unk>",0],["a",null]"#), "number 1, that is not a token and its score"),
    (unigram(#"["<unk>",0],["a",1e300]"#), "number 1, that is not a token and its score"),
    (unigram(#"["<unk>",0],["a","x"]"#), "number 1, that is not a token and its score"),
    (unigram(#"["<unk>",0],["a"]"#), "number 1, that is not a token and its score"),
    (unigram(#"["<unk>",0],["",-1]"#), "without text"),
    (unigram(#"["a",-1]"#, settings: #","unk_id":1"#), "an unk_id that is not of its vocabulary"),
    (unigram(#"["a",-1]"#, settings: #","unk_id":-1"#), "an unk_id that is not of its vocabulary"),
  ]

  @Test(arguments: hostile)
  func refuses(_ text: String, _ expected: String) {
    let error = #expect(throws: TokenizerJSONError.self) { try read(text) }
    #expect(error?.description.contains(expected) == true, "\(error?.description ?? "nothing")")
  }

  /// Files of old write merges as texts.
  @Test func readsMergesOfOld() throws {
    let tokenizer = try read(Self.bpe(Self.abc, #""a b""#))
    #expect(try tokenizer.encode("abba", unknown: .fail).ids == [2, 1, 0])
  }

  /// sentencepiece's marks: a space before the text, and none of it in what is decoded.
  @Test(arguments: [
    ("always", "ab b", [1, 2, 3], "ab b"), ("never", "ab b", [4, 3], "ab b"), ("always", " ab", [1, 2], "ab"),
    ("always", "b", [3], "b"),
  ])
  func readsMarks(_ prepend: String, _ text: String, _ ids: [Int32], _ decoded: String) throws {
    let file = Self.unigram(
      #"["<unk>",0],["▁a",-2],["b",-3],["▁b",-4],["ab",-3]"#,
      rest: #","pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"\#(prepend)","split":true}"#)
    let tokenizer = try read(file)
    let encoded = try tokenizer.encode(text, unknown: .fail, keepsOffsets: true)
    #expect(encoded.ids == ids && tokenizer.decode(encoded.ids) == decoded)
    #expect(encoded.offsets?.last?.upperBound == text.utf8.count && encoded.offsets?.first?.lowerBound == 0)
  }
}
