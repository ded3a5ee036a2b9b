/// What follows a reading: it is shown texts and their tokens in order, as they come, and keeps no text that it is done
/// with.
public protocol ReadingFollower: AnyObject {
  /// A text begins.
  ///
  /// - Parameter index: Texts count from 0.
  func begin(_ index: Int) throws
  /// The next token of the text.
  func add(_ token: ScoredToken, in text: PassingText) throws
  /// No token that is still to come begins before a byte, where a scalar begins.
  ///
  /// - Returns: The first byte that is still looked at: `place`, or one before it.
  func advance(to place: Int, in text: PassingText) throws -> Int
  /// The text has ended, and was advanced to its end.
  func end(_ text: PassingText) throws
}

/// Hands tokens to a closure.
final class TokenListener: ReadingFollower {
  private let use: (_ text: Int, ScoredToken) throws -> Void
  private var index = 0

  init(_ use: @escaping (_ text: Int, ScoredToken) throws -> Void) { self.use = use }

  func begin(_ index: Int) { self.index = index }
  func add(_ token: ScoredToken, in text: PassingText) throws { try use(index, token) }
  func advance(to place: Int, in text: PassingText) -> Int { place }
  func end(_ text: PassingText) {}
}
