import ModelFiles
import Reports

extension Comparison {
  /// A table for people.
  public var text: String {
    var table = ColumnTable([
      "predictor", "", "nats/token", "bits/character", "bits/byte", "difference", "95 % from", "to",
    ])
    for entry in entries {
      table.add([
        entry.name, "", decimal(entry.score.mean, places: 4), decimal(entry.bitsPerCharacter, places: 4),
        decimal(entry.bitsPerByte, places: 4), entry.difference.map { signed($0.mean) } ?? "",
        entry.difference.map { signed($0.interval.lowerBound) } ?? "",
        entry.difference.map { signed($0.interval.upperBound) } ?? "",
      ])
    }
    return table.text + "differences in bits per character, over \(grouped(characters)) characters that all scored\n"
  }

  /// An object with a list of the predictors.
  public var json: JSON {
    ["characters": .integer(characters), "predictors": .array(entries.map(\.json))]
  }
}

extension Comparison.Entry {
  fileprivate var json: JSON {
    [
      "name": .string(name), "scored_tokens": .integer(score.tokens), "nats_per_token": JSON(score.mean),
      "bits_per_character": JSON(bitsPerCharacter), "bits_per_byte": JSON(bitsPerByte),
      "difference_bits_per_character": JSON(difference?.mean),
      "difference_low": JSON(difference?.interval.lowerBound),
      "difference_high": JSON(difference?.interval.upperBound),
    ]
  }
}
