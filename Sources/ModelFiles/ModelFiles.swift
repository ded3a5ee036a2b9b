/// ModelFiles: safetensors, JSON, durable writes and hashes. Everything read from a file is checked before it is used.

/// What went wrong with a file: one line that says what, where and what to do.
public struct FileError: Error, CustomStringConvertible, Equatable {
  /// The kind of failure, which decides a command's exit code.
  public enum Kind: Sendable {
    /// No such file, or not one that can be read.
    case missing
    /// The content is not what it must be.
    case invalid
    /// An output cannot be created.
    case cannotCreate
    /// Reading or writing failed on the way.
    case inputOutput
  }

  /// What kind of failure it is.
  public let kind: Kind
  /// The file, or what stands for it.
  public let path: String
  /// What is wrong, and what to do.
  public let message: String

  /// An error with a file's name.
  public init(_ kind: Kind, _ path: String, _ message: String) {
    self.kind = kind
    self.path = path
    self.message = message
  }

  public var description: String { "\(path): \(message)" }
}
