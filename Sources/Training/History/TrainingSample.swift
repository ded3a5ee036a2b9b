import LanguageModeling
import Sampling

/// The little texts that a model writes while it is trained.
enum TrainingSample {
  private static var length: Int { 160 }
  private static var temperature: Double { 0.8 }

  /// A text from the beginning, the same for a model and a seed; what has no number that a text can be drawn from writes
  /// nothing.
  static func text(by model: any LanguageModel, _ data: TrainingData, seed: UInt64) throws -> String {
    var settings = GenerationSettings()
    settings.length = length
    settings.sampling.temperature = temperature
    let generator = Generator(
      model: model, tokenizer: data.tokenizer, start: data.startToken, settings: settings, seed: seed)
    do { return try generator.texts(after: []).first?.text ?? "" } catch is PredictionsNotFinite {
      return ""
    }
  }
}
