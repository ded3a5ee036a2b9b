#if canImport(CryptoKit)
  import CryptoKit
#else
  import CCrypto
#endif

/// SHA-256 of bytes, as 64 hexadecimal digits.
public func sha256(_ bytes: [UInt8]) -> String {
  #if canImport(CryptoKit)
    let digest = Array(CryptoKit.SHA256.hash(data: bytes))
  #else
    var digest = [UInt8](repeating: 0, count: 32)
    let done = EVP_Digest(bytes, bytes.count, &digest, nil, unroll_sha256(), nil)
    precondition(done == 1, "libcrypto could not hash")
  #endif
  return digest.map { byte in
    let text = String(byte, radix: 16)
    return byte < 16 ? "0" + text : text
  }.joined()
}
