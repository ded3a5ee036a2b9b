import Evaluation
import LanguageModeling

/// The score of a finished model on a text that had no part in its training.
enum TestScore {
  /// - Returns: Nil where there is no test text.
  /// - Throws: ``TrainingError`` where nothing of it can be scored.
  static func event(of text: String?, by folder: ModelFolder, threads: Int) throws -> TrainingEvent.Test? {
    guard let text else { return nil }
    let loaded = try folder.load(precision: .float32)
    do {
      let report = try PerplexityReport(
        of: [text], by: loaded.model, loaded.tokenizer, unknownPolicy: .skip, threads: threads)
      return .init(
        loss: report.natsPerToken, bitsPerCharacter: report.bitsPerCharacter, bitsPerByte: report.bitsPerByte,
        tokens: report.score.tokens)
    } catch let error as TooLittleText {
      throw TrainingError("the test text \(error)")
    }
  }
}
