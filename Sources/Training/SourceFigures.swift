import Corpora
import ModelFiles
import Reports

/// What is known of the source that a run trains on: the figures to compare validation losses with.
public struct SourceFigures: Sendable {
  /// The source with its parameters, as `--source` takes it.
  public let description: String
  /// Nats per symbol of whoever knows the source, and of whoever has forgotten what it is made to test.
  public let optimalLoss, forgetfulLoss: Double
  /// Nats per symbol of whoever knows the source on the very symbols that are validated on; nil where there are none.
  public let optimalValidationLoss: Double?
  /// When a model has learnt the source.
  public let criterion: String

  /// - Parameter validationText: The text to validate on, from its first symbol, which is not scored.
  init(_ source: any SymbolSource, validationText: String) {
    description = source.description
    optimalLoss = source.optimalLoss
    forgetfulLoss = source.forgetfulLoss
    criterion = source.criterion
    let losses = source.optimalLosses(of: validationText).dropFirst()
    let mean = losses.reduce(0, +) / Double(losses.count)
    optimalValidationLoss = mean.isFinite ? mean : nil
  }

  /// The figures in a sentence's form.
  public var text: String {
    let onDraw = optimalValidationLoss.map { " (\(decimal($0, places: 4)) on this validation part)" } ?? ""
    return "\(decimal(optimalLoss, places: 4)) nats/character\(onDraw); without the memory that it tests, "
      + decimal(forgetfulLoss, places: 4)
  }

  /// Members of the log's first line.
  var members: [JSON.Member] {
    [
      .init("source", .string(description)), .init("optimal_loss", JSON(optimalLoss)),
      .init("forgetful_loss", JSON(forgetfulLoss)), .init("optimal_validation_loss", JSON(optimalValidationLoss)),
    ]
  }
}
