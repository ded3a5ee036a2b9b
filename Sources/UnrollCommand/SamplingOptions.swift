import ArgumentParser
import Sampling

/// How `unroll generate` chooses symbols.
struct SamplingOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "0 takes the likeliest symbol each time; higher is more daring. (default: 0.8)")
  var temperature: Double?

  @Flag(help: "The same as --temperature 0: no draw, and nothing is truncated.")
  var greedy = false

  @Option(help: "Draw from the N likeliest symbols only.")
  var topK: Int?

  @Option(help: "Draw from the fewest likeliest symbols whose probabilities add up to P.")
  var topP: Double?

  @Option(help: "Draw from the symbols that are at least P times as likely as the likeliest.")
  var minP: Double?

  @Option(help: "Draw from the fewest symbols that hold P, those first whose surprisal is nearest to the entropy.")
  var typicalP: Double?

  @Option(help: "Draw from the symbols whose logits are within N standard deviations of the largest.")
  var topNSigma: Double?

  @Option(help: "Mirostat 2: hold the mean surprisal of the symbols at so many bits.")
  var mirostat: Double?

  @Option(help: "How fast mirostat's bound follows.")
  var mirostatRate = 0.1

  @Option(help: "Make symbols that the text has already less likely: above 1, such as 1.2.")
  var repetitionPenalty = 1.0

  @Option(parsing: .unconditional, help: "Nats to take from each symbol that the text has already.")
  var presencePenalty = 0.0

  @Option(parsing: .unconditional, help: "Nats to take from a symbol for each time that the text has it.")
  var frequencyPenalty = 0.0

  @Option(help: "How many of the last symbols the three penalties look at. (default: all)")
  var penaltyWindow: Int?

  @Option(help: "Nats to take from a symbol that would repeat a sequence (DRY); grows with its length.")
  var dryMultiplier = 0.0

  @Option(help: "How fast that grows with each symbol.")
  var dryBase = 1.75

  @Option(help: "Symbols that may be repeated freely.")
  var dryAllowedLength = 2

  @Option(help: "How many of the last symbols DRY looks at.")
  var dryWindow = 4096

  @Option(
    parsing: .unconditionalSingleValue,
    help: "A text that no repetition reaches across; repeatable. (default: a line feed, : \" and *)")
  var dryBreaker: [String] = []

  @Option(
    parsing: .unconditionalSingleValue,
    help: "Add nats to a symbol's logit, as 'e=+1.5' or 'Nell=-2', the last symbol of a longer text; repeatable.")
  var logitBias: [String] = []

  @Option(parsing: .unconditionalSingleValue, help: "A text that is not written; repeatable.")
  var ban: [String] = []

  /// - Throws: `InvalidSampling` where a bias is not TEXT=NUMBER.
  var settings: SamplingSettings {
    get throws {
      var settings = SamplingSettings(temperature: greedy ? 0 : temperature ?? 0.8)
      (settings.topK, settings.topP, settings.minP, settings.typicalP) = (topK, topP, minP, typicalP)
      settings.topNSigma = topNSigma
      (settings.mirostatTarget, settings.mirostatRate) = (mirostat, mirostatRate)
      settings.repetitionPenalty = repetitionPenalty
      (settings.presencePenalty, settings.frequencyPenalty) = (presencePenalty, frequencyPenalty)
      settings.penaltyWindow = penaltyWindow
      settings.repeatedSequences.multiplier = dryMultiplier
      settings.repeatedSequences.base = dryBase
      settings.repeatedSequences.allowedLength = dryAllowedLength
      settings.repeatedSequences.window = dryWindow
      if !dryBreaker.isEmpty { settings.repeatedSequences.breakers = dryBreaker }
      settings.biases = try logitBias.map(Self.bias)
      settings.banned = ban
      return settings
    }
  }

  /// Whether nothing is said of how to draw.
  var isSilent: Bool { temperature == nil && !greedy }

  private static func bias(_ argument: String) throws -> SamplingSettings.Bias {
    guard let sign = argument.lastIndex(of: "="), let value = Double(argument[argument.index(after: sign)...]) else {
      throw InvalidSampling("logit-bias is '\(argument)'; it must be TEXT=NUMBER, such as 'e=+1.5'")
    }
    return .init(String(argument[..<sign]), value)
  }
}
