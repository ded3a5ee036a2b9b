import Foundation
import TestSupport
import UnicodeText

/// A file of the Unicode Character Database, as Debian's package `unicode-data` installs it.
struct UnicodeData {
  struct Missing: Error, CustomStringConvertible {
    let description: String
  }

  /// The lines, without comments and empty ones.
  let lines: [Substring]
  /// The version in the first line, such as 15.0.0 in "# NormalizationTest-15.0.0.txt".
  let version: String

  /// - Parameter version: The version of a file that does not name it.
  init(_ name: String, version known: String? = nil) throws {
    let path = "/usr/share/unicode/\(name)"
    let text: String
    if FileManager.default.fileExists(atPath: path) {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } else if FileManager.default.fileExists(atPath: path + ".bz2") {
      let unpacked = try run("/usr/bin/env", ["bzip2", "-dc", path + ".bz2"])
      guard unpacked.status == 0 else { throw Missing(description: "install the package bzip2: \(unpacked.error)") }
      text = unpacked.text
    } else {
      throw Missing(
        description: "there is no \(path): install the package unicode-data (scripts/setup --tests does it)")
    }
    let all = text.split(separator: "\n")
    version = known ?? String(all.first?.split(separator: "-").last?.dropLast(4) ?? "")
    guard version.split(separator: ".").count == 3 else {
      throw Missing(description: "\(path) does not begin with its version, but with \(all.first ?? "nothing")")
    }
    lines = all.map { $0.prefix { $0 != "#" } }.filter { !$0.allSatisfy(\.isWhitespace) }
  }

  /// Whether a version is not newer than another.
  static func isVersion(_ version: some StringProtocol, atMost other: String) -> Bool {
    func numbers(_ version: some StringProtocol) -> [Int] { version.split(separator: ".").compactMap { Int($0) } }
    return !numbers(other).lexicographicallyPrecedes(numbers(version))
  }

  /// The scalars that both libutf8proc and the data files know of, or nil where they are of the same version, and so
  /// agree on what is unassigned too.
  static func scalarsInBoth(_ version: String) throws -> Set<UInt32>? {
    if version == unicodeVersion { return nil }
    let older = isVersion(version, atMost: unicodeVersion) ? version : unicodeVersion
    var scalars: Set<UInt32> = []
    for line in try UnicodeData("DerivedAge.txt").lines {
      let fields = line.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
      guard fields.count == 2, isVersion(fields[1] + ".0", atMost: older) else { continue }
      let ends = fields[0].components(separatedBy: "..").compactMap { UInt32($0, radix: 16) }
      if let first = ends.first, let last = ends.last { scalars.formUnion(first...last) }
    }
    return scalars
  }

  /// Scalars written in hexadecimal with spaces between.
  static func text(_ field: some StringProtocol) -> String {
    var text = String.UnicodeScalarView()
    text.append(
      contentsOf: field.split(separator: " ").compactMap { UInt32($0, radix: 16).flatMap(Unicode.Scalar.init) })
    return String(text)
  }
}

let everyScalar = (UInt32(0)..<0x11_0000).compactMap(Unicode.Scalar.init)
