import TestSupport
import Testing
import UnicodeText

/// Unicode's own test files.
@Suite struct ConformanceTests {
  /// NormalizationTest.txt: its five columns, and the relations between them that its head states.
  @Test func passesTheNormalizationTest() throws {
    let data = try UnicodeData("NormalizationTest.txt")
    let known = try UnicodeData.scalarsInBoth(data.version)
    var tested = 0
    for line in data.lines where !line.hasPrefix("@") {
      let columns = line.split(separator: ";").prefix(5).map { UnicodeData.text($0) }
      try #require(columns.count == 5)
      if let known, !columns.allSatisfy({ $0.scalarValues.allSatisfy(known.contains) }) { continue }
      tested += 1
      // For each form: the column that the first three become, and the one that the last two become.
      let rules: [(NormalizationForm, Int, Int)] = [(.nfc, 1, 3), (.nfd, 2, 4), (.nfkc, 3, 3), (.nfkd, 4, 4)]
      for (form, first, last) in rules {
        for column in 0..<5 {
          let expected = columns[column < 3 ? first : last].scalarValues
          #expect(
            form.normalize(columns[column]).scalarValues == expected, "\(form) of column \(column + 1) of \(line)")
        }
      }
    }
    #expect(tested > 15_000, "only \(tested) lines were tested")
  }

  /// The second rule of its head: a scalar that is not in the first column of part 1 is its own normal form.
  @Test(arguments: [NormalizationForm.nfc, .nfd, .nfkc, .nfkd])
  func keepsEveryOtherScalar(_ form: NormalizationForm) throws {
    let data = try UnicodeData("NormalizationTest.txt")
    let known = try UnicodeData.scalarsInBoth(data.version)
    let part = data.lines.drop { !$0.hasPrefix("@Part1") }.dropFirst().prefix { !$0.hasPrefix("@") }
    let listed = Set(part.flatMap { UnicodeData.text($0.prefix { $0 != ";" }).scalarValues })
    #expect(listed.count > 15_000)
    let others = everyScalar.filter { !listed.contains($0.value) && known?.contains($0.value) ?? true }
    #expect(others.count > 100_000)
    var text = String.UnicodeScalarView()
    for scalar in others {
      text.append(scalar)
      text.append("\n")
    }
    let normalized = form.normalize(String(text)).unicodeScalars
    #expect(normalized.elementsEqual(text))
  }

  /// CaseFolding.txt: C and F are the full foldings; every scalar that has none stays.
  @Test func foldsAsCaseFoldingSays() throws {
    let data = try UnicodeData("CaseFolding.txt")
    let known = try UnicodeData.scalarsInBoth(data.version)
    var foldings: [UInt32: [UInt32]] = [:]
    for line in data.lines {
      let fields = line.split(separator: ";").map { $0.filter { $0 != " " } }
      guard let value = UInt32(fields[0], radix: 16), ["C", "F"].contains(fields[1]) else { continue }
      foldings[value] = UnicodeData.text(line.split(separator: ";")[2]).scalarValues
    }
    #expect(foldings.count > 1_400)
    let folder = Normalizer([.caseFolding])
    for scalar in everyScalar where known?.contains(scalar.value) ?? true {
      let expected = foldings[scalar.value] ?? [scalar.value]
      let folded = folder.normalize(String(scalar)).scalarValues
      if folded != expected { Issue.record("U+\(String(scalar.value, radix: 16)) folds to \(folded), not \(expected)") }
    }
  }

  /// UnicodeData.txt and SpecialCasing.txt: the lowercase of every scalar by itself, and the marks.
  @Test func lowercasesAndStripsAsUnicodeDataSays() throws {
    let data = try UnicodeData("UnicodeData.txt", version: UnicodeData("SpecialCasing.txt").version)
    let known = try UnicodeData.scalarsInBoth(data.version)
    var lowercase: [UInt32: [UInt32]] = [:]
    var marks: Set<UInt32> = []
    for line in data.lines {
      let fields = line.split(separator: ";", omittingEmptySubsequences: false)
      guard let value = UInt32(fields[0], radix: 16) else { continue }
      if !fields[13].isEmpty { lowercase[value] = UnicodeData.text(fields[13]).scalarValues }
      if fields[2].hasPrefix("M") { marks.insert(value) }
    }
    for line in try UnicodeData("SpecialCasing.txt").lines {
      let fields = line.split(separator: ";").filter { !$0.allSatisfy(\.isWhitespace) }
      // A fifth field is a condition.
      guard fields.count == 4, let value = UInt32(fields[0], radix: 16) else { continue }
      lowercase[value] = UnicodeData.text(fields[1]).scalarValues
    }
    #expect(marks.count > 2_000 && lowercase.count > 1_400 && lowercase[0x130] == [0x69, 0x307])
    let (lowering, stripping) = (Normalizer([.lowercase]), Normalizer([.stripAccents]))
    for scalar in everyScalar where known?.contains(scalar.value) ?? true {
      let lower = lowering.normalize(String(scalar)).scalarValues
      if lower != lowercase[scalar.value] ?? [scalar.value] {
        Issue.record("U+\(String(scalar.value, radix: 16)) has the lowercase \(lower)")
      }
      if stripping.normalize(String(scalar)).isEmpty != marks.contains(scalar.value) {
        Issue.record("U+\(String(scalar.value, radix: 16)) is wrongly taken for a mark, or for none")
      }
    }
  }

  /// GraphemeBreakTest.txt: ÷ is a boundary, × is none.
  @Test func breaksAsTheGraphemeBreakTestSays() throws {
    let data = try UnicodeData("auxiliary/GraphemeBreakTest.txt")
    try #require(data.version == unicodeVersion, "the rules differ from version to version")
    for line in data.lines {
      let clusters = line.split(separator: "÷").map {
        UnicodeData.text($0.split(separator: "×").joined(separator: " ").filter { $0 != "\t" })
      }.filter { !$0.isEmpty }
      let text = clusters.flatMap(\.unicodeScalars)
      let found = GraphemeClusters(text).map(\.scalarValues)
      #expect(found == clusters.map(\.scalarValues), "\(line)")
    }
    #expect(data.lines.count > 500)
  }
}
