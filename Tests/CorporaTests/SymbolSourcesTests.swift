import Corpora
import Testing

/// Sources by name.
@Suite struct SymbolSourcesTests {
  @Test(arguments: [
    ("reber", "reber"), ("continual-reber", "continual-reber"), ("adding", "adding:length=20,base=10"),
    ("adding:base=3", "adding:length=20,base=3"), ("copy:delay=7", "copy:delay=7,items=10,letters=8"),
    ("copy:letters=2,items=1,delay=0", "copy:delay=0,items=1,letters=2"), ("anbn:max=4", "anbn:max=4"),
    ("xor", "xor:lag=20,p=0.02"), ("xor:p=0.25,lag=4", "xor:lag=4,p=0.25"), ("xor:p=0", "xor:lag=20,p=0.0"),
    ("markov:states=3", "markov:states=3,matrix=1"),
  ])
  func parsesAndDescribes(_ text: String, _ description: String) throws {
    let source = try SymbolSources.parse(text)
    #expect(source.description == description)
    #expect(try SymbolSources.parse(description).text(length: 300, seed: 1) == source.text(length: 300, seed: 1))
  }

  @Test(arguments: [
    ("xor:delay=3", "the source xor has no parameter 'delay'; it has lag, p"),
    ("reber:x=1", "the source reber has no parameter 'x'; it has none"),
    ("xor:lag=2,lag=3", "the source xor is told lag twice"),
    ("xor:", "the source xor is told ''; it wants key=value, key=value, after the colon"),
    ("xor:lag", "the source xor is told 'lag'; it wants key=value, key=value, after the colon"),
    ("xor:lag=3,", "the source xor is told ''; it wants key=value, key=value, after the colon"),
    (
      "xor:lag=1",
      "the source xor wants lag, how far back the other bit is, to be a whole number from 2 to 100000, "
        + "not '1'"
    ),
    ("adding:length=7", "the source adding wants length to be an even number, not '7'"),
  ])
  func refusesInALine(_ text: String, _ message: String) {
    let error = #expect(throws: SourceError.self) { try SymbolSources.parse(text) }
    #expect(error?.description == message)
  }

  @Test(arguments: [
    "xor:lag=", "xor:lag=2.5", "xor:lag= 3", "xor:lag=1e3", "xor:lag=99999999999999999999", "xor:p=nan", "xor:p=0.6",
    "xor:p=-0.1", "xor:p=inf", "xor:p=some", "copy:letters=27", "copy:items=0", "anbn:max=0", "markov:states=1",
    "markov:states=27", "adding:base=11", "adding:length=0",
  ])
  func refusesValues(_ text: String) {
    let error = #expect(throws: SourceError.self) { try SymbolSources.parse(text) }
    #expect(error?.description.contains(" wants ") == true && error?.description.contains("\n") == false)
  }

  @Test(arguments: ["", "help", "Xor", "xor ", ":lag=2", "re\u{301}ber"])
  func aWrongNameGetsTheList(_ text: String) {
    let error = #expect(throws: SourceError.self) { try SymbolSources.parse(text) }
    let lines = error?.description.split(separator: "\n") ?? []
    #expect(lines.count == 1 + SymbolSources.all.count)
    for (line, kind) in zip(lines.dropFirst(), SymbolSources.all) {
      #expect(line.hasPrefix("  \(kind.name)") && line.hasSuffix(kind.summary) && line.count <= 120)
    }
  }
}
