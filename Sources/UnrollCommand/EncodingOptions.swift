import ArgumentParser
import Corpora
import ModelFiles
import UnicodeText

extension InvalidUTF8.Policy: ExpressibleByArgument {}

/// `--invalid-utf8`, of every command that reads text.
struct EncodingOptions: ParsableArguments {
  @Option(
    name: .customLong("invalid-utf8"),
    help: "What to do with bytes that are not UTF-8: fail, or replace by U+FFFD (how many is said on standard error).")
  var policy: InvalidUTF8.Policy = .refuse

  /// The text of files, one after another.
  func text(of paths: [String]) throws -> CorpusText {
    let corpus = try CorpusText(reading: paths, invalid: policy)
    Self.say(corpus.replacements)
    return corpus
  }

  /// Standard input, which may be empty.
  func standardInput(_ advice: String) throws -> String { try content(of: "-", advice) }

  /// What a file holds, perhaps nothing; `-` is standard input.
  ///
  /// - Parameter advice: What to do about bytes that are not UTF-8.
  func content(of path: String, _ advice: String) throws -> String {
    let bytes = try Files.read(path)
    if policy == .replace {
      let (text, replacements) = decodeUTF8Replacing(bytes)
      Self.say(replacements)
      return text
    }
    do { return try decodeUTF8(bytes) } catch {
      throw FileError(.invalid, Paths.title(path), "\(error); \(advice)")
    }
  }

  /// Says how many sequences of bytes were replaced, if any.
  static func say(_ replacements: Int) {
    guard replacements > 0 else { return }
    Terminal.complain("Warning: \(CorpusText.replaced(replacements))")
  }
}
