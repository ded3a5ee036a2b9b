import Compute

/// Where a random scalar comes from: ASCII, combining marks, Hangul, or anywhere in the seventeen planes.
private let scalarRanges: [ClosedRange<UInt32>] = [
  0x00...0x7F, 0x00...0x7F, 0xA0...0x17F, 0x300...0x36F, 0x591...0x5C7, 0x1100...0x11FF, 0x1E00...0x1EFF,
  0x2000...0x206F, 0xAC00...0xD7A3, 0xF900...0xFAD9, 0x1F300...0x1F9FF, 0x2F800...0x2FA1D, 0x0...0xFFFF, 0x0...0x10FFFF,
]

/// Random scalars of all planes, with many that normalization forms change.
public func randomScalars(_ count: Int, using random: inout CounterRandom) -> [Unicode.Scalar] {
  var scalars: [Unicode.Scalar] = []
  while scalars.count < count {
    guard let range = scalarRanges.randomElement(using: &random) else { continue }
    if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) { scalars.append(scalar) }
  }
  return scalars
}

public func randomText(_ count: Int, using random: inout CounterRandom) -> String {
  var text = String.UnicodeScalarView()
  text.append(contentsOf: randomScalars(count, using: &random))
  return String(text)
}

/// `count` numbers uniform in ±`bound`.
public func randomNumbers(_ count: Int, bound: Double, using random: inout CounterRandom) -> [Double] {
  (0..<count).map { _ in (random.uniform() * 2 - 1) * bound }
}

extension String {
  /// The values of the text's scalars: two texts that Swift calls equal may differ here.
  public var scalarValues: [UInt32] { unicodeScalars.map(\.value) }
}
