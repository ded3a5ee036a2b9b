/// A Unicode normalization form (UAX #15), or none.
public enum NormalizationForm: String, Sendable, CaseIterable {
  case none, nfc, nfd, nfkc, nfkd

  /// The text in this form, as ``Normalizer`` makes it.
  public func normalize(_ text: String) -> String { Normalizer(self).normalize(text) }
}
