/// A normalization form at work on a stream of scalars: a starter and the marks after it, until the next starter that
/// does not join them (UAX #15, section 9.3). Time is linear in the scalars; memory is that of the longest run of
/// marks.
struct CanonicalSegment<Scalar: StepScalar>: Sendable {
  private struct Mark: Sendable {
    var scalar: Scalar
    var combiningClass: UInt8
  }

  private let tables = ScalarTables.shared
  private let inert: ScalarTables.Flags
  private let mapping: ScalarMapping
  private let undecomposed: ScalarTables.Flags
  private let composes: Bool
  private var starter: Scalar?
  /// Whether the starter may yet have to be decomposed: a mark that follows can belong before one of its own.
  private var isWhole = false
  private var marks: [Mark] = []

  init(_ form: NormalizationForm) {
    precondition(form != .none, "no segment is needed where text keeps its form")
    switch form {
    case .nfc, .none: inert = .inertInNFC
    case .nfd: inert = .inertInNFD
    case .nfkc: inert = .inertInNFKC
    case .nfkd: inert = .inertInNFKD
    }
    composes = form == .nfc || form == .nfkc
    let isCanonical = form == .nfc || form == .nfd
    mapping = isCanonical ? .canonical : .compatibility
    undecomposed = isCanonical ? .isItsCanonicalDecomposition : .isItsCompatibilityDecomposition
  }

  mutating func process(_ input: [Scalar], into output: inout [Scalar]) {
    for scalar in input {
      let entry = tables[scalar.value]
      if entry.has(inert) {
        emit(into: &output)
        starter = scalar
        isWhole = composes && scalar.value >= 0xC0 && !Hangul.isSyllable(scalar.value)
      } else if !composes && Hangul.isSyllable(scalar.value) {
        emit(into: &output)
        appendJamo(scalar, into: &output)
      } else {
        if isWhole, let whole = starter {
          starter = nil
          decompose(whole, tables[whole.value], into: &output)
        }
        decompose(scalar, entry, into: &output)
      }
    }
  }

  /// Appends what is held: no more can join it.
  mutating func emit(into output: inout [Scalar]) {
    closeMarks()
    flush(into: &output)
  }

  private mutating func flush(into output: inout [Scalar]) {
    if let starter { output.append(starter) }
    starter = nil
    isWhole = false
    guard !marks.isEmpty else { return }
    for mark in marks { output.append(mark.scalar) }
    marks.removeAll(keepingCapacity: true)
  }

  @inline(__always)
  private mutating func decompose(_ scalar: Scalar, _ entry: ScalarTables.Entry, into output: inout [Scalar]) {
    isWhole = false
    if entry.has(undecomposed) {
      push(scalar, entry.combiningClass, into: &output)
      return
    }
    forEachScalar(of: scalar.value, mapping) { value in
      push(scalar.replaced(by: value), tables[value].combiningClass, into: &output)
    }
  }

  /// A syllable's jamo are starters, and nothing joins them in a decomposed form.
  private func appendJamo(_ syllable: Scalar, into output: inout [Scalar]) {
    let index = syllable.value - 0xAC00
    output.append(syllable.replaced(by: 0x1100 + index / 588))
    output.append(syllable.replaced(by: 0x1161 + index / 28 % 21))
    if index % 28 != 0 { output.append(syllable.replaced(by: 0x11A7 + index % 28)) }
  }

  /// Takes a scalar that is fully decomposed.
  private mutating func push(_ scalar: Scalar, _ combiningClass: UInt8, into output: inout [Scalar]) {
    if combiningClass != 0 {
      marks.append(Mark(scalar: scalar, combiningClass: combiningClass))
      return
    }
    closeMarks()
    if composes, marks.isEmpty, let first = starter, let whole = tables.composite(first.value, scalar.value) {
      starter = first.joined(with: scalar, as: whole)
      return
    }
    flush(into: &output)
    starter = scalar
  }

  /// Puts the marks in canonical order, and joins to the starter those that it composes with.
  private mutating func closeMarks() {
    guard !marks.isEmpty else { return }
    sortMarks()
    guard composes, var first = starter else { return }
    var kept = 0
    for index in marks.indices {
      let mark = marks[index]
      // Blocked (Unicode 16, D115) where a mark of the same class stays before it; the classes ascend.
      let isBlocked = kept > 0 && marks[kept - 1].combiningClass == mark.combiningClass
      if !isBlocked, let whole = tables.composite(first.value, mark.scalar.value) {
        first = first.joined(with: mark.scalar, as: whole)
      } else {
        marks[kept] = mark
        kept += 1
      }
    }
    starter = first
    marks.removeSubrange(kept...)
  }

  /// The canonical ordering algorithm (Unicode 16, D109), by insertion for a few marks and else by counting.
  private mutating func sortMarks() {
    let isSorted = zip(marks, marks.dropFirst()).allSatisfy { $0.combiningClass <= $1.combiningClass }
    if isSorted { return }
    if marks.count > 16 {
      countingSort()
      return
    }
    for index in 1..<marks.count {
      var place = index
      while place > 0 && marks[place - 1].combiningClass > marks[place].combiningClass {
        marks.swapAt(place - 1, place)
        place -= 1
      }
    }
  }

  private mutating func countingSort() {
    var starts = [Int](repeating: 0, count: 257)
    for mark in marks { starts[Int(mark.combiningClass) + 1] += 1 }
    for combiningClass in 1...256 { starts[combiningClass] += starts[combiningClass - 1] }
    var sorted = marks
    for mark in marks {
      sorted[starts[Int(mark.combiningClass)]] = mark
      starts[Int(mark.combiningClass)] += 1
    }
    marks = sorted
  }
}
