/// Strict UTF-8 decoding and normalization of a text that comes in pieces.
///
/// Where the pieces are cut changes nothing: a sequence of UTF-8, a base and its marks, or CR LF may be split. The time
/// is linear in the bytes, however many marks follow one another; the memory is that of the longest run of marks (and of
/// a block of some thousand scalars), not of the text. With no steps it only decodes.
public struct NormalizerStream: Sendable {
  private var core: NormalizerCore<ByteOutput>

  public init(_ normalizer: Normalizer, invalid policy: InvalidUTF8.Policy = .refuse) {
    core = NormalizerCore(normalizer.steps, policy)
  }

  /// How many invalid sequences have become U+FFFD.
  public var replacements: Int { core.replacements }

  /// Takes the next bytes of the text, and appends what is known of the normalized text, in whole scalars.
  ///
  /// - Throws: ``InvalidUTF8`` with the offset from the beginning of the stream, where the policy is to refuse. The
  ///   stream must not be used after that.
  public mutating func append(_ bytes: some Sequence<UInt8>, to output: inout [UInt8]) throws(InvalidUTF8) {
    if let error = append(bytes, to: &output, ends: false) { throw error }
  }

  /// Ends the text: appends what was held back. A truncated sequence at the end is invalid.
  public mutating func finish(_ output: inout [UInt8]) throws(InvalidUTF8) {
    if let error = append(EmptyCollection(), to: &output, ends: true) { throw error }
  }

  /// Takes a whole text that is known to be valid.
  mutating func append(valid bytes: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
    _ = append(bytes, to: &output, ends: true)
  }

  private mutating func append(
    _ bytes: some Sequence<UInt8>, to output: inout [UInt8], ends: Bool
  ) -> InvalidUTF8? {
    var sink = ByteOutput()
    swap(&sink.bytes, &output)
    defer { swap(&sink.bytes, &output) }
    let result = bytes.withContiguousStorageIfAvailable { core.append($0, to: &sink, ends: ends) }
    if let result { return result }
    return Array(bytes).withUnsafeBufferPointer { core.append($0, to: &sink, ends: ends) }
  }
}

struct ByteOutput: NormalizerOutput {
  var bytes: [UInt8] = []

  mutating func append(_ scalars: [BareScalar]) {
    for scalar in scalars { bytes.append(utf8: scalar.value) }
  }

  mutating func append(unchanged run: UnsafeBufferPointer<UInt8>, source: Int, lowercasingASCII: Bool) {
    bytes.append(contentsOf: run)
    if lowercasingASCII { bytes.lowercaseASCII(last: run.count) }
  }
}

/// A normalized text with the place in the original that every scalar came from.
public struct NormalizedText: Sendable, Equatable {
  /// The normalized text.
  public fileprivate(set) var utf8: [UInt8] = []
  /// For every scalar of it, the bytes of the original text that it came from. Scalars that one became all have its
  /// bytes; a scalar that several became has the bytes from the first to the last of them. Where marks were put in
  /// order, the places are not.
  public fileprivate(set) var sources: [Range<Int>] = []
  /// Where every scalar begins in ``utf8``.
  public fileprivate(set) var starts: [Int] = []

  public init() {}

  /// Takes out all scalars, so that the next piece of a stream can come.
  public mutating func removeAll() {
    utf8.removeAll(keepingCapacity: true)
    sources.removeAll(keepingCapacity: true)
    starts.removeAll(keepingCapacity: true)
  }

  /// Takes out what comes before a byte of ``utf8``, where a scalar begins.
  public mutating func removeFirst(_ count: Int) {
    let scalars = firstScalar(from: count)
    precondition(
      scalars == starts.count ? count == utf8.count : starts[scalars] == count, "byte \(count) begins no scalar")
    utf8.removeFirst(count)
    sources.removeFirst(scalars)
    starts.removeFirst(scalars)
    for index in starts.indices { starts[index] -= count }
  }

  public var text: String { String(decoding: utf8, as: UTF8.self) }

  /// Appends a scalar that came from these bytes of the original text.
  public mutating func append(_ scalar: Unicode.Scalar, source: Range<Int>) {
    starts.append(utf8.count)
    sources.append(source)
    utf8.append(utf8: scalar.value)
  }

  /// Appends the text of the next part of the original, which begins at its byte `offset`.
  public mutating func append(_ part: NormalizedText, shiftedBy offset: Int) {
    let length = utf8.count
    starts.append(contentsOf: part.starts.lazy.map { $0 + length })
    sources.append(contentsOf: part.sources.lazy.map { $0.lowerBound + offset..<$0.upperBound + offset })
    utf8 += part.utf8
  }

  /// This text, which was made of an earlier one, with places in the text that the earlier one was made of.
  public func traced(through earlier: NormalizedText) -> NormalizedText {
    var traced = self
    for index in sources.indices { traced.sources[index] = earlier.source(of: sources[index]) }
    return traced
  }

  /// The bytes of the original text that a part of ``utf8`` came from: from the first to the last byte of any scalar
  /// that the part has a byte of. An empty part comes from the empty place before what follows it, or at the end. The
  /// time is the part's scalars and a logarithm of all.
  public func source(of part: Range<Int>) -> Range<Int> {
    precondition(part.lowerBound >= 0 && part.upperBound <= utf8.count, "\(part) is not within \(utf8.count) bytes")
    guard !part.isEmpty else {
      let next = firstScalar(from: part.lowerBound)
      let place = next < sources.count ? sources[next].lowerBound : sources.last?.upperBound ?? 0
      return place..<place
    }
    let covered = sources[firstScalar(from: part.lowerBound + 1) - 1..<firstScalar(from: part.upperBound)]
    return covered.dropFirst().reduce(covered.first ?? 0..<0) {
      min($0.lowerBound, $1.lowerBound)..<max($0.upperBound, $1.upperBound)
    }
  }

  /// The first scalar that begins at a byte or after it.
  private func firstScalar(from byte: Int) -> Int {
    var (low, high) = (0, starts.count)
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] < byte { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// As ``NormalizerStream``, and every scalar of the output keeps the place that it came from: 24 bytes more a scalar.
public struct TracingNormalizerStream: Sendable {
  private var core: NormalizerCore<NormalizedText>

  public init(_ normalizer: Normalizer, invalid policy: InvalidUTF8.Policy = .refuse) {
    core = NormalizerCore(normalizer.steps, policy)
  }

  /// How many invalid sequences have become U+FFFD.
  public var replacements: Int { core.replacements }

  /// Takes the next bytes of the text; places count from the beginning of the stream.
  ///
  /// - Throws: ``InvalidUTF8``, where the policy is to refuse. The stream must not be used after that.
  public mutating func append(_ bytes: ArraySlice<UInt8>, to output: inout NormalizedText) throws(InvalidUTF8) {
    let error = bytes.withUnsafeBufferPointer { core.append($0, to: &output, ends: false) }
    if let error { throw error }
  }

  /// Ends the text: appends what was held back.
  public mutating func finish(_ output: inout NormalizedText) throws(InvalidUTF8) {
    let nothing = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    if let error = core.append(nothing, to: &output, ends: true) { throw error }
  }

  /// Takes a whole text that is known to be valid.
  mutating func append(valid bytes: UnsafeBufferPointer<UInt8>, to output: inout NormalizedText) {
    _ = core.append(bytes, to: &output, ends: true)
  }
}

extension NormalizedText: NormalizerOutput {
  mutating func append(_ scalars: [TracedScalar]) {
    for scalar in scalars {
      starts.append(utf8.count)
      sources.append(scalar.source)
      utf8.append(utf8: scalar.value)
    }
  }

  mutating func append(unchanged run: UnsafeBufferPointer<UInt8>, source: Int, lowercasingASCII: Bool) {
    let shift = utf8.count - source
    utf8.append(contentsOf: run)
    if lowercasingASCII { utf8.lowercaseASCII(last: run.count) }
    var place = 0
    while place < run.count {
      let asciiEnd = run.endOfASCII(from: place, stoppingAtCR: false)
      starts.append(contentsOf: source + place + shift..<source + asciiEnd + shift)
      sources.append(contentsOf: (source + place..<source + asciiEnd).lazy.map { $0..<$0 + 1 })
      place = asciiEnd
      while place < run.count && run[place] >= 0x80 {
        let length = run[place] < 0xE0 ? 2 : run[place] < 0xF0 ? 3 : 4
        starts.append(source + place + shift)
        sources.append(source + place..<source + place + length)
        place += length
      }
    }
  }
}

extension [UInt8] {
  /// Makes ASCII capitals among the last bytes small letters.
  fileprivate mutating func lowercaseASCII(last count: Int) {
    let end = self.count
    withUnsafeMutableBufferPointer { bytes in
      for index in end - count..<end {
        let isCapital: UInt8 = bytes[index] &- 65 < 26 ? 0x20 : 0
        bytes[index] |= isCapital
      }
    }
  }
}
