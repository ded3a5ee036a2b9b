import ModelFiles
import Reports

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension PerplexityReport {
  /// One object; the keys are those that other programs rely on.
  public var json: JSON {
    let uncertainty = uncertainty
    let json: JSON = [
      "tokens": .integer(tokens), "scored_tokens": .integer(score.tokens), "characters": .integer(characters),
      "bytes": .integer(bytes), "words": .integer(words), "unknown_tokens": .integer(unknownTokens),
      "nats_per_token": JSON(natsPerToken), "perplexity": JSON(perplexity),
      "bits_per_character": JSON(bitsPerCharacter), "bits_per_byte": JSON(bitsPerByte),
      "word_perplexity": JSON(wordPerplexity), "standard_error": JSON(uncertainty?.standardError ?? .nan),
      "interval_low": JSON(uncertainty?.interval.lowerBound), "interval_high": JSON(uncertainty?.interval.upperBound),
      "bootstrap_block_tokens": uncertainty.map { .integer($0.blockLength * breakdown.series.width) } ?? .null,
      "nats_per_token_with_unknown": JSON(natsPerTokenWithUnknown),
      "nats_per_token_without_unknown": JSON(natsPerTokenWithoutUnknown),
      "positions": .array(breakdown.positions.filter { $0.score.tokens > 0 }.map(\.json)),
      "kinds": .array(breakdown.kindsByShare.map { $0.score.json(.init("kind", .string($0.kind.name))) }),
    ]
    let adapted = adaptive?.members(characters: characters) ?? []
    return json.adding((documents?.members ?? []) + adapted + verification + cost)
  }

  private var verification: [JSON.Member] {
    guard let excess = breakdown.largestExcess else { return [] }
    return [
      .init("verified_predictions", .integer(breakdown.verified)), .init("largest_excess_over_one", JSON(excess)),
    ]
  }

  private var cost: [JSON.Member] {
    guard let cost = precisionCost else { return [] }
    return [
      .init("precision", .string(cost.precision.rawValue)),
      .init("nats_per_token_above_float32", JSON(cost.natsPerToken)),
      .init("precision_compared_tokens", .integer(cost.tokens)),
    ]
  }

  // MARK: For people

  /// A few lines, and where the loss lies.
  public var text: String {
    figures.text + "\nby place after the beginning\n" + positionTable.text + "\nby kind of symbol\n" + kindTable.text
  }

  /// The figures alone.
  var figures: TextTable {
    var table = TextTable()
    table.add("perplexity per token", shortDecimal(perplexity, places: 3), "of \(grouped(score.tokens)) tokens scored")
    table.add("nats per token", decimal(natsPerToken, places: 4), uncertainty.map(words(of:)) ?? "")
    table.add("bits per character", decimal(bitsPerCharacter, places: 4), "\(grouped(characters)) characters")
    table.add("bits per byte", decimal(bitsPerByte, places: 4), "\(grouped(bytes)) bytes; comparable across tokenizers")
    table.add(
      "perplexity per word", words > 0 ? shortDecimal(wordPerplexity, places: 1) : "–", "\(grouped(words)) words")
    adaptive?.add(to: &table, characters: characters)
    addRemarks(to: &table)
    return table
  }

  private func words(of uncertainty: BlockBootstrap) -> String {
    let (low, high) = (uncertainty.interval.lowerBound, uncertainty.interval.upperBound)
    return "± \(decimal(uncertainty.standardError, places: 4)) (standard error), 95 %: "
      + "\(decimal(low, places: 4)) to \(decimal(high, places: 4))"
  }

  private func addRemarks(to table: inout TextTable) {
    if let documents {
      let empty = documents.empty > 0 ? "; \(grouped(documents.empty)) empty left out" : ""
      table.add(
        "documents", grouped(documents.count),
        "their ends are scored too: \(decimal(documents.ends.mean, places: 4)) nats each, "
          + "\(decimal(100 * documents.ends.nats / score.nats, places: 1)) % of all\(empty)")
    }
    if let cost = precisionCost {
      let sign = cost.natsPerToken < 0 ? "−" : "+"
      table.add(
        "\(cost.precision.rawValue) against float32", sign + decimal(abs(cost.natsPerToken), places: 5),
        "nats per token, on the first \(grouped(cost.tokens)) tokens")
    }
    if unknownTokens > 0 {
      let named = unknown.countedNames
      table.add("unknown symbols", grouped(unknownTokens), named + (unknown.count > 5 ? ", …" : ""))
      table.add(
        "nats per token without them", decimal(natsPerTokenWithoutUnknown, places: 4),
        "with them \(decimal(natsPerTokenWithUnknown, places: 4))"
          + (breakdown.unknown.tokens == 0 ? " at least, 20.1 bits each" : ""))
    }
    if let excess = breakdown.largestExcess {
      table.add(
        "sums of probabilities", excess < 1e-5 ? "1" : "not 1",
        "within \(scientific(excess)), of \(grouped(breakdown.verified)) predictions")
    }
  }

  private var positionTable: TextTable {
    var table = TextTable()
    for position in breakdown.positions where position.score.tokens > 0 {
      table.add(
        position.name, decimal(position.score.mean, places: 4), "nats, \(grouped(position.score.tokens)) tokens")
    }
    return table
  }

  private var kindTable: TextTable {
    var table = TextTable()
    for (kind, score) in breakdown.kindsByShare {
      let share = decimal(100 * score.nats / self.score.nats, places: 1)
      table.add(
        kind.name, decimal(score.mean, places: 4), "nats, \(grouped(score.tokens)) tokens, \(share) % of the loss")
    }
    return table
  }
}

/// Such as 3e-07.
private func scientific(_ value: Double) -> String {
  guard value.isFinite, value > 0 else { return value == 0 ? "0" : "infinity" }
  let exponent = Int(log10(value).rounded(.down))
  return "\(decimal(value / pow(10, Double(exponent)), places: 1))e\(exponent)"
}

extension LossBreakdown.Position {
  /// Such as 4–7.
  var name: String {
    places.count == 1 ? grouped(places.lowerBound) : "\(grouped(places.lowerBound))–\(grouped(places.upperBound))"
  }

  fileprivate var json: JSON {
    score.json(.init("from", .integer(places.lowerBound)), .init("to", .integer(places.upperBound)))
  }
}

extension Score {
  fileprivate func json(_ members: JSON.Member...) -> JSON {
    JSON.object(members).adding(.init("tokens", .integer(tokens)), .init("nats_per_token", JSON(mean)))
  }
}
