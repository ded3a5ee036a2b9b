/// Changes the logits of the next symbol before it is drawn, knowing the text so far.
///
/// A value: each of several texts has a copy of its own.
public protocol LogitProcessor: Sendable {
  /// Changes the logits `[V]` of the next symbol; −∞ is a symbol that cannot come, before and after.
  ///
  /// Where some symbol can come before, one can come after, except where symbols are banned.
  mutating func process(_ logits: inout [Double])
  /// Takes note of the next symbol of the text: those of the prompt first, then each that was drawn.
  mutating func accept(_ token: Int32)
}

extension LogitProcessor {
  /// Most processors look at the logits alone.
  public mutating func accept(_ token: Int32) {}
}

/// A sampling setting that makes no sense, or that leaves no symbol to draw.
public struct InvalidSampling: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// Refuses a value that is outside what a setting may be.
func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
  guard condition else { throw InvalidSampling(message()) }
}
