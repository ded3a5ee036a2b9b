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
    let fields = [CSV.field(file), "\(line)", "\(position)", CSV.field(text)]
    return (fields + figures.csv).joined(separator: ",")
  }

  /// One object; null where nothing was scored.
  public func json(file: String) -> JSON {
    let place: JSON = [
      "file": .string(file), "line": .integer(line), "position": .integer(position), "text": .string(text),
    ]
    return place.adding(figures.json)
  }

  private var figures: UnitFigures { UnitFigures(surprisal: surprisal, rank: rank, entropy: entropy) }

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

/// The sum of rows, told as one more of them: it alone has no file, no line and no position.
public struct UnitTotal: Sendable {
  private var figures = UnitFigures()

  /// No row yet.
  public init() {}

  /// Adds a row: surprisals and entropies are added up; of ranks the highest counts.
  public mutating func add(_ row: UnitRow) {
    if let surprisal = row.surprisal { figures.surprisal = (figures.surprisal ?? 0) + surprisal }
    if let entropy = row.entropy { figures.entropy = (figures.entropy ?? 0) + entropy }
    if let rank = row.rank { figures.rank = max(figures.rank ?? 0, rank) }
  }

  /// As ``UnitRow/csv(file:)``, with empty fields.
  public var csv: String { (["", "", "", ""] + figures.csv).joined(separator: ",") }

  /// As ``UnitRow/json(file:)``, with nulls.
  public var json: JSON {
    let json: JSON = ["file": .null, "line": .null, "position": .null, "text": .null]
    return json.adding(figures.json)
  }
}

/// What a model made of a part of a text, in nats.
private struct UnitFigures: Sendable {
  var surprisal: Double?
  var rank: Int?
  var entropy: Double?

  var csv: [String] {
    func bits(_ nats: Double?) -> String { nats.map { decimal($0 / log(2), places: 6) } ?? "" }
    return [bits(surprisal), rank.map { "\($0)" } ?? "", bits(entropy)]
  }

  var json: [JSON.Member] {
    [
      .init("surprisal_bits", JSON(surprisal.map { $0 / log(2) })),
      .init("rank", rank.map { .integer($0) } ?? .null), .init("entropy_bits", JSON(entropy.map { $0 / log(2) })),
    ]
  }
}
