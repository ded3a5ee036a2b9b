#if canImport(CryptoKit)
  import CryptoKit
#else
  import CCrypto
#endif

/// SHA-256 of bytes, as 64 hexadecimal digits.
public func sha256(_ bytes: [UInt8]) -> String {
  let hash = RunningSHA256()
  hash.add(bytes[...])
  return hash.finish()
}

/// SHA-256 of bytes that come in pieces.
public final class RunningSHA256 {
  #if canImport(CryptoKit)
    private var hash = CryptoKit.SHA256()

    public init() {}

    /// Takes the next bytes.
    public func add(_ bytes: ArraySlice<UInt8>) { bytes.withUnsafeBytes { hash.update(bufferPointer: $0) } }

    private func digest() -> [UInt8] { Array(hash.finalize()) }
  #else
    private let context: OpaquePointer?

    public init() {
      context = EVP_MD_CTX_new()
      precondition(EVP_DigestInit_ex(context, unroll_sha256(), nil) == 1, "libcrypto could not hash")
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Takes the next bytes.
    public func add(_ bytes: ArraySlice<UInt8>) {
      let done = bytes.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
      precondition(done == 1, "libcrypto could not hash")
    }

    private func digest() -> [UInt8] {
      var digest = [UInt8](repeating: 0, count: 32)
      precondition(EVP_DigestFinal_ex(context, &digest, nil) == 1, "libcrypto could not hash")
      return digest
    }
  #endif

  /// The hash of all, as 64 hexadecimal digits; nothing can be added after that.
  public func finish() -> String {
    digest().map { byte in
      let text = String(byte, radix: 16)
      return byte < 16 ? "0" + text : text
    }.joined()
  }
}
