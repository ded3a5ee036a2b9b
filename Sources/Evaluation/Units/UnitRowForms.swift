import ModelFiles
import Reports

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension UnitRow {
  /// The columns of ``csv(file:)`` and the keys of ``json(file:)``.
  public static var columns: [String] {
    ["file", "line", "position", "text", "surprisal_bits", "rank", "entropy_bits"]
  }

  /// A line of comma-separated values, without its end; empty where nothing was scored.
  public func csv(file: String) -> String {
    func bits(_ nats: Double?) -> String { nats.map { decimal($0 / log(2), places: 6) } ?? "" }
    let fields = [
      CSV.field(file), "\(line)", "\(position)", CSV.field(text), bits(surprisal), rank.map { "\($0)" } ?? "",
      bits(entropy),
    ]
    return fields.joined(separator: ",")
  }

  /// One object; null where nothing was scored.
  public func json(file: String) -> JSON {
    [
      "file": .string(file), "line": .integer(line), "position": .integer(position), "text": .string(text),
      "surprisal_bits": JSON(surprisal.map { $0 / log(2) }), "rank": rank.map { .integer($0) } ?? .null,
      "entropy_bits": JSON(entropy.map { $0 / log(2) }),
    ]
  }

  /// Heads of ``text(file:)``.
  public static var heading: String { "   bits   rank  entropy  place and text\n" }

  /// A line for people.
  public func text(file: String) -> String {
    func padded(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    func bits(_ nats: Double?, _ width: Int) -> String {
      padded(nats.map { decimal($0 / log(2), places: 2) } ?? "–", width)
    }
    let shown = text.unicodeScalars.count == 1 || text.contains("\n") ? JSON.string(text).text() : text
    return bits(surprisal, 7) + padded(rank.map { "\($0)" } ?? "–", 7) + bits(entropy, 9)
      + "  \(file):\(line):\(position)  \(shown)\n"
  }
}
