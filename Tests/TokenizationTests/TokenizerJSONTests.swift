import Compute
import ModelFiles
import TestSupport
import Testing
import Tokenization
import UnicodeText

@Suite struct TokenizerJSONTests {
  private static let hard: [Unicode.Scalar] = [
    "\"", "\\", "/", "\0", "\n", "\r", "\t", "\u{1F}", " ", "\u{7F}", "\u{A0}", "\u{AD}", "e", "\u{301}", "\u{E9}",
    "\u{200D}",
    "\u{2028}", "\u{2029}", "\u{FEFF}", "\u{FFFD}", "\u{FFFF}", "😀", "\u{1F3FD}", "\u{10FFFF}", "<", "u", "n", "k", ">",
  ]

  @Test(
    arguments: try [
      "none", "nfc", "nfd", "nfkc", "nfkd", "lowercase", "nfd,strip-accents,nfc", "line-endings,nfkc,lowercase",
      "nfkc,casefold,nfkc",
    ].map { try TextNormalization(names: $0) }, [false, true])
  func readsWhatItWrote(_ form: TextNormalization, _ hasUnknown: Bool) throws {
    let tokenizer = CharacterTokenizer(scalars: Self.hard, hasUnknown: hasUnknown, normalization: form)
    let again = try CharacterTokenizer(tokenizerJSON: Array(tokenizer.tokenizerJSON().utf8))
    #expect(again == tokenizer)
    #expect(again.tokenizerJSON() == tokenizer.tokenizerJSON())
  }

  @Test(arguments: 0..<50)
  func readsAnyVocabulary(_ seed: Int) throws {
    var random = CounterRandom(seed: UInt64(seed), purpose: .corpus)
    let tokenizer = CharacterTokenizer(
      scalars: Array(Set(randomScalars(200, using: &random))), hasUnknown: seed % 2 == 0, normalization: .none)
    #expect(try CharacterTokenizer(tokenizerJSON: Array(tokenizer.tokenizerJSON().utf8)) == tokenizer)
  }

  /// The parts that Hugging Face's reader gives meaning to.
  @Test func writesABPEWithoutMerges() throws {
    let tokenizer = CharacterTokenizer(scalars: ["b", "a"], hasUnknown: true, normalization: .nfkc)
    let document = try JSON(parsing: Array(tokenizer.tokenizerJSON().utf8))
    #expect(document["normalizer"]?["type"]?.string == "NFKC")
    #expect(document["decoder"]?["type"]?.string == "Fuse")
    #expect(document["pre_tokenizer"]?.isNull == true)
    #expect(document["added_tokens"]?.array?.isEmpty == true)
    let model = try #require(document["model"])
    #expect(model["type"]?.string == "BPE")
    #expect(model["unk_token"]?.string == "<unk>")
    #expect(model["merges"]?.array?.isEmpty == true)
    #expect(model["vocab"]?.members?.map(\.key) == ["<unk>", "a", "b"])
    #expect(model["vocab"]?.members?.map(\.value.integer) == [0, 1, 2])
  }

  private static func document(
    model: String = #""vocab":{"a":0,"b":1},"merges":[]"#, type: String = "BPE", rest: String = ""
  ) -> String {
    #"{"model":{"type":"\#(type)",\#(model)}\#(rest)}"#
  }

  @Test func readsTheLeastThereCanBe() throws {
    let tokenizer = try CharacterTokenizer(tokenizerJSON: Array(Self.document().utf8))
    #expect(tokenizer == CharacterTokenizer(scalars: ["a", "b"], hasUnknown: false, normalization: .none))
  }

  /// Ids need not be in the order of scalars, and `<unk>` may have any id and name.
  @Test func readsIdsInAnyOrder() throws {
    let text = Self.document(model: #""vocab":{"z":1,"[UNK]":2,"a":0},"merges":[],"unk_token":"[UNK]""#)
    let tokenizer = try CharacterTokenizer(tokenizerJSON: Array(text.utf8))
    #expect(tokenizer.unknownID == 2)
    #expect(try tokenizer.encode("az?", unknown: .replace).ids == [0, 1, 2])
  }

  @Test(arguments: [
    ("[1", "is not JSON"), ("{}", "is not a character tokenizer"),
    (document(type: "Unigram"), "is not a character tokenizer"),
    (document(model: #""vocab":{"a":0,"b":1}"#), "is not a character tokenizer"),
    (document(model: #""vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]]"#), "is not a character tokenizer"),
    (document(model: #""vocab":{"a":0},"merges":[],"byte_fallback":true"#), "is not a character tokenizer"),
    (document(model: #""vocab":{"a":0},"merges":[],"fuse_unk":true"#), "is not a character tokenizer"),
    (document(model: #""vocab":{"a":0},"merges":[],"continuing_subword_prefix":"Ġ""#), "is not a character tokenizer"),
    (document(model: #""vocab":{"a":0},"merges":[],"end_of_word_suffix":"</w>""#), "is not a character tokenizer"),
    (document(model: #""vocab":{"a":0},"merges":[],"ignore_merges":true"#), "is not a character tokenizer"),
    (document(rest: #","pre_tokenizer":{"type":"Whitespace"}"#), "is not a character tokenizer"),
    (document(rest: #","post_processor":{"type":"ByteLevel"}"#), "is not a character tokenizer"),
    (document(rest: #","added_tokens":[{"id":2,"content":"<s>"}]"#), "is not a character tokenizer"),
    (document(rest: #","truncation":{"max_length":8}"#), "is not a character tokenizer"),
    (document(rest: #","padding":{"strategy":"BatchLongest"}"#), "is not a character tokenizer"),
    (document(rest: #","normalizer":{"type":"Nmt"}"#), "has the normalizer Nmt, which this version does not know"),
    (document(rest: #","normalizer":{"type":"NONE"}"#), "has the normalizer NONE, which this version does not know"),
    (document(rest: #","normalizer":"NFC""#), "has a normalizer without a type"),
    (document(rest: #","normalizer":{"type":"Sequence"}"#), "has the normalizer Sequence"),
    (
      document(rest: #","normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Bert"}]}"#),
      "has the normalizer Bert"
    ),
    (
      document(rest: #","normalizer":{"type":"Replace","pattern":{"Regex":"a+"},"content":"b"}"#),
      "has the normalizer Replace with this pattern"
    ),
    (
      document(rest: #","normalizer":{"type":"Replace","pattern":{"String":""},"content":"b"}"#),
      "has the normalizer Replace with this pattern"
    ),
    (document(rest: #","normalizer":{"type":"Prepend"}"#), "has the normalizer Prepend"),
    (
      document(rest: #","normalizer":{"type":"Precompiled","precompiled_charsmap":"AAAA"}"#),
      "has the normalizer Precompiled, which this version does not know; give the sentencepiece .model"
    ),
    (document(model: #""vocab":{},"merges":[]"#), "has no vocabulary"),
    (document(model: #""vocab":["a"],"merges":[]"#), "has no vocabulary"),
    (document(model: #""merges":[]"#), "has no vocabulary"),
    (document(model: #""vocab":{"a":0,"b":0},"merges":[]"#), "\"b\" an id that is taken or not of 0 ..< 2"),
    (document(model: #""vocab":{"a":0,"b":2},"merges":[]"#), "\"b\" an id that is taken or not of 0 ..< 2"),
    (document(model: #""vocab":{"a":-1,"b":1},"merges":[]"#), "\"a\" an id that is taken or not of 0 ..< 2"),
    (document(model: #""vocab":{"a":0,"b":1.0},"merges":[]"#), "\"b\" an id that is taken or not of 0 ..< 2"),
    (document(model: #""vocab":{"a":0,"b":9223372036854775807},"merges":[]"#), "an id that is taken"),
    (document(model: #""vocab":{"a":0,"a":1},"merges":[]"#), "stands twice"),
    (document(model: #""vocab":{"a":0,"ab":1},"merges":[]"#), "\"ab\", which is not one character"),
    (document(model: #""vocab":{"a":0,"e\u0301":1},"merges":[]"#), "which is not one character"),
    (document(model: #""vocab":{"a":0,"":1},"merges":[]"#), "\"\", which is not one character"),
    (document(model: #""vocab":{"a":0,"<unk>":1},"merges":[]"#), "\"<unk>\", which is not one character"),
    (
      document(model: #""vocab":{"a":0},"merges":[],"unk_token":"<unk>""#),
      "names an unknown token that its vocabulary lacks"
    ),
  ])
  func refuses(_ text: String, _ expected: String) {
    let error = #expect(throws: TokenizerJSONError.self) { try CharacterTokenizer(tokenizerJSON: Array(text.utf8)) }
    #expect(error?.description.contains(expected) == true, "\(error?.description ?? "nothing")")
  }

  /// Settings that say nothing, as other writers put them.
  @Test(arguments: [
    #""fuse_unk":false,"continuing_subword_prefix":"","end_of_word_suffix":"","dropout":null"#,
    #""continuing_subword_prefix":null,"unk_token":null,"byte_fallback":false,"ignore_merges":false"#,
  ])
  func acceptsSettingsThatSayNothing(_ settings: String) throws {
    let text = Self.document(model: #""vocab":{"a":0,"b":1},"merges":[],"# + settings)
    #expect(try CharacterTokenizer(tokenizerJSON: Array(text.utf8)).vocabularySize == 2)
  }
}
