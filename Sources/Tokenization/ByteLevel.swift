/// The alphabet that byte-level vocabularies are written in: every byte has a visible scalar (Radford et al. 2019, GPT-2).
///
/// The bytes that are visible in Latin-1 stand for themselves, the others for U+0100, U+0101 … in the order of bytes.
enum ByteLevel {
  /// The scalar of each byte.
  static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (0...255).map { byte -> Unicode.Scalar in
      let isVisible = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
      if isVisible { return Unicode.Scalar(UInt8(byte)) }
      defer { next += 1 }
      return Unicode.Scalar(next) ?? " "
    }
  }()

  /// The byte of each scalar.
  private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
    uniqueKeysWithValues: scalars.enumerated().map { ($1, UInt8($0)) })

  /// The bytes in the order of their scalars, which is the order of ids in a fresh vocabulary.
  static let order: [UInt8] = (0...255).sorted { scalars[Int($0)] < scalars[Int($1)] }

  /// The name of a token of these bytes.
  static func name(of token: some Collection<UInt8>) -> String {
    var name = String.UnicodeScalarView()
    for byte in token { name.append(scalars[Int(byte)]) }
    return String(name)
  }

  /// The bytes that a name stands for; nil where a scalar is none of the alphabet.
  static func token(named name: String) -> [UInt8]? {
    var token: [UInt8] = []
    for scalar in name.unicodeScalars {
      guard let byte = bytes[scalar] else { return nil }
      token.append(byte)
    }
    return token
  }
}
