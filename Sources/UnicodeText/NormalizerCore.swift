/// Where the output of a ``NormalizerCore`` goes.
protocol NormalizerOutput {
  associatedtype Scalar: StepScalar
  mutating func append(_ scalars: [Scalar])
  /// Appends scalars that stay as they are.
  ///
  /// - Parameters:
  ///   - source: Where the first byte stands in the original text.
  ///   - lowercasingASCII: Whether ASCII capitals become small letters.
  mutating func append(unchanged bytes: UnsafeBufferPointer<UInt8>, source: Int, lowercasingASCII: Bool)
}

/// Decodes and normalizes a stream of bytes: runs of scalars that no step changes are copied, and what is between them
/// goes through the steps one after another, in blocks.
struct NormalizerCore<Output: NormalizerOutput>: Sendable {
  typealias Scalar = Output.Scalar
  private static var blockSize: Int { 4096 }

  private let scan: InertScan
  private let policy: InvalidUTF8.Policy
  private var steps: [RunningStep<Scalar>]
  private var block: [Scalar] = []
  private var next: [Scalar] = []
  /// Whether the steps hold something back.
  private var holds = false
  /// The beginning of a sequence that the last bytes ended within.
  private var partial: [UInt8] = []
  /// Bytes of the original text before `partial`.
  private var position = 0
  private(set) var replacements = 0

  init(_ steps: [Normalizer.Step], _ policy: InvalidUTF8.Policy) {
    scan = InertScan(steps)
    self.policy = policy
    self.steps = steps.map { RunningStep($0) }
  }

  /// Takes the next bytes; with `ends`, the last.
  ///
  /// - Returns: The first invalid sequence, where the policy is to refuse it; then no more must be appended.
  mutating func append(_ bytes: UnsafeBufferPointer<UInt8>, to output: inout Output, ends: Bool) -> InvalidUTF8? {
    if partial.isEmpty { return process(bytes, into: &output, ends: ends) }
    let whole = partial + bytes
    partial.removeAll()
    return whole.withUnsafeBufferPointer { process($0, into: &output, ends: ends) }
  }

  private mutating func process(
    _ bytes: UnsafeBufferPointer<UInt8>, into output: inout Output, ends: Bool
  ) -> InvalidUTF8? {
    var place = 0
    while place < bytes.count {
      copyRun(bytes, from: &place, into: &output, ends: ends)
      guard place < bytes.count else { break }
      switch UTF8Sequence(bytes, at: place) {
      case .scalar(let value, let length):
        push(value, place, length)
        place += length
      case .truncated where !ends:
        partial = Array(bytes[place...])
        drain(into: &output, ends: false)
        position += place
        return nil
      case .invalid, .truncated:
        let length = UTF8Sequence.invalidLength(bytes, at: place)
        guard policy == .replace else { return InvalidUTF8(offset: position + place) }
        replacements += 1
        push(0xFFFD, place, length)
        place += length
      }
      if block.count >= Self.blockSize { drain(into: &output, ends: false) }
    }
    drain(into: &output, ends: ends)
    position += bytes.count
    return nil
  }

  /// Copies the run of unchanged scalars at `place`. Nothing before it can join its first; what follows may join its
  /// last.
  @inline(__always)
  private mutating func copyRun(
    _ bytes: UnsafeBufferPointer<UInt8>, from place: inout Int, into output: inout Output, ends: Bool
  ) {
    let isWaiting = holds || !block.isEmpty
    let run = scan.run(bytes, from: place, joinsCR: isWaiting)
    guard run.end > place else { return }
    if isWaiting { drain(into: &output, ends: true) }
    let isLast = ends && run.end == bytes.count
    let copied = scan.joinsBackward && !isLast ? run.last : run.end
    if copied > place {
      output.append(
        unchanged: UnsafeBufferPointer(rebasing: bytes[place..<copied]), source: position + place,
        lowercasingASCII: scan.changesASCII)
    }
    if copied < run.end, case .scalar(let value, let length) = UTF8Sequence(bytes, at: copied) {
      push(value, copied, length)
    }
    place = run.end
  }

  @inline(__always)
  private mutating func push(_ value: UInt32, _ place: Int, _ length: Int) {
    block.append(Scalar(value, source: position + place..<position + place + length))
  }

  /// Sends the block through all steps; with `ends`, nothing that follows can join what they hold.
  private mutating func drain(into output: inout Output, ends: Bool) {
    holds = !ends && !steps.isEmpty && (holds || !block.isEmpty)
    for index in steps.indices {
      steps[index].process(block, into: &next, ends: ends)
      swap(&block, &next)
      next.removeAll(keepingCapacity: true)
    }
    output.append(block)
    block.removeAll(keepingCapacity: true)
  }
}
