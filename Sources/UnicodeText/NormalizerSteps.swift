import CUTF8Proc

/// A scalar on its way through the steps of a ``Normalizer``, with or without the place that it came from.
protocol StepScalar: Sendable {
  var value: UInt32 { get }
  init(_ value: UInt32, source: Range<Int>)
  func replaced(by value: UInt32) -> Self
  /// What two scalars became together: it came from all bytes from the first to the last.
  func joined(with other: Self, as value: UInt32) -> Self
}

struct BareScalar: StepScalar {
  let value: UInt32

  @inline(__always) init(_ value: UInt32, source: Range<Int>) { self.value = value }
  @inline(__always) func replaced(by value: UInt32) -> Self { Self(value, source: 0..<0) }
  @inline(__always) func joined(with other: Self, as value: UInt32) -> Self { Self(value, source: 0..<0) }
}

struct TracedScalar: StepScalar {
  let value: UInt32
  let source: Range<Int>

  init(_ value: UInt32, source: Range<Int>) {
    self.value = value
    self.source = source
  }
  func replaced(by value: UInt32) -> Self { Self(value, source: source) }
  func joined(with other: Self, as value: UInt32) -> Self {
    // A scalar joins one before it, and no step puts anything before its starter.
    Self(value, source: source.lowerBound..<max(source.upperBound, other.source.upperBound))
  }
}

/// One step of a ``Normalizer`` at work on a stream of scalars.
struct RunningStep<Scalar: StepScalar>: Sendable {
  let step: Normalizer.Step
  private let tables = ScalarTables.shared
  private var segment: CanonicalSegment<Scalar>?
  /// A carriage return that a line feed may follow.
  private var carriageReturn: Scalar?

  init(_ step: Normalizer.Step) {
    self.step = step
    if let form = step.form { segment = CanonicalSegment(form) }
  }

  /// Appends what becomes of `input` to `output`; with `ends`, no more follows that could join it.
  mutating func process(_ input: [Scalar], into output: inout [Scalar], ends: Bool) {
    switch step {
    case .nfc, .nfd, .nfkc, .nfkd:
      segment?.process(input, into: &output)
      if ends { segment?.emit(into: &output) }
    case .caseFolding:
      for scalar in input { fold(scalar, into: &output) }
    case .lowercase:
      for scalar in input { lowercase(scalar, into: &output) }
    case .stripAccents:
      for scalar in input where tables[scalar.value].has(.isNoMark) { output.append(scalar) }
    case .lineEndings:
      for scalar in input { unifyLineEnding(scalar, into: &output) }
      if ends { emitCarriageReturn(into: &output) }
    }
  }

  private func fold(_ scalar: Scalar, into output: inout [Scalar]) {
    guard !tables[scalar.value].has(.isItsFolding) else {
      output.append(scalar)
      return
    }
    forEachScalar(of: scalar.value, .folding) { output.append(scalar.replaced(by: $0)) }
  }

  private func lowercase(_ scalar: Scalar, into output: inout [Scalar]) {
    guard !tables[scalar.value].has(.isItsLowercase) else {
      output.append(scalar)
      return
    }
    output.append(scalar.replaced(by: UInt32(utf8proc_tolower(Int32(scalar.value)))))
    // SpecialCasing.txt's only unconditional lowercase of more than one scalar.
    if scalar.value == 0x130 { output.append(scalar.replaced(by: 0x307)) }
  }

  private mutating func unifyLineEnding(_ scalar: Scalar, into output: inout [Scalar]) {
    if let first = carriageReturn, scalar.value == 0x0A {
      output.append(first.joined(with: scalar, as: 0x0A))
      carriageReturn = nil
      return
    }
    emitCarriageReturn(into: &output)
    if scalar.value == 0x0D { carriageReturn = scalar } else { output.append(scalar) }
  }

  private mutating func emitCarriageReturn(into output: inout [Scalar]) {
    if let first = carriageReturn { output.append(first.replaced(by: 0x0A)) }
    carriageReturn = nil
  }
}
